/** A plane with named axes in a canvas: where its points lie, and what is written around it. */
import { cssColor } from "canopy/palette.js";
import { signed } from "canopy/format.js";
import { roundTicks } from "canopy/round_ticks.js";

const MARGIN = { left: 58, right: 12, top: 8, bottom: 40 };
const LEAST_SIDE = 40; // pixels
const TITLE_GAP = 45; // from the plane to the title beside it
const FONT = "12px Roboto, sans-serif";

/** The plane of two ranges in the room there is; a square one stands in its middle. */
export function layPlane(width, height, xRange, yRange, { isSquare = false } = {}) {
  const room = width - MARGIN.left - MARGIN.right;
  const [across, up] = [room, height - MARGIN.top - MARGIN.bottom].map((side) => Math.max(LEAST_SIDE, side));
  const side = Math.min(across, up);
  return {
    left: MARGIN.left + (isSquare ? Math.max(0, (room - side) / 2) : 0),
    top: MARGIN.top,
    width: isSquare ? side : across,
    height: isSquare ? side : up,
    xRange,
    yRange,
  };
}

export const toX = (plane, x) => plane.left + ((x - plane.xRange[0]) / (plane.xRange[1] - plane.xRange[0])) * plane.width;
export const toY = (plane, y) => plane.top + (1 - (y - plane.yRange[0]) / (plane.yRange[1] - plane.yRange[0])) * plane.height;

/** Draws the frame, its ticks and titles, and where there is nothing behind them the lines of a grid. */
export function drawAxes(context, plane, titles, { hasGrid }) {
  const bottom = plane.top + plane.height;
  const places = {
    x: roundTicks(...plane.xRange, plane.width / 70).map((value) => [value, Math.round(toX(plane, value)) + 0.5]),
    y: roundTicks(...plane.yRange, plane.height / 50).map((value) => [value, Math.round(toY(plane, value)) + 0.5]),
  };
  context.lineWidth = 1;
  context.strokeStyle = cssColor("grid");
  if (hasGrid) {
    for (const [, x] of places.x) drawLine(context, [x, plane.top], [x, bottom]);
    for (const [, y] of places.y) drawLine(context, [plane.left, y], [plane.left + plane.width, y]);
  }
  context.font = FONT;
  context.fillStyle = cssColor("text-soft");
  context.textAlign = "center";
  context.textBaseline = "top";
  for (const [value, x] of places.x) context.fillText(tickText(value), x, bottom + 5);
  context.textAlign = "right";
  context.textBaseline = "middle";
  for (const [value, y] of places.y) context.fillText(tickText(value), plane.left - 6, y);
  context.strokeStyle = cssColor("border");
  context.strokeRect(plane.left + 0.5, plane.top + 0.5, plane.width - 1, plane.height - 1);
  drawTitles(context, plane, titles);
}

function drawTitles(context, plane, titles) {
  context.font = `500 ${FONT}`;
  context.textAlign = "center";
  context.textBaseline = "bottom";
  const bottom = plane.top + plane.height + MARGIN.bottom;
  context.fillText(shortened(context, titles[0], plane.width), plane.left + plane.width / 2, bottom);
  context.save();
  context.translate(plane.left - TITLE_GAP, plane.top + plane.height / 2);
  context.rotate(-Math.PI / 2);
  context.fillText(shortened(context, titles[1], plane.height), 0, 0);
  context.restore();
}

function drawLine(context, from, to) {
  context.beginPath();
  context.moveTo(...from);
  context.lineTo(...to);
  context.stroke();
}

const tickText = (value) => signed(Math.abs(value) >= 1e5 ? value.toExponential(1) : String(value));

function shortened(context, text, room) {
  if (context.measureText(text).width <= room) return text;
  let length = text.length;
  while (length > 1 && context.measureText(`${text.slice(0, length)}…`).width > room) length -= 1;
  return `${text.slice(0, length)}…`;
}
