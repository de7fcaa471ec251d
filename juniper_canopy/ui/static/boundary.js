import { CLASS_COUNT, MARKERS, cssColor, onThemeChange, rgb, traceMarker } from "canopy/palette.js";
import { View, fitCanvas, make } from "canopy/view.js";

const MARGIN = { left: 44, right: 10, top: 6, bottom: 36 };
const FONT = "12px Roboto, sans-serif";
const RADII = [[200, 4], [600, 3.3], [2000, 2.5], [Infinity, 1.8]]; // up to so many points, so large

/** What the network decides over the plane, in pale fields, with the patterns clearly in front of them. */
export class BoundaryView extends View {
  build() {
    this._legend = make("span", "readout");
    const title = make("h2", "panel-title", "Decision boundary");
    this.element.append(make("div", "panel-head", title, this._legend));
    this._canvas = make("canvas", "plane");
    this._canvas.setAttribute("role", "img");
    this._host = make("div", "canvas-host", this._canvas);
    this.element.append(this._host);
    this.onResize(this._host, () => this._draw());
    this.until(onThemeChange(() => this._drawAll()));
    this.follow(["boundary", "dataset"], () => this._drawAll());
  }

  _drawAll() {
    this._drawLegend();
    this._draw();
  }

  _draw() {
    const { context, width, height } = fitCanvas(this._canvas);
    context.clearRect(0, 0, width, height);
    const { boundary, dataset } = this.bus;
    this._describe();
    if (!boundary && !dataset?.x) {
      drawNote(context, width, height, "Nothing to show before the first run.");
      return;
    }
    const plane = layPlane(width, height, boundary ?? { ...dataset });
    if (boundary) this._drawFields(context, plane, boundary);
    drawAxes(context, plane, boundary ?? dataset);
    if (dataset?.x) drawPoints(context, plane, dataset);
  }

  _drawFields(context, plane, boundary) {
    const { cells, resolution } = boundary;
    const fields = classColors("field").map(rgb);
    const image = new ImageData(resolution, resolution);
    for (let row = 0; row < resolution; row += 1) {
      const source = (resolution - 1 - row) * resolution; // the first row of cells lies at the bottom
      for (let column = 0; column < resolution; column += 1) {
        const [red, green, blue] = fields[cells[source + column] % CLASS_COUNT];
        image.data.set([red, green, blue, 255], 4 * (row * resolution + column));
      }
    }
    this._fields ??= new OffscreenCanvas(resolution, resolution);
    this._fields.width = resolution;
    this._fields.height = resolution;
    this._fields.getContext("2d").putImageData(image, 0, 0);
    context.imageSmoothingEnabled = true;
    context.imageSmoothingQuality = "high";
    context.drawImage(this._fields, plane.left, plane.top, plane.width, plane.height);
  }

  _drawLegend() {
    const { dataset } = this.bus;
    if (!dataset?.x) {
      this._legend.replaceChildren();
      return;
    }
    const colors = classColors("class");
    const entries = Array.from({ length: dataset.n_classes }, (_, index) => legendEntry(index, colors[index], `class ${index}`));
    if (dataset.n_validation) entries.push(make("span", "legend-note", "hollow: validation"));
    this._legend.replaceChildren(...entries);
  }

  _describe() {
    const { boundary, dataset } = this.bus;
    const drawn = boundary ? `after ${boundary.units} hidden units` : "not drawn yet";
    const points = dataset?.x ? `${dataset.x.length} patterns of ${dataset.n_classes} classes` : "no patterns";
    this._canvas.setAttribute("aria-label", `Decision boundary ${drawn}, ${points}`);
    this._canvas.dataset.units = boundary?.units ?? "";
    this._canvas.dataset.checksum = boundary ? checksum(boundary.cells) : "";
  }
}

function classColors(kind) {
  return Array.from({ length: CLASS_COUNT }, (_, index) => cssColor(`${kind}-${index}`));
}

