/** Another run's curves, to lay behind those of the run that is shown: `ghost=RUN_ID` in the address names it. */
import { ask, at } from "canopy/rest.js";

const NAMES = ["train_loss", "val_loss", "train_accuracy", "val_accuracy", "hidden_units"];
const MOST_POINTS = 4000; // more than a screen has columns
const MOST_ASKED = 100_000; // a longer run is shown to this epoch

let last = { id: null, answer: null };

/**
 * A run's columns, thinned to what a screen can show, or why there are none, in words.
 * It is asked for once, whichever chart wants it first, and again only after it could not be had.
 * @returns {Promise<{columns: import("canopy/run_axes.js").RunColumns | null, problem: string}>}
 */
export async function ghostRun(id) {
  if (last.id !== id) last = { id, answer: fetchRun(id) };
  const asked = last;
  const answer = await asked.answer;
  if (!answer.columns && last === asked) last = { id: null, answer: null };
  return answer;
}

async function fetchRun(id) {
  try {
    const { series } = await ask(at("/api/runs", id, "metrics"), { names: NAMES.join(), limit: MOST_ASKED });
    return { columns: thinned(asColumns(series), MOST_POINTS), problem: "" };
  } catch (error) {
    const problem = error.status === 404 ? "is not there" : `could not be read: ${error.message}`;
    return { columns: null, problem };
  }
}

/** Series of steps of their own, as columns over the steps of the first. */
function asColumns(series) {
  const { step, time } = series.train_loss ?? { step: [], time: [] };
  const columns = { epoch: Float64Array.from(step), timestamp: Float64Array.from(time) };
  for (const name of NAMES) {
    const values = new Map(series[name]?.step.map((epoch, index) => [epoch, series[name].value[index]]));
    columns[name] = Float64Array.from(step, (epoch) => values.get(epoch) ?? NaN);
  }
  return columns;
}

/** The first and last row, each peak and dip of every metric, and the rows around an installed unit. */
function thinned(columns, most) {
  const count = columns.epoch.length;
  if (count <= most) return columns;
  const kept = new Set([0, count - 1]);
  const size = Math.ceil((count * 2 * NAMES.length) / most);
  for (const name of NAMES) {
    const values = columns[name];
    for (let start = 0; start < count; start += size) {
      let least = start;
      let greatest = start;
      for (let row = start; row < Math.min(start + size, count); row += 1) {
        if (values[row] < values[least]) least = row;
        if (values[row] > values[greatest]) greatest = row;
      }
      kept.add(least).add(greatest);
    }
  }
  const rows = [...kept].sort((a, b) => a - b);
  return Object.fromEntries(
    Object.entries(columns).map(([name, column]) => [name, Float64Array.from(rows, (row) => column[row])]),
  );
}
