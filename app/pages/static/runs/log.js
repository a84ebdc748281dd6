// A log that follows: only what is new is fetched. It stays where a reader has scrolled to.
import { API } from "../frame/api.js";
import { searchLog } from "./log_search.js";

const MOST_CHARACTERS = 2_000_000;
const COLORS = /\x1b\[[0-9;]*[A-Za-z]/g; // escape codes, which a terminal takes for colours
const END_PX = 24, EVERY_MS = 1500;

/** Shows the log of a run in `box`; the function that is returned looks whether there is more. */
export function followLog(box, id) {
  const button = document.getElementById("log-follow");
  const decoder = new TextDecoder();
  let offset = Number(box.dataset.offset), due = null, isAsked = false, isFilling = false;
  const isAtEnd = () => box.scrollHeight - box.scrollTop - box.clientHeight < END_PX;
  const toEnd = () => { box.scrollTop = box.scrollHeight; button.hidden = true; };
  box.addEventListener("scroll", () => { if (isAtEnd()) button.hidden = true; });
  button.addEventListener("click", toEnd);
  toEnd();
  searchLog(document.getElementById("log-search"), box, fill);

  return readSoon;

  /** Puts what is before the part that the page began with in its place: the whole log, as far as a page may hold it. */
  async function fill() {
    isFilling = true;
    try {
      const parts = [], own = new TextDecoder();
      for (let at = 0; at < offset;) {
        const answer = await fetch(`${API}/runs/${id}/log?offset=${at}`);
        if (!answer.ok) return;
        const part = new Uint8Array(await answer.arrayBuffer()).subarray(0, offset - at);
        parts.push(own.decode(part, { stream: true }));
        at += part.length;
        if (!part.length) break;
      }
      const text = parts.join("");
      box.textContent = text.replaceAll(COLORS, "").slice(-MOST_CHARACTERS);
      toEnd();
    } catch {
      // the server is away: what is shown is searched
    } finally {
      isFilling = false;
    }
  }

  function readSoon() {
    if (document.hidden) return;
    isAsked = true;
    due ??= setTimeout(read, EVERY_MS);
  }

  async function read() {
    isAsked = false;
    if (isFilling) { due = null; return readSoon(); }
    try {
      const answer = await fetch(`${API}/runs/${id}/log?offset=${offset}`);
      if (!answer.ok) return;
      append(decoder.decode(await answer.arrayBuffer(), { stream: true }));
      offset = Number(answer.headers.get("Log-Offset"));
    } catch {
      // the server is away; what comes next asks again from here
    } finally {
      due = null;
      if (isAsked) readSoon(); // what came while it was read
    }
  }

  function append(added) {
    if (!added) return;
    const text = added.replaceAll(COLORS, "");
    const follows = isAtEnd();
    box.append(text);
    box.normalize();
    const kept = box.firstChild;
    if (kept.length > MOST_CHARACTERS) kept.deleteData(0, kept.length - MOST_CHARACTERS);
    if (follows) toEnd();
    else button.hidden = false;
  }
}
