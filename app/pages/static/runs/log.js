// A log that follows: only what is new is fetched. It stays where a reader has scrolled to.
import { API } from "../frame/api.js";

const MOST_CHARACTERS = 2_000_000;
const END_PX = 24, EVERY_MS = 1500;

/** Shows the log of a run in `box`; the function that is returned looks whether there is more. */
export function followLog(box, id) {
  const button = document.getElementById("log-follow");
  const decoder = new TextDecoder();
  let offset = Number(box.dataset.offset), due = null, isAsked = false;
  const isAtEnd = () => box.scrollHeight - box.scrollTop - box.clientHeight < END_PX;
  const toEnd = () => { box.scrollTop = box.scrollHeight; button.hidden = true; };
  box.addEventListener("scroll", () => { if (isAtEnd()) button.hidden = true; });
  button.addEventListener("click", toEnd);
  toEnd();

  return readSoon;

  function readSoon() {
    if (document.hidden) return;
    isAsked = true;
    due ??= setTimeout(read, EVERY_MS);
  }

  async function read() {
    isAsked = false;
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

  function append(text) {
    if (!text) return;
    const follows = isAtEnd();
    box.append(text);
    box.normalize();
    const kept = box.firstChild;
    if (kept.length > MOST_CHARACTERS) kept.deleteData(0, kept.length - MOST_CHARACTERS);
    if (follows) toEnd();
    else button.hidden = false;
  }
}
