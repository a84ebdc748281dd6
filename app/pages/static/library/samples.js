// Samples of a data set as a grid: the mask's colours over each image, by class, as strong as wanted, or as outlines.
// Pixels of the mask's picture have the colours of their classes, so that the legend decides in the browser.
// Boxes of objects are drawn over the image, those of the classes that are ticked.
import { API, call } from "../frame/api.js";
import { Viewer } from "./viewer.js";

const PAGE = 24;
const LETTERS = 45; // heights of a letter in the longer side of an image

export class Samples {
  constructor(section, id) {
    this.id = id;
    this.isLayered = section.dataset.task === "multiclass";
    this.isLabelled = section.dataset.task === "labels";
    this.hasBoxes = "boxes" in section.dataset;
    this.grid = document.getElementById("grid");
    this.more = document.getElementById("more");
    this.cursor = null;
    this.items = [];
    this.generation = 0;
    this.viewer = new Viewer(document.getElementById("viewer"), this);
    const [split, of, opacity, outline, boxes] = ["s-split", "s-class", "s-opacity", "s-outline", "s-boxes"].map((name) => document.getElementById(name));
    Object.assign(this, { split, of, opacity, outline, boxes, legend: document.getElementById("legend") });
    for (const one of [split, of]) one.addEventListener("change", () => this.begin());
    for (const one of [opacity, outline, boxes, this.legend]) one?.addEventListener("input", () => this.paintAll());
    this.more.addEventListener("click", () => this.load());
    this.begin();
  }

  begin() {
    this.cursor = null;
    this.generation += 1;
    this.load();
  }

  async load() {
    const query = new URLSearchParams({ limit: PAGE }), generation = this.generation;
    if (this.cursor) query.set("cursor", this.cursor);
    if (this.split.value) query.set("split", this.split.value);
    if (this.of.value) query.set("class", this.of.value);
    const { items, next_cursor } = await call("GET", `/datasets/${this.id}/samples?${query}`);
    if (generation !== this.generation) return;
    if (!this.cursor) {
      this.items = [];
      this.grid.replaceChildren();
    }
    const first = this.items.length;
    this.items.push(...items);
    this.grid.append(...items.map((item, place) => this.figure(item, first + place)));
    this.cursor = next_cursor;
    this.more.hidden = next_cursor === null;
  }

  get hasMore() {
    return !this.more.hidden;
  }

  async loadMore() {
    if (this.hasMore) await this.load();
  }

  toggleOutlines() {
    if (!this.isLayered) return;
    this.outline.checked = !this.outline.checked;
    this.paintAll();
  }

  toggleBoxes() {
    if (!this.hasBoxes) return;
    this.boxes.checked = !this.boxes.checked;
    this.paintAll();
  }

  /** Puts the focus on the sample of that place in the grid. */
  focus(place) {
    this.grid.children[place]?.querySelector("button").focus();
  }

  figure(item, number) {
    const place = document.createElement("li");
    place.innerHTML = `<figure><button type="button" class="stack"></button><figcaption class="small"><bdi class="text-break"></bdi> <span class="text-body-secondary"></span></figcaption></figure>`;
    place.querySelector("bdi").textContent = item.name;
    const objects = this.hasBoxes ? `${item.objects.length} object${item.objects.length === 1 ? "" : "s"} · ` : "";
    const said = this.isLabelled ? `${item.classes.join(", ") || "no class"} · ` : objects;
    place.querySelector("span").textContent = `${said}${item.split}, ${item.width}×${item.height}`;
    const button = place.querySelector("button");
    button.append(...this.pictures(item));
    button.addEventListener("click", () => this.viewer.open(number));
    return place;
  }

  /** The picture of a sample, and its boxes over it where it has such. */
  pictures(item) {
    const image = this.image(item);
    return this.hasBoxes ? [image, this.drawing(item)] : [image];
  }

