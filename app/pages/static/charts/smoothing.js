// The exponential moving average without the bias of its beginning.

/** Values smoothed by a weight in [0, 1), NaN in gaps, which weigh nothing. On a logarithmic axis logarithms are averaged. */
export function smoothed(values, weight, isLog) {
  const found = new Float64Array(values.length);
  let sum = 0, rest = 1;
  for (let n = 0; n < values.length; n++) {
    const value = values[n], given = value === null ? NaN : isLog ? (value > 0 ? Math.log(value) : NaN) : value;
    if (!Number.isFinite(given)) { found[n] = NaN; continue; }
    sum = weight * sum + (1 - weight) * given;
    rest *= weight;
    found[n] = isLog ? Math.exp(sum / (1 - rest)) : sum / (1 - rest);
  }
  return found;
}
