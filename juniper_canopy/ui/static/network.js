/**
 * What a topology says of each unit. A unit's name is that of the page's address: `3` for the hidden unit h3, `out0`
 * for the first output; inputs and the bias have no name, since nothing can be asked of them.
 */

/** Every unit that has weights, hidden ones first: its weights in the order of the columns. */
export function rowsOf({ input_size: inputs, hidden_units: hidden, output_weights: outputWeights, output_bias: outputBias }) {
  return [
    ...hidden.map(({ weights, bias, activation }, index) => ({
      name: String(index),
      label: `h${index}`,
      kind: "hidden",
      index,
      activation,
      weights: fromBias(weights, bias, inputs),
    })),
    ...outputWeights.map((weights, index) => ({
      name: `out${index}`,
      label: outputWeights.length > 1 ? `out ${index}` : "out",
      kind: "output",
      index,
      activation: null,
      weights: fromBias(weights, outputBias[index], inputs),
    })),
  ];
}

/** Whom a unit can have weights from: the inputs, the bias, the hidden units. */
export function columnsOf({ input_names: names, hidden_units: hidden }) {
  return [
    ...names.map((label) => ({ label, name: null })),
    { label: "+1", name: null },
    ...hidden.map((_, index) => ({ label: `h${index}`, name: String(index) })),
  ];
}

/** The row of the unit of this name; without a name, or when it is not there, that of the newest hidden unit. */
export function findRow(rows, name) {
  const named = rows.find((row) => row.name === name);
  return named ?? rows.findLast(({ kind }) => kind === "hidden") ?? rows[0];
}

/** Each hidden unit's layer, from 1: one more than that of the last unit that it sees. Siblings share theirs. */
export function layersOf({ input_size: inputs, hidden_units: hidden }) {
  const layers = [];
  for (const { weights } of hidden) layers.push(1 + (layers[weights.length - inputs - 1] ?? 0));
  return layers;
}

/** The weights by which a hidden unit is seen: from later hidden units, and from outputs. */
export function outgoingOf(topology, rows, index) {
  const column = topology.input_size + 1 + index;
  return rows
    .filter(({ weights }) => weights.length > column)
    .map(({ name, label, weights }) => ({ name, label, weight: weights[column] }));
}

/** Count, mean, standard deviation, least and greatest. */
export function figuresOf(values) {
  const count = values.length;
  if (count === 0) return { count, mean: NaN, std: NaN, min: NaN, max: NaN };
  const mean = values.reduce((sum, value) => sum + value, 0) / count;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / count;
  const [min, max] = values.reduce(([low, high], value) => [Math.min(low, value), Math.max(high, value)], [Infinity, -Infinity]);
  return { count, mean, std: Math.sqrt(variance), min, max };
}

/** Weights in the order of the columns: the inputs, the bias, the hidden units. */
function fromBias(weights, bias, inputs) {
  return [...weights.slice(0, inputs), bias, ...weights.slice(inputs)];
}
