// The exponential moving average without the bias of its beginning.

/** Values smoothed by a weight in [0, 1); gaps stay gaps and weigh nothing. On a logarithmic axis logarithms are averaged. */
export function smoothed(values, weight, isLog) {
  let sum = 0, n = 0;
  return values.map((value) => {
    const given = isLog && value !== null ? (value > 0 ? Math.log(value) : null) : value;
    if (given === null || !Number.isFinite(given)) return null;
    sum = weight * sum + (1 - weight) * given;
    n += 1;
    const mean = sum / (1 - weight ** n);
    return isLog ? Math.exp(mean) : mean;
  });
}
