// One sample of a data set, large: keys go from one to the next, and turn the mask and boxes off and on.
const KEYS = { ArrowRight: 1, ArrowDown: 1, PageDown: 1, ArrowLeft: -1, ArrowUp: -1, PageUp: -1 };

export class Viewer {
  /** In the document's `dialog`; `samples` gives pictures and more of them. */
  constructor(dialog, samples) {
    this.dialog = dialog;
    this.samples = samples;
    this.place = 0;
    this.stack = dialog.querySelector(".stack");
    this.caption = dialog.querySelector("[data-caption]");
    [this.back, this.next] = dialog.querySelectorAll("[data-step]");
    for (const button of [this.back, this.next]) button.addEventListener("click", () => this.step(Number(button.dataset.step)));
    // Of the document: a button that is disabled while it has the focus loses it.
    document.addEventListener("keydown", (event) => { if (dialog.open) this.#press(event); });
    dialog.addEventListener("close", () => samples.focus(this.place));
  }

  /** Opens at the sample of that place in the grid. */
  open(place) {
    this.dialog.showModal();
    this.#show(place);
  }

  /** Goes so many samples on, or back; asks for more at the end of those that are there. */
  async step(by) {
    const place = this.place + by;
    if (place >= this.samples.items.length) await this.samples.loadMore();
    if (place >= 0 && place < this.samples.items.length) this.#show(place);
  }

  #show(place) {
    const item = this.samples.items[place];
    this.place = place;
    this.stack.style.width = `min(88vw, ${(65 * item.width) / item.height}vh)`;
    this.stack.replaceChildren(...this.samples.pictures(item));
    const classes = counted(item.objects) || item.classes.join(", ") || "no class";
    this.caption.textContent = `${item.name} · ${item.split}, ${item.width}×${item.height} · ${classes}`;
    this.back.disabled = place === 0;
    this.next.disabled = place === this.samples.items.length - 1 && !this.samples.hasMore;
  }

  #press(event) {
    if (event.target.matches("input, select")) return;
    if (event.key in KEYS) this.step(KEYS[event.key]);
    else if (event.key === "Home") this.#show(0);
    else if (event.key === "m") this.stack.classList.toggle("bare");
    else if (event.key === "o") this.samples.toggleOutlines();
    else if (event.key === "b") this.samples.toggleBoxes();
    else return;
    event.preventDefault();
  }
}

/** How many objects there are of each class, in words; none where the set has no boxes. */
function counted(objects) {
  const counts = new Map();
  for (const { name } of objects ?? []) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts].map(([name, count]) => `${count} ${name}`).join(", ");
}