function layPlane(width, height, { x_range: xRange, y_range: yRange }) {
  const side = Math.max(40, Math.min(width - MARGIN.left - MARGIN.right, height - MARGIN.top - MARGIN.bottom));
  const left = MARGIN.left + Math.max(0, (width - MARGIN.left - MARGIN.right - side) / 2);
  return { left, top: MARGIN.top, width: side, height: side, xRange, yRange };
}

const toX = (plane, x) => plane.left + ((x - plane.xRange[0]) / (plane.xRange[1] - plane.xRange[0])) * plane.width;
const toY = (plane, y) => plane.top + (1 - (y - plane.yRange[0]) / (plane.yRange[1] - plane.yRange[0])) * plane.height;

function drawAxes(context, plane, { names }) {
  context.strokeStyle = cssColor("border");
  context.lineWidth = 1;
  context.strokeRect(plane.left + 0.5, plane.top + 0.5, plane.width - 1, plane.height - 1);
  context.fillStyle = cssColor("text-soft");
  context.font = FONT;
  const bottom = plane.top + plane.height;
  context.textBaseline = "top";
  for (const value of ticks(plane.xRange)) {
    context.textAlign = "center";
    context.fillText(String(value), toX(plane, value), bottom + 5);
  }
  context.textBaseline = "middle";
  context.textAlign = "right";
  for (const value of ticks(plane.yRange)) context.fillText(String(value), plane.left - 6, toY(plane, value));
  context.font = `500 ${FONT}`;
  context.textAlign = "center";
  context.textBaseline = "bottom";
  context.fillText(names[0], plane.left + plane.width / 2, bottom + MARGIN.bottom);
  context.save();
  context.translate(plane.left - 30, plane.top + plane.height / 2);
  context.rotate(-Math.PI / 2);
  context.fillText(names[1], 0, 0);
  context.restore();
}

/** About five round numbers inside a range. */
function ticks([low, high]) {
  const rough = (high - low) / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 5, 10].find((factor) => factor * power >= rough);
  const values = [];
  for (let value = Math.ceil(low / step) * step; value <= high; value += step) {
    values.push(Number(value.toPrecision(6)));
  }
  return values;
}

function drawPoints(context, plane, { x, y, classes, n_train: trainCount }) {
  const colors = classColors("class");
  const outline = cssColor("outline");
  const ground = cssColor("surface");
  const [, largest] = RADII.find(([count]) => x.length <= count);
  const radius = largest * Math.min(1, Math.max(0.7, plane.width / 300));
  // Validation first: the hollow marks then never cover a training pattern.
  const order = [...x.keys()].sort((a, b) => Number(a < trainCount) - Number(b < trainCount));
  for (const index of order) {
    const color = colors[classes[index] % CLASS_COUNT];
    const trained = index < trainCount;
    traceMarker(context, MARKERS[classes[index] % CLASS_COUNT], toX(plane, x[index]), toY(plane, y[index]), radius);
    context.lineWidth = trained ? 1.4 : 4;
    context.strokeStyle = outline;
    context.stroke();
    context.fillStyle = trained ? color : ground;
    context.fill();
    if (!trained) {
      context.lineWidth = 2;
      context.strokeStyle = color;
      context.stroke();
    }
  }
}

function legendEntry(index, color, label) {
  const canvas = make("canvas", "legend-mark");
  canvas.width = 28;
  canvas.height = 28;
  const context = canvas.getContext("2d");
  traceMarker(context, MARKERS[index % CLASS_COUNT], 14, 14, 9);
  context.fillStyle = color;
  context.fill();
  return make("span", "legend-entry", canvas, label);
}

function drawNote(context, width, height, text) {
  context.fillStyle = cssColor("text-soft");
  context.font = "13px Roboto, sans-serif";
  context.textAlign = "center";
  context.fillText(text, width / 2, height / 2);
}

/** A short figure that changes when any cell does. */
function checksum(cells) {
  let sum = 0;
  for (let index = 0; index < cells.length; index += 1) sum = (Math.imul(sum, 31) + cells[index]) | 0;
  return String(sum);
}
