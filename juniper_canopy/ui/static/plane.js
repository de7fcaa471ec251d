/** The plane of two inputs: what the network decides there in pale fields, and the patterns clearly in front of them. */
import { classColors, legendEntry, markerRadius, traceMarker } from "canopy/class_markers.js";
import { CLASS_COUNT, cssColor, rgb } from "canopy/palette.js";
import { drawAxes, layPlane, toX, toY } from "canopy/plane_axes.js";
import { fitCanvas, make } from "canopy/view.js";

const NOTE_MARGIN = 12; // CSS pixels, at each side of the note
const NOTE_LINE = 18;

/**
 * Draws a boundary, a dataset, or both into a canvas; with neither, the note.
 * @param {HTMLCanvasElement} canvas
 * @param {{ boundary?: object | null, dataset?: object | null }} shown
 * @param {string} note
 */
export function drawPlane(canvas, { boundary, dataset }, note) {
  const { context, width, height } = fitCanvas(canvas);
  context.clearRect(0, 0, width, height);
  canvas.dataset.checksum = boundary ? checksum(boundary.cells) : "";
  if (!boundary && !dataset?.x) {
    drawNote(context, width, height, note);
    return;
  }
  const { x_range: xRange, y_range: yRange, names } = boundary ?? dataset;
  const plane = layPlane(width, height, xRange, yRange, { isSquare: true });
  if (boundary) drawFields(context, plane, boundary);
  drawAxes(context, plane, names, { hasGrid: false });
  if (dataset?.x) drawPoints(context, plane, dataset);
}

/** The classes and their markers. */
export function fillLegend(element, dataset) {
  if (!dataset?.x) {
    element.replaceChildren();
    return;
  }
  const entries = Array.from({ length: dataset.n_classes }, (_, index) => legendEntry(index, className(dataset, index)));
  if (dataset.n_validation) entries.push(make("span", "legend-note", "hollow: validation"));
  element.replaceChildren(...entries);
}

const className = ({ class_names: names }, index) => names?.[index] ?? `class ${index}`;

/** The classes as a saved picture's legend. */
export function legendOf(dataset) {
  return Array.from({ length: dataset?.x ? dataset.n_classes : 0 }, (_, index) => ({
    label: className(dataset, index),
    color: `class-${index % CLASS_COUNT}`,
    marker: index,
  }));
}

function drawFields(context, plane, { cells, resolution }) {
  const fields = classColors("field").map(rgb);
  const image = new ImageData(resolution, resolution);
  for (let row = 0; row < resolution; row += 1) {
    const source = (resolution - 1 - row) * resolution; // the first row of cells lies at the bottom
    for (let column = 0; column < resolution; column += 1) {
      const [red, green, blue] = fields[cells[source + column] % CLASS_COUNT];
      image.data.set([red, green, blue, 255], 4 * (row * resolution + column));
    }
  }
  const picture = new OffscreenCanvas(resolution, resolution);
  picture.getContext("2d").putImageData(image, 0, 0);
  context.imageSmoothingEnabled = true;
  context.imageSmoothingQuality = "high";
  context.drawImage(picture, plane.left, plane.top, plane.width, plane.height);
}

function drawPoints(context, plane, { x, y, classes, n_train: trainCount }) {
  const colors = classColors("class");
  const outline = cssColor("outline");
  const ground = cssColor("surface");
  const radius = markerRadius(x.length) * Math.min(1, Math.max(0.7, plane.width / 300));
  // Validation first: the hollow marks then never cover a training pattern.
  const order = [...x.keys()].sort((a, b) => Number(a < trainCount) - Number(b < trainCount));
  for (const index of order) {
    const color = colors[classes[index] % CLASS_COUNT];
    const trained = index < trainCount;
    traceMarker(context, classes[index], toX(plane, x[index]), toY(plane, y[index]), radius);
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

function drawNote(context, width, height, text) {
  context.fillStyle = cssColor("text-soft");
  context.font = "13px Roboto, sans-serif";
  context.textAlign = "center";
  const lines = wrap(context, text, width - 2 * NOTE_MARGIN);
  lines.forEach((line, index) => {
    context.fillText(line, width / 2, height / 2 + (index - (lines.length - 1) / 2) * NOTE_LINE);
  });
}

/** A text in lines that are no wider than that, unless one word is. */
function wrap(context, text, width) {
  const lines = [];
  for (const word of text.split(" ")) {
    const longer = `${lines.at(-1)} ${word}`;
    if (lines.length && context.measureText(longer).width <= width) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}

/** A short figure that changes when any cell does. */
function checksum(cells) {
  let sum = 0;
  for (let index = 0; index < cells.length; index += 1) sum = (Math.imul(sum, 31) + cells[index]) | 0;
  return String(sum);
}
