/**
 * The exponential moving average of a curve, freed of its start at zero (Kingma & Ba 2014; TensorBoard smooths alike):
 * m ← w·m + (1 − w)·v, shown as m / (1 − wⁿ) after n values.
 *
 * A value that is not defined stays undefined and changes no average. Where `segments` changes, as the number of
 * units does when one is installed, the average begins anew: the jump is real, and is not smoothed away.
 * @param {ArrayLike<number | null>} values
 * @param {number} weight of what was, from 0 (none) to below 1
 * @param {ArrayLike<number>} [segments] of the same length
 * @returns {Float64Array}
 */
export function smooth(values, weight, segments = null) {
  const smoothed = new Float64Array(values.length);
  let mean = 0;
  let share = 0; // of the weights, 1 − wⁿ
  for (let index = 0; index < values.length; index += 1) {
    const isNew = segments !== null && index > 0 && segments[index] !== segments[index - 1];
    if (isNew) {
      mean = 0;
      share = 0;
    }
    const value = values[index];
    if (value === null || !Number.isFinite(value)) {
      smoothed[index] = NaN;
      continue;
    }
    mean = weight * mean + (1 - weight) * value;
    share = weight * share + (1 - weight);
    smoothed[index] = mean / share;
  }
  return smoothed;
}
