// A chart on a canvas: axes, curves, marks, legend. It draws thousands of points within a frame, also without a GPU.
import { axis, label, ticks } from "./plot_axes.js";
import { drawLine } from "./plot_lines.js";
import { PixelLines } from "./plot_pixels.js";
import { listen } from "./plot_pointer.js";

const LEFT = 52, RIGHT = 12, TOP = 10, BOTTOM = 34;
const THICK_PX = 1.75, THIN_PX = 1;
const AIR = 0.05;
/** Of the height, above and below the curves. */
const MANY = 12;
/** From so many lines on they are thin, and drawn pixel by pixel. */
const SAME = 1e-5;
/** Of a value, by which it differs from another that is taken for the same. */

export class Plot {
  /** In `place`; `onZoom` is told what a reader wants to see along x: [from, to], or null for all. */
  constructor(place, onZoom) {
    this.place = place;
    this.onZoom = onZoom;
    this.hidden = new Set();
    this.legend = element("div", "plot-legend", place);
    this.field = element("div", "plot-field", place);
    [this.below, this.canvas, this.above] = [0, 1, 2].map(() => element("canvas", "", this.field));
    for (const canvas of [this.below, this.canvas, this.above]) canvas.setAttribute("aria-hidden", "true");
    this.drawn = null;
    this.tip = element("div", "plot-tip border rounded shadow-sm bg-body small", this.field);
    this.tip.setAttribute("role", "status");
    this.tip.hidden = true;
    this.view = null;
    listen(this);
    new ResizeObserver(() => { if (this.view) this.draw(); }).observe(this.field);
  }

  /** Shows a view: {lines: {name, xs, ys, color, symbol, isDotted, isFaint}[], xTitle, isWhole, isLog, zoom, marks: {x, words}[], isOfOne, version}. A name is in the legend where the lines are of one run; the version grows with the data. */
  show(view) {
    this.view = view;
    this.#showLegend();
    this.draw();
  }

  /** Lines that a reader has not switched off in the legend. */
  get lines() {
    return this.view.lines.filter((line) => !this.hidden.has(line.name));
  }

  draw() {
    const { clientWidth: width, clientHeight: height } = this.field;
    if (!width || !height) return;
    this.#setAxes(width, height);
    this.#drawBelow(width, height);
    this.#drawLines(this.fitted(this.canvas, width, height), false, width, height);
    this.canvas.dataset.drawn = Number(this.canvas.dataset.drawn ?? 0) + 1;
  }

