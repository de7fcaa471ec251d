/** Draws points of classes, or with a value each, on a plane with named axes. It knows nothing of where they are from. */
import { classColors, markerRadius, traceMarker } from "canopy/class_markers.js";
import { CLASS_COUNT, cssColor, rgb } from "canopy/palette.js";
import { drawAxes, layPlane, toX, toY } from "canopy/plane_axes.js";

const ROOM = 0.04; // beyond the outermost points, as a share of their range

/** Draws a scatter as `/api/datasets/{id}/scatter` answers it. */
export function drawScatter(context, width, height, scatter) {
  const plane = layPlane(width, height, rangeOf(scatter.x), rangeOf(scatter.y));
  drawAxes(context, plane, scatter.titles, { hasGrid: true });
  drawPoints(context, plane, scatter);
}

/** The colour of a value between 0 and 1: from the negative colour to the positive one. */
export function valueColor(share) {
  const [low, high] = [rgb(cssColor("negative")), rgb(cssColor("positive"))];
  return `rgb(${low.map((part, index) => Math.round(part + (high[index] - part) * share)).join(" ")})`;
}

/** The lowest and the highest of some numbers. */
export function extent(numbers) {
  return numbers.reduce(([low, high], value) => [Math.min(low, value), Math.max(high, value)], [Infinity, -Infinity]);
}

function rangeOf(numbers) {
  const [low, high] = extent(numbers);
  if (!(low <= high)) return [-1, 1];
  const room = (high - low) * ROOM || Math.abs(low) * ROOM || 1;
  return [low - room, high + room];
}

function drawPoints(context, plane, { x, y, classes, values }) {
  const colors = classColors("class");
  const radius = markerRadius(x.length);
  const [low, high] = values ? extent(values) : [0, 1];
  context.lineWidth = 1.2;
  context.strokeStyle = cssColor("outline");
  for (let index = 0; index < x.length; index += 1) {
    const kind = classes ? classes[index] % CLASS_COUNT : 0;
    traceMarker(context, kind, toX(plane, x[index]), toY(plane, y[index]), radius);
    context.stroke();
    context.fillStyle = classes ? colors[kind] : valueColor((values[index] - low) / (high - low || 1));
    context.fill();
  }
}
