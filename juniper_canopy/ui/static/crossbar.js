/**
 * Fahlman's crossbar as plain shapes: a column for each input, the bias and each hidden unit, a row for each hidden
 * and output unit, and at their crossing a square whose area is the weight's size. It knows no SVG and no canvas.
 */
const CELL = 24;
const LARGEST = 0.86; // of a cell's side
const SMALLEST = 0.1;

export function layCrossbar(topology) {
  const { input_size: inputs, hidden_units: hidden, output_weights: outputWeights, output_bias: outputBias } = topology;
  const sources = [...topology.input_names, "+1", ...hidden.map((_, index) => `h${index}`)];
  const rows = [
    ...hidden.map((unit, index) => ({ name: `h${index}`, weights: fromBias(unit.weights, unit.bias, inputs), kind: "hidden" })),
    ...outputWeights.map((weights, index) => ({
      name: outputWeights.length > 1 ? `out ${index}` : "out",
      weights: fromBias(weights, outputBias[index], inputs),
      kind: "output",
    })),
  ];
  const left = 2.2 * CELL;
  const top = 1.4 * CELL;
  const x = (column) => left + (column + 0.5) * CELL;
  const y = (row) => top + (row + 0.5) * CELL;
  const shapes = { lines: [], squares: [], circles: [], texts: [] };
  const newest = hidden.length - 1;
  const lastRow = rows.length - 1;

  sources.forEach((name, column) => {
    const unit = column - inputs - 1;
    const from = unit < 0 ? top : y(unit);
    shapes.lines.push({ x1: x(column), y1: from, x2: x(column), y2: y(lastRow) + CELL / 2 });
    if (unit < 0) shapes.texts.push({ x: x(column), y: top - 6, text: name, anchor: "middle" });
  });
  rows.forEach(({ name, weights, kind }, row) => {
    const end = kind === "hidden" ? inputs + 1 + row : sources.length;
    const largest = Math.max(...weights.map(Math.abs), 1e-12);
    shapes.lines.push({ x1: left, y1: y(row), x2: x(end), y2: y(row) });
    shapes.texts.push({ x: left - 8, y: y(row), text: name, anchor: "end" });
    weights.forEach((weight, column) => {
      const side = CELL * Math.max(SMALLEST, LARGEST * Math.sqrt(Math.abs(weight) / largest));
      const title = `${name} ← ${sources[column]}: ${weight.toPrecision(3)}`;
      shapes.squares.push({ x: x(column) - side / 2, y: y(row) - side / 2, side, sign: weight < 0 ? "negative" : "positive", title });
    });
    const mark = kind === "output" ? "output" : row === newest ? "newest" : "hidden";
    shapes.circles.push({ x: x(end), y: y(row), radius: 0.33 * CELL, mark });
  });
  return { ...shapes, width: x(sources.length) + CELL, height: y(lastRow) + CELL };
}

/** Weights in the order of the columns: the inputs, the bias, the hidden units. */
function fromBias(weights, bias, inputs) {
  return [...weights.slice(0, inputs), bias, ...weights.slice(inputs)];
}
