import { formatAge } from "canopy/format.js";
import { View, make, setText } from "canopy/view.js";

const STALE_AFTER_S = 3; // the trainer's heart beats once a second
const ACTIVE = new Set(["STARTED", "PAUSED"]);

/** What the badge says. Data is live when the trainer itself spoke lately, whatever else arrives. */
export function freshness({ connected, upstream, state, age }) {
  if (!connected) return { kind: "lost", text: "no connection to Canopy" };
  if (!upstream) return { kind: "lost", text: "no connection to the training service" };
  if (!state || !ACTIVE.has(state.status)) {
    return { kind: "idle", text: age === null ? "no data yet" : `last data ${formatAge(age)} ago` };
  }
  if (age === null || age > STALE_AFTER_S) {
    return { kind: "stale", text: age === null ? "waiting for the trainer" : `trainer silent for ${formatAge(age)}` };
  }
  return state.status === "PAUSED" ? { kind: "idle", text: "trainer alive" } : { kind: "live", text: "live" };
}

const STATUS_WORDS = {
  STOPPED: "stopped",
  STARTED: "running",
  PAUSED: "paused",
  QUEUED: "waiting",
  RESUME_READY: "can go on",
  REPLAYING: "replay",
  COMPLETED: "finished",
  FAILED: "failed",
};

/** Two marks in the header: the state the training service reported, and how fresh the data is. */
export class StatusView extends View {
  build() {
    this._status = make("span", "chip");
    this._status.dataset.testid = "status";
    this._dot = make("span", "dot");
    this._fresh = make("span", "badge-text");
    this._badge = make("span", "badge", this._dot, this._fresh);
    this._badge.dataset.testid = "freshness";
    this._about = make("span", "about");
    this.element.append(this._status, this._badge, this._about);
    this.element.setAttribute("role", "status");
    this.follow(["state", "link", "points", "dataset"], () => this._draw());
    this.every(500, () => this._draw());
  }

  _draw() {
    const { state, connected, upstream, dataset } = this.bus;
    const { kind, text } = freshness({ connected, upstream, state, age: this.bus.dataAge() });
    this._badge.dataset.kind = kind;
    setText(this._fresh, text);
    this._status.dataset.status = state?.status ?? "UNKNOWN";
    setText(this._status, state ? (STATUS_WORDS[state.status] ?? state.status.toLowerCase()) : "unknown");
    setText(this._about, describe(state, dataset));
  }
}

function describe(state, dataset) {
  const parts = [];
  if (dataset) parts.push(dataset.title);
  if (state?.seed !== null && state?.seed !== undefined) parts.push(`seed ${state.seed}`);
  if (state?.outcome) parts.push(state.outcome.replaceAll("_", " "));
  return parts.join(" · ");
}
