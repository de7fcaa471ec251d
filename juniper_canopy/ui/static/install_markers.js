import { cssColor } from "canopy/palette.js";

const LABEL_GAP = 6; // CSS pixels between two labels
const CROWDED = 8; // closer than this, the lines fade behind the curves

/**
 * Which of the labels at the given places to write so that none touch: the newest always, since it is the one
 * being watched, then from the left every one that leaves a gap to those already written.
 */
export function chooseLabels(places, widths, gap) {
  const newest = places.length - 1;
  if (newest < 0) return [];
  const chosen = [];
  let free = -Infinity;
  const limit = places[newest] - widths[newest] / 2 - gap;
  for (let index = 0; index < newest; index += 1) {
    const half = widths[index] / 2;
    if (places[index] - half < free || places[index] + half > limit) continue;
    chosen.push(index);
    free = places[index] + half + gap;
  }
  return [...chosen, newest];
}

/**
 * Draws a dashed line where each unit was installed, with the number of units from there on above it.
 * @param {(install: {epoch: number}) => number} toX where that is along x
 */
export function drawInstalls(plot, installs, toX) {
  const { ctx: context, bbox: box } = plot;
  const ratio = devicePixelRatio || 1;
  const { min, max } = plot.scales.x;
  const placed = installs.map((install) => ({ x: toX(install), units: install.units }));
  const shown = placed.filter(({ x }) => x >= min && x <= max);
  if (shown.length === 0) return;
  const places = shown.map(({ x }) => plot.valToPos(x, "x", true));
  const spacing = places.length > 1 ? (places.at(-1) - places[0]) / (places.length - 1) / ratio : Infinity;

  context.save();
  context.strokeStyle = cssColor("install");
  context.fillStyle = cssColor("install");
  context.lineWidth = ratio;
  context.setLineDash([2 * ratio, 3 * ratio]);
  context.globalAlpha = spacing < CROWDED ? 0.35 : 0.8;
  context.beginPath();
  for (const place of places) {
    context.moveTo(place, box.top);
    context.lineTo(place, box.top + box.height);
  }
  context.stroke();

  context.globalAlpha = 1;
  context.font = `500 ${11 * ratio}px Roboto, sans-serif`;
  context.textAlign = "center";
  context.textBaseline = "bottom";
  const labels = shown.map(({ units }) => `+${units}`);
  const widths = labels.map((label) => context.measureText(label).width);
  for (const index of chooseLabels(places, widths, LABEL_GAP * ratio)) {
    context.fillText(labels[index], places[index], box.top - 2 * ratio);
  }
  context.restore();
}