  /** The boxes of a sample, large ones first, in the coordinates of its image; names show where it is seen large. */
  drawing(item) {
    const drawing = drawn("svg", { viewBox: `0 0 ${item.width} ${item.height}`, preserveAspectRatio: "none", "aria-hidden": "true", class: "boxes" });
    const letter = Math.max(item.width, item.height) / LETTERS;
    const byArea = [...item.objects].sort((one, other) => area(other) - area(one));
    for (const { box, name, color, crowd } of byArea) {
      const [left, top, right, bottom] = box;
      const shape = drawn("rect", { x: left, y: top, width: right - left, height: bottom - top, stroke: `rgb(${color})`, "data-name": name });
      if (crowd) shape.setAttribute("stroke-dasharray", "6 4");
      const text = { x: left, y: Math.max(top - letter / 4, letter), "font-size": letter, fill: `rgb(${color})`, "data-name": name };
      drawing.append(shape, drawn("text", text, crowd ? `${name}, several` : name));
    }
    this.showBoxes(drawing);
    return drawing;
  }

  showBoxes(drawing) {
    const ticked = new Set([...this.legend.querySelectorAll("input:checked")].map((one) => one.dataset.name));
    drawing.classList.toggle("bare", !this.boxes.checked);
    for (const shape of drawing.children) shape.classList.toggle("bare", !ticked.has(shape.dataset.name));
  }

  /** The picture of a sample; its mask comes behind it once it is loaded. */
  image(item) {
    const image = document.createElement("img"), address = `${API}/datasets/${this.id}/samples/${item.index}.png`;
    image.loading = "lazy";
    [image.width, image.height] = [item.width, item.height]; // so that its place is kept until it comes
    image.alt = `Sample ${item.index}: ${item.classes.join(", ") || "no class"}`;
    image.src = this.isLayered || this.isLabelled || this.hasBoxes ? `${address}?layer=image` : address;
    if (this.isLayered) image.addEventListener("load", () => this.addMask(image, `${address}?layer=mask`));
    return image;
  }

  addMask(image, address) {
    const mask = new Image();
    mask.addEventListener("load", () => {
      const canvas = document.createElement("canvas");
      canvas.width = mask.naturalWidth;
      canvas.height = mask.naturalHeight;
      const context = canvas.getContext("2d", { willReadFrequently: true });
      context.drawImage(mask, 0, 0);
      canvas.source = context.getImageData(0, 0, canvas.width, canvas.height);
      canvas.setAttribute("aria-hidden", "true");
      image.after(canvas);
      this.paint(canvas, this.shown());
    });
    mask.src = address;
  }

  /** The colours of the classes that are ticked, as numbers. */
  shown() {
    const ticked = [...this.legend.querySelectorAll("input:checked")];
    return new Set(ticked.map((box) => key(...box.dataset.color.split(",").map(Number))));
  }

  paintAll() {
    for (const drawing of document.querySelectorAll(".stack svg.boxes")) this.showBoxes(drawing);
    if (!this.isLayered) return;
    const shown = this.shown();
    for (const canvas of document.querySelectorAll(".stack canvas")) this.paint(canvas, shown);
  }

  paint(canvas, shown) {
    const { data: from, width, height } = canvas.source, made = new ImageData(width, height), to = made.data;
    const strength = this.outline.checked ? 255 : Math.round(255 * this.opacity.value);
    for (let place = 0; place < from.length; place += 4) {
      if (!shown.has(key(from[place], from[place + 1], from[place + 2]))) continue;
      const isEdge = differs(from, place, 4) || differs(from, place, -4) || differs(from, place, 4 * width) || differs(from, place, -4 * width);
      if (this.outline.checked && !isEdge) continue;
      to[place] = from[place];
      to[place + 1] = from[place + 1];
      to[place + 2] = from[place + 2];
      to[place + 3] = isEdge && strength ? 255 : strength;
    }
    canvas.getContext("2d").putImageData(made, 0, 0);
  }
}

function drawn(name, attributes, words = "") {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.textContent = words;
  return element;
}

function area({ box: [left, top, right, bottom] }) {
  return (right - left) * (bottom - top);
}

function key(red, green, blue) {
  return (red << 16) | (green << 8) | blue;
}

function differs(pixels, place, step) {
  const other = place + step;
  if (other < 0 || other >= pixels.length) return false;
  return pixels[place] !== pixels[other] || pixels[place + 1] !== pixels[other + 1] || pixels[place + 2] !== pixels[other + 2];
}
