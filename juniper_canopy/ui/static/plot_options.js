/** A plot's axes, lines and values as uPlot takes them, in the page's colours. */
import { logTicks } from "canopy/log_axis.js";
import { cssColor } from "canopy/palette.js";

const FONT = "12px Roboto, sans-serif";
const TITLE_FONT = "500 12px Roboto, sans-serif";

/**
 * @param {import("canopy/line_plot.js").Axis} axis
 * @param {{ size: number, gap: number }} place
 */
export function axisOf({ label, tick, isLog, steps }, { size, gap }) {
  return {
    label,
    size,
    gap,
    labelSize: 18,
    stroke: cssColor("text-soft"),
    font: FONT,
    labelFont: TITLE_FONT,
    grid: { stroke: cssColor("grid"), width: 1 },
    ticks: { show: false },
    values: (_, values) => values.map(tick),
    ...(isLog && { splits: (_, __, low, high) => logTicks(low, high), filter: (_, values) => values }),
    ...(steps && !isLog && { incrs: steps }),
  };
}

/** @param {import("canopy/line_plot.js").Line} line */
export function seriesOf({ label, color, dash, width = 2, hasPoints = false, spansGaps = false }, show) {
  const stroke = cssColor(color);
  return { label, dash, width, stroke, show, spanGaps: spansGaps, points: { show: hasPoints, size: 6, fill: stroke } };
}

/** uPlot's word for an undefined value is null, and typed arrays have none. */
export function withGaps(column) {
  for (let index = 0; index < column.length; index += 1) {
    if (Number.isNaN(column[index])) return Array.from(column, (value) => (Number.isNaN(value) ? null : value));
  }
  return column;
}
