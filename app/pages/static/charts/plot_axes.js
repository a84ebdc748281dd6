// Axes of a chart: where values lie in pixels, and at which values there are ticks.

const TENTH = [1, 2, 5, 10];
const UP = "⁰¹²³⁴⁵⁶⁷⁸⁹";

/** An axis over the values `from` to `to`, drawn from `start` to `end` (pixels): `place` and `value` lead there and back. */
export function axis(isLog, from, to, start, end) {
  const on = isLog ? Math.log10 : (value) => value, back = isLog ? (value) => 10 ** value : (value) => value;
  const low = on(from), span = (on(to) - low) || 1, room = end - start, slope = room / span;
  return {
    isLog, from, to, start, end, slope, origin: start - low * slope, // a place is origin + slope times the value, or its logarithm
    place: (value) => start + ((on(value) - low) / span) * room,
    value: (pixel) => back(low + ((pixel - start) / room) * span),
  };
}

/** Values at which an axis has ticks, about one for every `each` pixels; whole numbers alone where `isWhole`. */
export function ticks({ isLog, from, to, start, end }, each, isWhole = false) {
  const most = Math.max(2, Math.floor(Math.abs(end - start) / each));
  if (isLog && to / from >= 10) {
    const found = decades(from, to, [1]), finer = decades(from, to, [1, 2, 5]);
    const thinned = found.filter((_, place) => place % Math.ceil(found.length / most) === 0);
    return finer.length <= most ? finer : thinned;
  }
  const rough = (to - from) / most || 1, power = 10 ** Math.floor(Math.log10(rough));
  const step = Math.max(isWhole ? 1 : 0, power * TENTH.find((one) => one * power >= rough * 0.999));
  const first = Math.ceil(from / step - 1e-9), n = Math.floor(to / step + 1e-9) - first;
  return Array.from({ length: Math.max(0, n) + 1 }, (_, place) => +((first + place) * step).toPrecision(12));
}

function decades(from, to, within) {
  const found = [];
  for (let power = Math.floor(Math.log10(from)); power <= Math.ceil(Math.log10(to)); power++) {
    for (const one of within) {
      const value = one * 10 ** power;
      if (value >= from * 0.999999 && value <= to * 1.000001) found.push(value);
    }
  }
  return found;
}

/** A value as a tick is labelled: 0.25, 1500, 2×10⁻⁵. */
export function label(value) {
  const size = Math.abs(value);
  if (value === 0 || (size >= 1e-3 && size < 1e5)) return String(+value.toPrecision(6));
  const [head, power] = value.toExponential().split("e");
  const digits = [...String(Math.abs(power))].map((digit) => UP[digit]).join("");
  return `${head === "1" ? "" : `${+(+head).toPrecision(4)}×`}10${power < 0 ? "⁻" : ""}${digits}`;
}
