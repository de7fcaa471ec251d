/** How the patterns of each class are marked: a colour and a shape, so that neither has to tell alone. */
import { CLASS_COUNT, cssColor } from "canopy/palette.js";
import { make } from "canopy/view.js";

const MARKERS = ["circle", "square", "triangle", "diamond", "down", "plus", "hexagon", "star", "left", "right"];
const RADII = [[200, 4], [600, 3.3], [2000, 2.5], [Infinity, 1.8]]; // up to so many points, so large

/** The colours of all classes; `kind` is "class" for their patterns, "field" for where a network decides for them. */
export function classColors(kind) {
  return Array.from({ length: CLASS_COUNT }, (_, index) => cssColor(`${kind}-${index}`));
}

/** How large the marks of so many patterns are. */
export function markerRadius(count) {
  return RADII.find(([most]) => count <= most)[1];
}

/** A class's mark with its name; in a colour of its own where it stands for a value. */
export function legendEntry(index, label, color = cssColor(`class-${index % CLASS_COUNT}`)) {
  const canvas = make("canvas", "legend-mark");
  canvas.width = 28;
  canvas.height = 28;
  const context = canvas.getContext("2d");
  traceMarker(context, index, 14, 14, 9);
  context.fillStyle = color;
  context.fill();
  return make("span", "legend-entry", canvas, label);
}

/** Traces a class's marker around (x, y) into a canvas path. */
export function traceMarker(context, index, x, y, radius) {
  const marker = MARKERS[index % CLASS_COUNT];
  context.beginPath();
  if (marker === "circle") {
    context.arc(x, y, radius, 0, 2 * Math.PI);
    return;
  }
  const corners = CORNERS[marker];
  corners.forEach(([dx, dy], corner) => {
    const move = corner === 0 ? "moveTo" : "lineTo";
    context[move](x + dx * radius, y + dy * radius);
  });
  context.closePath();
}

function ring(count, turn, inner = 1) {
  return Array.from({ length: count }, (_, index) => {
    const angle = turn + (2 * Math.PI * index) / count;
    const radius = 1.2 * (index % 2 ? inner : 1);
    return [Math.sin(angle) * radius, -Math.cos(angle) * radius];
  });
}

const CORNERS = {
  square: [[-0.9, -0.9], [0.9, -0.9], [0.9, 0.9], [-0.9, 0.9]],
  triangle: ring(3, 0),
  down: ring(3, Math.PI),
  left: ring(3, -Math.PI / 2),
  right: ring(3, Math.PI / 2),
  diamond: ring(4, 0),
  hexagon: ring(6, 0),
  star: ring(10, 0, 0.45),
  plus: [
    [-0.4, -1.1], [0.4, -1.1], [0.4, -0.4], [1.1, -0.4], [1.1, 0.4], [0.4, 0.4],
    [0.4, 1.1], [-0.4, 1.1], [-0.4, 0.4], [-1.1, 0.4], [-1.1, -0.4], [-0.4, -0.4],
  ],
};
