// Search in the log: all of it is fetched first, since a page begins with its end. Finds are marked, and Enter goes from one to
// the next, Shift and Enter back.
const MOST = 10_000, PAUSE_MS = 200;
/** Finds that are marked, and how long typing must have paused. */

/** Lets `field` search in `box`; `whole` makes the log in it complete. */
export function searchLog(field, box, whole) {
  const said = document.getElementById("log-found");
  let finds = [], place = -1, due = 0, isWhole = null;
  field.addEventListener("input", () => { clearTimeout(due); due = setTimeout(search, PAUSE_MS); });
  field.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    if (finds.length) go(place + (event.shiftKey ? -1 : 1));
  });

  async function search() {
    const words = field.value.toLowerCase();
    if (words) await (isWhole ??= whole());
    if (field.value.toLowerCase() !== words) return;
    finds = words ? rangesOf(box, words) : [];
    place = -1;
    mark("log-found", finds);
    mark("log-present", []);
    if (finds.length) go(finds.length - 1);
    else said.textContent = words ? "not found" : "";
  }

  /** To that one of the finds; behind the last comes the first. */
  function go(wanted) {
    place = (wanted + finds.length) % finds.length;
    said.textContent = `${place + 1} of ${finds.length}${finds.length === MOST ? " or more" : ""}`;
    mark("log-present", [finds[place]]);
    const there = finds[place].getBoundingClientRect(), frame = box.getBoundingClientRect();
    box.scrollTop += there.top - frame.top - box.clientHeight / 2;
  }
}

function rangesOf(box, words) {
  const node = box.firstChild, text = (node?.data ?? "").toLowerCase(), found = [];
  for (let from = text.indexOf(words); from >= 0 && found.length < MOST; from = text.indexOf(words, from + words.length)) {
    const range = new Range();
    range.setStart(node, from);
    range.setEnd(node, from + words.length);
    found.push(range);
  }
  return found;
}

/** By the browser's own marks, which leave the text as it is; one without them shows the present find by selecting it. */
function mark(name, ranges) {
  if (globalThis.CSS?.highlights) { CSS.highlights.set(name, new Highlight(...ranges)); return; }
  if (name !== "log-present" || !ranges.length) return;
  const chosen = getSelection();
  chosen.removeAllRanges();
  chosen.addRange(ranges[0]);
}
