/**
 * Fahlman's crossbar as plain shapes: a column for each input, the bias and each hidden unit, a row for each hidden
 * and output unit, and at their crossing a square whose area is the weight's size. It knows no SVG and no canvas.
 */
const LARGEST_CELL = 30; // pixels
const LARGEST_WEIGHT = 0.86; // of a cell's side
const SMALLEST_WEIGHT = 0.1;
const LABEL_HEIGHT = 12;
const LEFT = 46; // for the names of the rows
const TOP = 22; // for the names of the columns

/** Lays the drawing out in the pixels there are, with as many names as can be read. */
export function layCrossbar(topology, boxWidth, boxHeight) {
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
  const columns = sources.length + 1; // one more for the output units
  const cell = Math.max(2, Math.min(LARGEST_CELL, (boxWidth - LEFT) / columns, (boxHeight - TOP) / rows.length));
  const left = LEFT + Math.max(0, (boxWidth - LEFT - cell * columns) / 2);
  const top = TOP;
  const named = Math.ceil(LABEL_HEIGHT / cell); // every how many rows have a name
  const x = (column) => left + (column + 0.5) * cell;
  const y = (row) => top + (row + 0.5) * cell;
  const shapes = { lines: [], squares: [], circles: [], texts: [] };
  const newest = hidden.length - 1;
  const lastRow = rows.length - 1;

  sources.forEach((name, column) => {
    const unit = column - inputs - 1;
    const from = unit < 0 ? top : y(unit);
    shapes.lines.push({ x1: x(column), y1: from, x2: x(column), y2: y(lastRow) + cell / 2 });
    if (unit < 0 && (named === 1 || column % 2 === 0)) shapes.texts.push({ x: x(column), y: top - 6, text: name, anchor: "middle" });
  });
  rows.forEach(({ name, weights, kind }, row) => {
    const end = kind === "hidden" ? inputs + 1 + row : sources.length;
    const largest = Math.max(...weights.map(Math.abs), 1e-12);
    shapes.lines.push({ x1: left, y1: y(row), x2: x(end), y2: y(row) });
    if (row % named === 0 || kind === "output") shapes.texts.push({ x: left - 8, y: y(row), text: name, anchor: "end" });
    weights.forEach((weight, column) => {
      const side = cell * Math.max(SMALLEST_WEIGHT, LARGEST_WEIGHT * Math.sqrt(Math.abs(weight) / largest));
      const title = `${name} ← ${sources[column]}: ${weight.toPrecision(3)}`;
      shapes.squares.push({ x: x(column) - side / 2, y: y(row) - side / 2, side, sign: weight < 0 ? "negative" : "positive", title });
    });
    const mark = kind === "output" ? "output" : row === newest ? "newest" : "unit";
    shapes.circles.push({ x: x(end), y: y(row), radius: 0.33 * cell, mark });
  });
  return shapes;
}

/** Weights in the order of the columns: the inputs, the bias, the hidden units. */
function fromBias(weights, bias, inputs) {
  return [...weights.slice(0, inputs), bias, ...weights.slice(inputs)];
}
