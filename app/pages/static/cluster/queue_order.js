// Waiting runs are put in order: a row is dragged by mouse, or moved by its buttons, among runs of its project, queue and priority.
import { call } from "../frame/api.js";
import { refreshSoon } from "../frame/refresh.js";

/** Lets the rows below `body` be moved; what became of it is told in `said`. */
export function letOrder(body, said) {
  let dragged = null;
  const peersOf = (row) => [...body.querySelectorAll("tr[data-peers]")].filter((one) => one.dataset.peers === row.dataset.peers);
  const clear = () => { for (const row of body.querySelectorAll(".drop-before, .drop-after")) row.classList.remove("drop-before", "drop-after"); };
  const half = (event, row) => (event.clientY < row.getBoundingClientRect().top + row.offsetHeight / 2 ? "before" : "after");
  const target = (event) => {
    const row = event.target.closest?.("tr[data-peers]");
    return dragged && row && row !== dragged && row.dataset.peers === dragged.dataset.peers ? row : null;
  };

  body.addEventListener("dragstart", (event) => {
    dragged = event.target.closest?.("tr[data-peers]") ?? null;
    if (!dragged) return;
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", dragged.id);
  });
  body.addEventListener("dragover", (event) => {
    const row = target(event);
    clear();
    if (!row) return;
    event.preventDefault();
    row.classList.add(`drop-${half(event, row)}`);
  });
  body.addEventListener("drop", (event) => {
    const row = target(event);
    if (!row) return;
    event.preventDefault();
    move(dragged, half(event, row), row);
  });
  body.addEventListener("dragend", () => { dragged = null; clear(); });
  body.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-move]");
    if (!button) return;
    const row = button.closest("tr"), peers = peersOf(row), step = Number(button.dataset.move), other = peers[peers.indexOf(row) + step];
    if (other) move(row, step < 0 ? "before" : "after", other, button);
    else said.textContent = `${nameOf(row)} is the ${step < 0 ? "first" : "last"} of its project, queue and priority.`;
  });

  async function move(row, side, other, focused = null) {
    try {
      const run = await call("POST", `/runs/${row.id}/move`, { [side]: other.id });
      said.textContent = `${nameOf(row)} is ${side} ${nameOf(other)}${run.waiting ? `, at place ${run.waiting.position}` : ""}.`;
      other[side](row);
      focused?.focus();
    } catch (error) {
      said.textContent = `${error.message} ${error.envelope?.remedy ?? ""}`;
    }
    refreshSoon();
  }
}

function nameOf(row) {
  return row.querySelector("th").textContent.trim();
}