  /** What stays as it is while a reader moves the smoothing: grid, marks, raw lines. */
  #drawBelow(width, height) {
    const style = getComputedStyle(document.body), color = (name) => style.getPropertyValue(`--bs-${name}`);
    const ink = color("body-color"), { x, y, view } = this, raw = view.lines.filter((line) => line.isFaint).length;
    const key = JSON.stringify([width, height, devicePixelRatio, x, y, ink, raw, view.version, view.marks, view.xTitle, [...this.hidden]]);
    if (key === this.drawn) return;
    this.drawn = key;
    const context = this.fitted(this.below, width, height);
    context.font = `11px ${style.fontFamily}`;
    this.#drawGrid(context, ink, color("border-color"), width, height);
    this.#drawMarks(context, color("secondary-color"), width, height);
    this.#drawLines(context, true, width, height);
  }

  #drawLines(context, isFaint, width, height) {
    const lines = this.lines.filter((line) => line.isFaint === isFaint);
    if (this.lines.length > MANY) return this.#drawPixels(context, lines);
    context.save();
    context.beginPath();
    context.rect(LEFT, TOP - 4, width - LEFT - RIGHT, height - TOP - BOTTOM + 8);
    context.clip();
    for (const line of lines) drawLine(context, line, this.x, this.y, THICK_PX);
    context.restore();
  }

  #drawPixels(context, lines) {
    if (!lines.length) return;
    const ratio = devicePixelRatio || 1;
    if (!this.pixels?.fits(this.x, this.y, ratio)) this.pixels = new PixelLines(this.x, this.y, ratio);
    this.pixels.clear(this.x, this.y);
    for (const line of lines) this.pixels.add(line, THIN_PX);
    if (context.canvas === this.canvas) this.pixels.put(context);
    else this.pixels.lay(context);
  }

  /** The canvas' context, cleared, in CSS pixels. */
  fitted(canvas, width, height) {
    const ratio = devicePixelRatio || 1, [wide, high] = [Math.round(width * ratio), Math.round(height * ratio)];
    if (canvas.width !== wide || canvas.height !== high) Object.assign(canvas, { width: wide, height: high });
    const context = canvas.getContext("2d");
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    return context;
  }

  #setAxes(width, height) {
    const { isLog, zoom } = this.view;
    // Averages lie between the lowest and the highest of what they are of, but for what is left of a stretch that is shown.
    const raw = zoom ? [] : this.lines.filter((line) => line.isFaint), lines = raw.length ? raw : this.lines;
    let from = Infinity, to = -Infinity;
    for (const { xs } of lines) if (xs.length) { from = Math.min(from, xs[0]); to = Math.max(to, xs.at(-1)); }
    if (from > to) [from, to] = [0, 1];
    if (from === to) [from, to] = [from - 0.5, to + 0.5];
    if (zoom) [from, to] = zoom;
    const [low, high] = heights(lines, from, to, isLog);
    this.x = axis(false, from, to, LEFT, width - RIGHT);
    this.y = axis(isLog, low, high, height - BOTTOM, TOP);
  }

  #drawGrid(context, ink, grid, width, height) {
    context.strokeStyle = grid;
    context.fillStyle = ink;
    context.lineWidth = 1;
    context.textAlign = "right";
    context.textBaseline = "middle";
    context.beginPath();
    for (const value of ticks(this.y, 42)) {
      const down = Math.round(this.y.place(value)) + 0.5;
      context.moveTo(LEFT, down);
      context.lineTo(width - RIGHT, down);
      context.fillText(label(value), LEFT - 6, down);
    }
    context.textAlign = "center";
    context.textBaseline = "top";
    for (const value of ticks(this.x, 64, this.view.isWhole)) {
      const across = Math.round(this.x.place(value)) + 0.5;
      context.moveTo(across, TOP);
      context.lineTo(across, height - BOTTOM);
      context.fillText(label(value), across, height - BOTTOM + 5);
    }
    context.stroke();
    context.fillText(this.view.xTitle, (LEFT + width - RIGHT) / 2, height - 14);
  }

  #drawMarks(context, color, width, height) {
    context.strokeStyle = context.fillStyle = color;
    context.setLineDash([4, 3]);
    context.textAlign = "left";
    context.textBaseline = "top";
    this.view.marks.forEach((mark, place) => {
      const across = this.x.place(mark.x);
      if (across < LEFT || across > width - RIGHT) return;
      context.beginPath();
      context.moveTo(across, TOP);
      context.lineTo(across, height - BOTTOM);
      context.stroke();
      context.fillText(mark.words, across + 3, TOP + 12 * (place % 3));
    });
    context.setLineDash([]);
  }

  #showLegend() {
    const named = this.view.isOfOne ? this.view.lines.filter((line) => !line.isFaint) : [];
    const known = named.map((line) => `${line.name} ${line.color}`).join("\n");
    if (known === this.known) return;
    this.known = known;
    this.legend.replaceChildren(...named.map((line) => this.#key(line)));
  }

  #key(line) {
    const key = element("button", "plot-key");
    key.type = "button";
    key.setAttribute("aria-pressed", String(!this.hidden.has(line.name)));
    const sign = element("span", line.isDotted ? "plot-sign dotted" : "plot-sign", key);
    sign.style.borderColor = line.color;
    const words = element("bdi", "", key);
    words.textContent = line.name;
    key.addEventListener("click", () => {
      if (!this.hidden.delete(line.name)) this.hidden.add(line.name);
      key.setAttribute("aria-pressed", String(!this.hidden.has(line.name)));
      this.draw();
    });
    return key;
  }
}

/** The lowest and highest value to be shown between two places along x, with some air. */
function heights(lines, from, to, isLog) {
  let low = Infinity, high = -Infinity;
  for (const { xs, ys } of lines) {
    for (let n = 0; n < xs.length; n++) {
      const value = ys[n];
      if (value === null || !Number.isFinite(value) || xs[n] < from || xs[n] > to || (isLog && value <= 0)) continue;
      if (value < low) low = value;
      if (value > high) high = value;
    }
  }
  if (low > high) return isLog ? [0.1, 1] : [0, 1];
  if (high - low < SAME * Math.abs(high)) high = low; // an axis has no digits to tell such values apart
  if (isLog) { const air = (high / low) ** AIR || 1; return low === high ? [low / 2, high * 2] : [low / air, high * air]; }
  const air = (high - low) * AIR || Math.abs(high) * AIR || 1;
  return [low - air, high + air];
}

function element(name, classes, within) {
  const made = Object.assign(document.createElement(name), { className: classes });
  within?.append(made);
  return made;
}
