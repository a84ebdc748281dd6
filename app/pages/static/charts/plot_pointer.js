// What a reader does on a chart. By pointer: values where it is, a stretch drawn out to zoom in, with Shift to move, two clicks for all.
// By keys: arrows from value to value, + and - to zoom, 0 or Escape for all.
import { label } from "./plot_axes.js";

const NEAR_PX = 40, DRAG_PX = 5;
const KEYS = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10 };

/** Lets a Plot be used. */
export function listen(plot) {
  const { field } = plot;
  let begun = null, cursor = null;
  const across = (event) => event.clientX - field.getBoundingClientRect().left;

  field.addEventListener("pointerdown", (event) => {
    if (!plot.view || event.button) return;
    begun = { at: across(event), x: plot.x, isMove: event.shiftKey };
    field.setPointerCapture(event.pointerId);
  });
  field.addEventListener("pointermove", (event) => {
    if (!plot.view) return;
    if (begun?.isMove) return move(plot, begun, across(event));
    if (begun && Math.abs(across(event) - begun.at) > DRAG_PX) return drawStretch(plot, begun.at, across(event));
    cursor = { across: across(event), down: event.clientY - field.getBoundingClientRect().top };
    tell(plot, cursor);
  });
  field.addEventListener("pointerup", (event) => {
    const from = begun, to = across(event);
    begun = null;
    if (from && !from.isMove && Math.abs(to - from.at) > DRAG_PX) zoomTo(plot, plot.x.value(from.at), plot.x.value(to));
    quiet(plot);
  });
  field.addEventListener("pointercancel", () => { begun = null; quiet(plot); });
  field.addEventListener("pointerleave", () => { if (!begun) quiet(plot); });
  field.addEventListener("dblclick", () => plot.onZoom(null));

  plot.place.tabIndex = 0;
  plot.place.addEventListener("blur", () => quiet(plot));
  plot.place.addEventListener("keydown", (event) => {
    if (!plot.view || event.target !== plot.place || event.ctrlKey || event.metaKey || event.altKey) return;
    const { x } = plot, middle = cursor?.value ?? (x.from + x.to) / 2;
    if (event.key in KEYS) cursor = step(plot, cursor, KEYS[event.key]);
    else if (event.key === "+" || event.key === "=") zoomAbout(plot, middle, 0.5);
    else if (event.key === "-") zoomAbout(plot, middle, 2);
    else if (event.key === "0" || event.key === "Escape") plot.onZoom(null);
    else return;
    event.preventDefault();
  });
}

function zoomAbout({ x, onZoom }, middle, factor) {
  onZoom([middle - (middle - x.from) * factor, middle + (x.to - middle) * factor]);
}

function zoomTo(plot, one, other) {
  plot.onZoom([Math.min(one, other), Math.max(one, other)]);
}

function move(plot, { at, x }, now) {
  const by = x.value(at) - x.value(now);
  plot.onZoom([x.from + by, x.to + by]);
}

/** Goes from the value where the cursor is to another one, and tells it; the new cursor. */
function step(plot, cursor, by) {
  const { x } = plot, all = [...new Set(plot.lines.flatMap((line) => [...line.xs]))].filter((one) => one >= x.from && one <= x.to).sort((one, other) => one - other);
  if (!all.length) return cursor;
  const begin = cursor?.value ?? (by > 0 ? -Infinity : Infinity);
  const place = by > 0 ? all.findIndex((one) => one > begin) : all.findLastIndex((one) => one < begin);
  const found = place < 0 ? (by > 0 ? all.length - 1 : 0) : place + by - Math.sign(by);
  const value = all[Math.max(0, Math.min(all.length - 1, found))];
  const moved = { value, across: x.place(value), down: null };
  tell(plot, moved);
  return moved;
}

function quiet(plot) {
  plot.tip.hidden = true;
  plot.fitted(plot.above, plot.field.clientWidth, plot.field.clientHeight);
}

function drawStretch(plot, from, to) {
  const context = plot.fitted(plot.above, plot.field.clientWidth, plot.field.clientHeight);
  context.fillStyle = getComputedStyle(document.body).getPropertyValue("--bs-primary");
  context.globalAlpha = 0.15;
  context.fillRect(Math.min(from, to), plot.y.end, Math.abs(to - from), plot.y.start - plot.y.end);
  context.globalAlpha = 1;
  plot.tip.hidden = true;
}

/** Tells the values at the cursor: of all lines of one run, else of the line that is nearest. */
function tell(plot, cursor) {
  const { isOfOne } = plot.view, lines = plot.lines.filter((line) => !line.isFaint && line.xs.length);
  const points = lines.map((line) => point(plot, line, cursor)).filter((one) => one !== null);
  if (!points.length) return quiet(plot);
  const nearest = points.reduce((best, one) => (one.distance < best.distance ? one : best));
  if (!isOfOne && cursor.down !== null && nearest.distance > NEAR_PX) return quiet(plot);
  const told = isOfOne || cursor.down === null ? points.filter((one) => one.x === nearest.x) : [nearest];
  cursor.value = nearest.x;
  const context = plot.fitted(plot.above, plot.field.clientWidth, plot.field.clientHeight);
  for (const one of told) {
    context.fillStyle = one.line.color;
    context.beginPath();
    context.arc(one.across, one.down, 4, 0, 7);
    context.fill();
  }
  const rows = told.map((one) => {
    const row = document.createElement("div"), name = document.createElement("bdi");
    name.textContent = one.line.name;
    row.append(name, ` ${label(+one.value.toPrecision(4))}`);
    row.style.borderLeft = `3px solid ${one.line.color}`;
    row.className = "ps-1";
    return row;
  });
  const heading = document.createElement("div");
  heading.textContent = `${plot.view.xTitle} ${label(+nearest.x.toPrecision(5))}`;
  plot.tip.replaceChildren(heading, ...rows);
  plot.tip.hidden = false;
  const isLeft = nearest.across < plot.field.clientWidth / 2;
  plot.tip.style.left = isLeft ? `${nearest.across + 12}px` : "auto";
  plot.tip.style.right = isLeft ? "auto" : `${plot.field.clientWidth - nearest.across + 12}px`;
}

/** The point of a line that is nearest to the cursor along x. */
function point(plot, line, cursor) {
  const wanted = cursor.down === null ? cursor.value : plot.x.value(cursor.across);
  let low = 0, high = line.xs.length - 1;
  while (low < high) { const middle = (low + high) >> 1; if (line.xs[middle] < wanted) low = middle + 1; else high = middle; }
  if (low > 0 && wanted - line.xs[low - 1] < line.xs[low] - wanted) low -= 1;
  const value = line.ys[low];
  if (value === null || !Number.isFinite(value) || (plot.y.isLog && value <= 0)) return null;
  const across = plot.x.place(line.xs[low]), down = plot.y.place(value);
  const distance = plot.view.isOfOne || cursor.down === null ? Math.abs(across - cursor.across) : Math.hypot(across - cursor.across, down - cursor.down);
  return { line, x: line.xs[low], value, across, down, distance };
}
