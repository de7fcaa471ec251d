/** How the page speaks of a run. */
import { formatMoment } from "canopy/format.js";
import { STATUS_WORDS } from "canopy/status.js";

export const statusInWords = (status) => STATUS_WORDS[status] ?? status.toLowerCase();

export const outcomeInWords = ({ outcome, reason }) => outcome?.replaceAll("_", " ") ?? reason ?? "";

/** A dataset by its name, or as its generator and the end of its id; data that came with the request has neither. */
export function datasetInWords(id, name = null) {
  if (!id) return "sent with the request";
  if (name) return name;
  const [generator] = id.split("-");
  return `${generator.replaceAll("_", " ")} ${id.split("-").at(-1).slice(0, 6)}`;
}

/** Seconds that a run trained, or trains already. */
export function durationOf({ started_at: from, ended_at: to }, now = Date.now() / 1000) {
  return from === null ? NaN : (to ?? now) - from;
}

/** Short, and different for any two runs of a list. */
export function nameOf(run) {
  return `${formatMoment(run.created_at).slice(5, 16)} · seed ${run.seed} · ${run.id.slice(-4)}`;
}
