/**
 * The ways to lay a run's points along x: by epoch, by the time since its first point, or one point for each number of
 * installed units, the last before the next was installed.
 *
 * @typedef {Record<"epoch" | "timestamp" | "hidden_units" | string, ArrayLike<number>>} RunColumns
 */
import { formatCount, formatDuration } from "canopy/format.js";

const SHORTEST_SPAN = 50; // epochs; a run's first points would else jump about
const SHORTEST_TIME = 5; // seconds
const TIME_STEPS = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800];
const HOURS = [1, 2, 3, 6, 12, 24, 48, 96, 168].map((hours) => 3600 * hours);

const whole = (value) => (Number.isInteger(value) ? formatCount(value) : "");

export const AXES = {
  epoch: {
    label: "Epoch",
    tick: whole,
    range: (low, high) => (Number.isFinite(low) ? [low <= 1 ? 0 : low, Math.max(high, low + SHORTEST_SPAN)] : [0, SHORTEST_SPAN]),
    where: (x) => `at epoch ${formatCount(x)}`,
  },
  time: {
    label: "Time since the first epoch",
    tick: formatDuration,
    range: (_, high) => [0, Number.isFinite(high) ? Math.max(high, SHORTEST_TIME) : SHORTEST_TIME],
    steps: [...TIME_STEPS, ...HOURS],
    where: (x) => `after ${formatDuration(x)}`,
  },
  units: {
    label: "Installed units",
    tick: whole,
    range: (low, high) => (Number.isFinite(low) ? [low - 0.2, Math.max(high, low + 1) + 0.2] : [0, 1]),
    where: (x) => `with ${formatCount(x)} ${x === 1 ? "unit" : "units"}`,
  },
};

/** What a person chooses from, by the word that the address has for it. */
export const AXIS_CHOICES = {
  epoch: "Epoch",
  "epoch-log": "Epoch, log",
  time: "Time",
  "time-log": "Time, log",
  units: "Units",
};

/**
 * A run's x, with its metrics and its number of units beside it.
 * @param {keyof AXES} axis
 * @param {RunColumns} columns
 * @param {string[]} metrics
 */
export function layRun(axis, columns, metrics) {
  const units = columns.hidden_units;
  if (axis === "units") {
    const rows = lastOfEach(units);
    const taken = (column) => Float64Array.from(rows, (row) => column[row]);
    return { x: taken(units), values: metrics.map((name) => taken(columns[name])), units: taken(units) };
  }
  const x = axis === "time" ? elapsed(columns.timestamp) : columns.epoch;
  return { x, values: metrics.map((name) => columns[name]), units };
}

/** Seconds since the first: a clock that was set back stands still here, for x never goes back. */
export function elapsed(timestamps) {
  const seconds = new Float64Array(timestamps.length);
  for (let row = 1; row < seconds.length; row += 1) {
    seconds[row] = Math.max(seconds[row - 1], timestamps[row] - timestamps[0]);
  }
  return seconds;
}

function lastOfEach(units) {
  const rows = [];
  for (let row = 0; row < units.length; row += 1) {
    if (row + 1 === units.length || units[row + 1] !== units[row]) rows.push(row);
  }
  return rows;
}
