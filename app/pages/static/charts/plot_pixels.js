// Many curves as pixels of our own: in each column of the screen a curve is the stretch between its lowest and its highest
// point there. That keeps extremes, costs the same however many points there are, and without a GPU takes a fraction of what
// the same curves take as paths of a canvas.
import { APART_PX, STAMP_PX, stampOf } from "./plot_lines.js";

const DOT_PX = 2, DOTS_APART_PX = 5;

export class PixelLines {
  /** Draws within the axes `x` and `y`, whose places are CSS pixels; `ratio` is the screen's pixels for one. */
  constructor(x, y, ratio) {
    Object.assign(this, { x, y, ratio });
    [this.left, this.top] = [Math.floor(x.start * ratio), Math.floor((y.end - 4) * ratio)];
    this.width = Math.ceil(x.end * ratio) - this.left;
    this.height = Math.ceil((y.start + 4) * ratio) - this.top;
    this.image = new ImageData(this.width, this.height);
    this.words = new Uint32Array(this.image.data.buffer);
    [this.low, this.high] = [new Float32Array(this.width), new Float32Array(this.width)];
  }

  /** Whether it still fits axes and screen. */
  fits(x, y, ratio) {
    return this.ratio === ratio && this.x.start === x.start && this.x.end === x.end && this.y.start === y.start && this.y.end === y.end;
  }

  /** Begins a picture. */
  clear(x, y) {
    Object.assign(this, { x, y });
    this.words.fill(0);
  }

  /** Adds a curve, `thick` CSS pixels wide, and its symbols. */
  add(line, thick) {
    const { low, high, width, height, words } = this, color = colorOf(line.color), strength = line.isFaint ? 64 : 255;
    const half = (thick * this.ratio) / 2, apart = line.isDotted ? DOTS_APART_PX * this.ratio : 1, on = line.isDotted ? DOT_PX * this.ratio : 1;
    const begin = Math.round((line.symbol ?? 0) * DOT_PX * this.ratio); // or dots of all curves would be in the same columns
    this.#spread(line.xs, line.ys);
    for (let column = 0; column < width; column++) {
      if (low[column] > high[column] || (column + begin) % apart >= on) continue;
      const from = Math.max(0, low[column] - half), to = Math.min(height, high[column] + half), last = Math.ceil(to) - 1;
      for (let row = Math.floor(from); row <= last; row++) {
        const covered = (row + 1 < to ? row + 1 : to) - (row > from ? row : from); // pixels at the ends are covered in part
        mix(words, row * width + column, color, covered * strength);
      }
    }
    if (!line.isFaint && line.symbol !== null) this.#stamp(line, color);
  }

  /** Puts the picture onto an empty canvas. */
  put(context) {
    context.putImageData(this.image, this.left, this.top);
  }

  /** Lays it over what a canvas has already, which takes longer. */
  lay(context) {
    const sheet = Object.assign(document.createElement("canvas"), { width: this.width, height: this.height });
    sheet.getContext("2d").putImageData(this.image, 0, 0);
    context.drawImage(sheet, this.left / this.ratio, this.top / this.ratio, this.width / this.ratio, this.height / this.ratio);
  }

  /** The stretch of the curve in each column, in pixels of this picture; a gap has none. */
  #spread(xs, ys) {
    const { low, high, ratio, width } = this, { isLog } = this.y;
    low.fill(Infinity);
    high.fill(-Infinity);
    const across = this.x.slope * ratio, acrossFrom = this.x.origin * ratio - this.left;
    const down = this.y.slope * ratio, downFrom = this.y.origin * ratio - this.top;
    let fromX = NaN, fromY = NaN;
    for (let n = 0; n < xs.length; n++) {
      const value = ys[n];
      if (value === null || value !== value || (isLog && value <= 0)) { fromX = NaN; continue; }
      const toX = acrossFrom + across * xs[n], toY = downFrom + down * (isLog ? Math.log10(value) : value);
      if (toX >= 0 && toX < width) widen(low, high, toX | 0, toY);
      if (toX > fromX && toX > 0 && fromX < width) {
        // Where it passes from one column into the next it belongs to both.
        const steep = (toY - fromY) / (toX - fromX), last = Math.min(width, Math.floor(toX));
        for (let edge = Math.max(0, Math.floor(fromX) + 1); edge <= last; edge++) {
          const there = fromY + steep * (edge - fromX);
          if (edge > 0) widen(low, high, edge - 1, there);
          if (edge < width) widen(low, high, edge, there);
        }
      }
      fromX = toX;
      fromY = toY;
    }
  }

  #stamp(line, color) {
    const { ratio, width, height, words } = this, { isLog } = this.y, stamp = stampedPixels(line.color, line.symbol), half = stamp.width / 2;
    let next = (this.x.start + APART_PX * (0.2 + (line.symbol % 5) / 6)) * ratio - this.left;
    const across = this.x.slope * ratio, acrossFrom = this.x.origin * ratio - this.left;
    for (let n = 0; n < line.xs.length; n++) {
      const middle = acrossFrom + across * line.xs[n];
      if (middle < next) continue;
      if (middle >= width) break;
      const value = line.ys[n];
      if (value === null || value !== value || (isLog && value <= 0)) continue;
      next = middle + APART_PX * ratio;
      const left = Math.round(middle - half), top = Math.round(this.y.place(value) * ratio - this.top - half);
      for (let row = Math.max(0, -top); row < stamp.height && top + row < height; row++) {
        for (let column = Math.max(0, -left); column < stamp.width && left + column < width; column++) {
          const strength = stamp.data[4 * (row * stamp.width + column) + 3];
          if (strength) mix(words, (top + row) * width + left + column, color, strength);
        }
      }
    }
  }
}

function widen(low, high, column, value) {
  if (value < low[column]) low[column] = value;
  if (value > high[column]) high[column] = value;
}

/** Lays a colour over a pixel, 0 to 255 strong. A pixel is a number of alpha, blue, green and red, from its highest byte on. */
function mix(words, place, color, strength) {
  const under = words[place] >>> 24;
  if (strength > 254) { words[place] = 0xff000000 | color; return; }
  if (under === 0) { words[place] = (strength << 24) | color; return; }
  const rest = (under * (255 - strength)) / 255, all = strength + rest, own = strength / all, other = rest / all, before = words[place];
  const blue = ((color >> 16) & 255) * own + ((before >> 16) & 255) * other, green = ((color >> 8) & 255) * own + ((before >> 8) & 255) * other;
  words[place] = (all << 24) | (blue << 16) | (green << 8) | ((color & 255) * own + (before & 255) * other);
}

const known = new Map();

function stampedPixels(color, symbol) {
  const stamp = stampOf(color, symbol);
  if (!known.has(stamp)) known.set(stamp, stamp.getContext("2d").getImageData(0, 0, stamp.width, stamp.height));
  return known.get(stamp);
}

/** Of #rrggbb, as pixels have it. */
function colorOf(text) {
  const number = parseInt(text.slice(1), 16);
  return ((number & 255) << 16) | (number & 0xff00) | (number >> 16);
}
