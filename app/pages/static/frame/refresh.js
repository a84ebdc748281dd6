// Brings the parts of a page that are marked `data-live` up to date: the page is fetched again, and what differs is
// changed in place. So there is one template for the first paint and for all that follows, and nothing flashes.
import { localTimes } from "./times.js";

const EVERY_MS = 1000;
let due = null, isRunning = false, isLeaving = false, fetchedAt = 0;

/** Goes to another page. What is shown refreshes no more: its record may be gone, and to load it again would end the way there. */
export function leaveFor(address) {
  isLeaving = true;
  location.assign(address);
}

/** Refreshes at once, or as soon as a second has passed since the last time. */
export function refreshSoon() {
  if (due !== null) return;
  due = setTimeout(refresh, Math.max(0, fetchedAt + EVERY_MS - Date.now()));
}

async function refresh() {
  due = null;
  if (isRunning || document.hidden) { due = document.hidden ? null : setTimeout(refresh, EVERY_MS); return; }
  isRunning = true;
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    if (isLeaving) return;
    if (answer.redirected || answer.status === 404) return location.reload(); // signed out, or deleted
    if (answer.ok) apply(new DOMParser().parseFromString(await answer.text(), "text/html"));
  } catch {
    // the server is away: `live.js` says so, and refreshes when it is back
  } finally {
    isRunning = false;
    fetchedAt = Date.now();
  }
}

function apply(fresh) {
  localTimes(fresh);
  document.title = fresh.title;
  for (const part of document.querySelectorAll("[data-live]")) {
    const other = fresh.getElementById(part.id);
    if (other && !part.isEqualNode(other)) morph(part, other);
  }
  dispatchEvent(new Event("refreshed"));
}

/** Makes `old` like `fresh`, node by node; what a reader has typed, ticked, opened or focused stays. */
function morph(old, fresh) {
  if (old.dataset?.keep !== undefined) return;
  for (const { name, value } of fresh.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  for (const { name } of [...old.attributes]) if (!fresh.hasAttribute(name) && !isOwn(old, name)) old.removeAttribute(name);
  const keyed = new Map([...old.children].filter((node) => node.id).map((node) => [node.id, node]));
  let next = old.firstChild;
  for (const wanted of [...fresh.childNodes]) {
    let found = wanted.id ? keyed.get(wanted.id) : next;
    if (!found || found.nodeName !== wanted.nodeName || (found.id ?? "") !== (wanted.id ?? "")) {
      old.insertBefore(wanted.cloneNode(true), next);
      continue;
    }
    if (found === next) next = next.nextSibling;
    else old.insertBefore(found, next);
    if (found.nodeType === Node.ELEMENT_NODE) { if (!found.isEqualNode(wanted)) morph(found, wanted); }
    else if (found.data !== wanted.data) found.data = wanted.data;
  }
  while (next) { const rest = next.nextSibling; next.remove(); next = rest; }
}

function isOwn(node, name) {
  return name === "open" && (node.nodeName === "DETAILS" || node.nodeName === "DIALOG");
}
