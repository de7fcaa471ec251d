/**
 * Fahlman's crossbar as plain shapes: a column for each input, the bias and each hidden unit, a row for each hidden
 * and output unit, and at their crossing a square whose area is the weight's size. It knows no SVG and no canvas.
 */
import { formatWeight } from "canopy/format.js";
import { columnsOf, rowsOf } from "canopy/network.js";

const LARGEST_CELL = 30; // pixels
const LARGEST_WEIGHT = 0.86; // of a cell's side
const SMALLEST_WEIGHT = 0.1;
const LABEL_HEIGHT = 12;
const LABEL_WIDTH = 18;
const LEFT = 46; // for the names of the rows
const TOP = 22; // for the names of the columns

/** A network laid out in the pixels there are; with a `cell` given it takes as many as it needs. */
export class Crossbar {
  constructor(topology, boxWidth, boxHeight, { cell = null, largest = LARGEST_CELL } = {}) {
    this.rows = rowsOf(topology);
    this.columns = columnsOf(topology);
    this._inputs = topology.input_size;
    this._hidden = topology.hidden_units.length;
    const across = this.columns.length + 1; // one more for the output units
    const fitting = Math.min(largest, (boxWidth - LEFT) / across, (boxHeight - TOP) / this.rows.length);
    this.cell = cell ?? Math.max(2, fitting);
    this.left = LEFT + Math.max(0, (boxWidth - LEFT - this.cell * across) / 2);
    this.top = TOP;
    this.width = Math.max(boxWidth, this.left + this.cell * across);
    this.height = Math.max(boxHeight, TOP + this.cell * this.rows.length);
  }

  /** The room that the names of the rows and columns take. */
  get edges() {
    return { left: LEFT, top: TOP };
  }

  x(column) {
    return this.left + (column + 0.5) * this.cell;
  }

  y(row) {
    return this.top + (row + 0.5) * this.cell;
  }

  /** The row and column at a place, and the weight there, if there is one; null beside the rows. */
  at(x, y) {
    const row = Math.floor((y - this.top) / this.cell);
    const column = Math.floor((x - this.left) / this.cell);
    if (!this.rows[row]) return null;
    return { row, column, weight: this.rows[row].weights[column] ?? null };
  }

  /** `h3 ← x1: −0.482`, what a pointer over a weight is told. */
  title(row, column) {
    const { label, weights } = this.rows[row];
    return `${label} ← ${this.columns[column].label}: ${formatWeight(weights[column])}`;
  }

  /** The shapes of the rows and columns that can be seen in a part of the drawing; of all of it, if none is given. */
  shapes({ x = 0, y = 0, width = this.width, height = this.height } = {}) {
    const [firstRow, lastRow] = this._seen(y - this.top, height, this.rows.length);
    const [firstColumn, lastColumn] = this._seen(x - this.left, width, this.columns.length);
    const shapes = { lines: [], squares: [], circles: [], texts: [] };
    const named = Math.ceil(LABEL_HEIGHT / this.cell); // every how many rows have a name
    const bottom = this.y(this.rows.length - 1) + this.cell / 2;
    for (let column = firstColumn; column <= lastColumn; column += 1) {
      const unit = column - this._inputs - 1;
      const from = unit < 0 ? this.top : this.y(unit);
      shapes.lines.push({ x1: this.x(column), y1: from, x2: this.x(column), y2: bottom });
      const isNamed = unit < 0 && column % Math.ceil(LABEL_WIDTH / this.cell) === 0;
      if (isNamed) shapes.texts.push({ x: this.x(column), y: this.top - 6, text: this.columns[column].label, anchor: "middle" });
    }
    for (let row = firstRow; row <= lastRow; row += 1) this._row(shapes, row, firstColumn, lastColumn, row % named === 0);
    return shapes;
  }

  _row(shapes, row, firstColumn, lastColumn, isNamed) {
    const { label, weights, kind } = this.rows[row];
    const y = this.y(row);
    const end = kind === "hidden" ? this._inputs + 1 + row : this.columns.length;
    const largest = Math.max(...weights.map(Math.abs), 1e-12);
    shapes.lines.push({ x1: this.left, y1: y, x2: this.x(end), y2: y });
    if (isNamed || kind === "output") shapes.texts.push({ x: this.left - 8, y, text: label, anchor: "end" });
    for (let column = firstColumn; column <= Math.min(lastColumn, weights.length - 1); column += 1) {
      const weight = weights[column];
      const side = this.cell * Math.max(SMALLEST_WEIGHT, LARGEST_WEIGHT * Math.sqrt(Math.abs(weight) / largest));
      const sign = weight < 0 ? "negative" : "positive";
      shapes.squares.push({ x: this.x(column) - side / 2, y: y - side / 2, side, sign, title: this.title(row, column) });
    }
    const mark = kind === "output" ? "output" : row === this._hidden - 1 ? "newest" : "unit";
    shapes.circles.push({ x: this.x(end), y, radius: 0.33 * this.cell, mark });
  }

  _seen(offset, length, count) {
    const first = Math.max(0, Math.floor(offset / this.cell));
    return [first, Math.min(count - 1, Math.ceil((offset + length) / this.cell))];
  }
}
