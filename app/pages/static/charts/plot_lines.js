// Curves on a canvas: only points that can be told apart on the screen are drawn, gaps stay gaps.

const FLAT_PX = 0.25;
const SYMBOL_PX = 3;
export const STAMP_PX = 9, APART_PX = 70;
/** How large a symbol is, and how far it is to the next one. */
/** Shapes that tell curves apart besides their colours, as corners around (0, 0); no corners are a circle. */
export const SYMBOLS = [
  [],
  [[-1, -1], [1, -1], [1, 1], [-1, 1]],
  [[0, -1.3], [1.3, 0], [0, 1.3], [-1.3, 0]],
  [[0, -1.2], [1.2, 0.9], [-1.2, 0.9]],
  [[0, 1.2], [1.2, -0.9], [-1.2, -0.9]],
  [[-1.2, 0], [0.9, -1.2], [0.9, 1.2]],
  [[-0.4, -1.2], [0.4, -1.2], [0.4, -0.4], [1.2, -0.4], [1.2, 0.4], [0.4, 0.4], [0.4, 1.2], [-0.4, 1.2], [-0.4, 0.4], [-1.2, 0.4], [-1.2, -0.4], [-0.4, -0.4]],
];

/** Draws one curve, `thick` pixels wide; `x` and `y` are axes. */
export function drawLine(context, line, x, y, thick) {
  const points = line.xs.length;
  context.strokeStyle = context.fillStyle = line.color;
  context.globalAlpha = line.isFaint ? 0.25 : 1;
  context.lineWidth = line.isFaint ? 1 : thick;
  context.setLineDash(line.isDotted ? [2, 3] : []);
  context.beginPath();
  const path = new Path(context);
  for (let n = 0; n < points; n++) {
    const value = line.ys[n];
    if (value === null || !Number.isFinite(value) || (y.isLog && value <= 0)) path.gap();
    else path.to(x.place(line.xs[n]), y.place(value));
  }
  path.gap();
  context.stroke();
  context.setLineDash([]);
  if (!line.isFaint) drawSymbols(context, line, x, y);
  context.globalAlpha = 1;
}

/** Leaves out points on the way: those that lie on the line between what is before and after them. */
class Path {
  constructor(context) {
    this.context = context;
    this.n = 0;
  }

  to(x, y) {
    if (this.n === 0) this.context.moveTo(x, y);
    else if (this.n > 1 && !this.#isOnTheWay(x, y)) this.#fix();
    if (this.n === 0) [this.fixedX, this.fixedY] = [x, y];
    [this.lastX, this.lastY] = [x, y];
    this.n += 1;
  }

  gap() {
    if (this.n === 1) this.context.lineTo(this.lastX + 0.01, this.lastY); // a point alone is a dot
    else if (this.n > 1) this.context.lineTo(this.lastX, this.lastY);
    this.n = 0;
  }

  #isOnTheWay(x, y) {
    const part = (this.lastX - this.fixedX) / (x - this.fixedX || 1);
    if (part < 0 || part > 1) return false;
    return this.n < 12 && Math.abs(this.fixedY + part * (y - this.fixedY) - this.lastY) < FLAT_PX;
  }

  #fix() {
    this.context.lineTo(this.lastX, this.lastY);
    [this.fixedX, this.fixedY, this.n] = [this.lastX, this.lastY, 1];
  }
}

/** Symbols on every point where there are few, else some way apart. */
function drawSymbols(context, line, x, y) {
  if (line.symbol === null) return;
  const stamp = stampOf(line.color, line.symbol), isFew = line.xs.length < 60;
  let next = isFew ? -Infinity : x.start + APART_PX * (0.2 + (line.symbol % 5) / 6);
  for (let n = 0; n < line.xs.length; n++) {
    const value = line.ys[n], across = x.place(line.xs[n]);
    if (across < next || value === null || !Number.isFinite(value) || (y.isLog && value <= 0)) continue;
    next = across + (isFew ? 6 : APART_PX);
    context.drawImage(stamp, across - STAMP_PX / 2, y.place(value) - STAMP_PX / 2, STAMP_PX, STAMP_PX);
  }
}

const stamps = new Map();

/** A symbol as a picture: to copy it is quicker than to fill its shape each time. There are more curves than symbols. */
export function stampOf(color, number) {
  const symbol = number % SYMBOLS.length, ratio = devicePixelRatio || 1, key = `${color} ${symbol} ${ratio}`, known = stamps.get(key);
  if (known) return known;
  const stamp = document.createElement("canvas"), context = stamp.getContext("2d");
  stamp.width = stamp.height = Math.ceil(STAMP_PX * ratio);
  context.setTransform(ratio * SYMBOL_PX, 0, 0, ratio * SYMBOL_PX, stamp.width / 2, stamp.height / 2);
  context.fillStyle = color;
  if (SYMBOLS[symbol].length) for (const corner of SYMBOLS[symbol]) context.lineTo(...corner);
  else context.arc(0, 0, 0.9, 0, 7);
  context.fill();
  stamps.set(key, stamp);
  return stamp;
}
