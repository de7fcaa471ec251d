import { formatAge } from "canopy/format.js";
import { bindKey } from "canopy/keyboard.js";
import { View, make, setText } from "canopy/view.js";

const STALE_AFTER_S = 3; // the trainer's heart beats once a second
const ACTIVE = new Set(["STARTED", "PAUSED"]);

/** What the badge says; of it a phone leaves out the lead and the tail. Data is live when the trainer itself spoke lately, whatever else arrives. */
export function freshness({ connected, upstream, state, age }) {
  if (!connected) return { kind: "lost", text: "no connection", tail: " to Canopy" };
  if (!upstream) return { kind: "lost", text: "no connection", tail: " to the training service" };
  if (state?.status === "REPLAYING") return { kind: "idle", text: "recorded data" };
  if (!state || !ACTIVE.has(state.status)) {
    return age === null
      ? { kind: "idle", text: "no data yet" }
      : { kind: "idle", lead: "last data ", text: `${formatAge(age)} ago` };
  }
  if (age === null || age > STALE_AFTER_S) {
    return age === null
      ? { kind: "stale", text: "waiting for the trainer" }
      : { kind: "stale", lead: "trainer ", text: `silent for ${formatAge(age)}` };
  }
  return state.status === "PAUSED" ? { kind: "idle", text: "trainer alive" } : { kind: "live", text: "live" };
}

/** The states of a training, as the page writes them. */
export const STATUS_WORDS = {
  STOPPED: "stopped",
  STARTED: "running",
  PAUSED: "paused",
  QUEUED: "waiting",
  RESUME_READY: "can go on",
  REPLAYING: "replay",
  COMPLETED: "finished",
  FAILED: "failed",
};

/** The same, of a state that nobody has told of since the connection broke. */
const LAST_KNOWN = {
  STOPPED: "was stopped",
  STARTED: "was running",
  PAUSED: "was paused",
  QUEUED: "was waiting",
  RESUME_READY: "could go on",
  REPLAYING: "was a replay",
  COMPLETED: "had finished",
  FAILED: "had failed",
};

/** What the chip says: without a connection the last known state, told as such. */
export function stateInWords(state, isLost) {
  if (!state) return "unknown";
  return (isLost ? LAST_KNOWN : STATUS_WORDS)[state.status] ?? state.status.toLowerCase();
}

/** What Space asks for in each reported state. */
const TURN = { STARTED: "pause", PAUSED: "resume", RESUME_READY: "resume" };

/**
 * Marks in the header: recordings where they are shown, the state that was reported, and how fresh the data is.
 * Space sends the event `command`, as that state has it.
 */
export class StatusView extends View {
  build() {
    this._demo = make("span", "badge");
    this._demo.dataset.testid = "mode";
    this._demo.dataset.kind = "demo";
    this._demo.title = "Recordings of real runs are shown, and nothing is trained here";
    setText(this._demo, "demo");
    this._status = make("span", "chip");
    this._status.dataset.testid = "status";
    this._dot = make("span", "dot");
    this._lead = make("span", "badge-more");
    this._fresh = make("span");
    this._tail = make("span", "badge-more");
    this._badge = make("span", "badge", this._dot, make("span", "badge-text", this._lead, this._fresh, this._tail));
    this._badge.dataset.testid = "freshness";
    this._age = make("span", "data-age");
    const spoken = make("span", "spoken", this._demo, this._status, this._badge);
    spoken.setAttribute("role", "status");
    this.element.append(spoken, this._age);
    this.follow(["mode", "state", "link", "points"], () => this._draw());
    this.every(500, () => this._draw());
    this.until(bindKey(" ", "Pause, or resume", (event) => this._turn(event)));
  }

  _draw() {
    const { mode, state, connected, upstream } = this.bus;
    this._demo.hidden = mode !== "demo";
    const age = this.bus.dataAge();
    const { kind, lead = "", text, tail = "" } = freshness({ connected, upstream, state, age });
    this._badge.dataset.kind = kind;
    setText(this._lead, lead);
    setText(this._fresh, text);
    setText(this._tail, tail);
    this._status.dataset.status = state?.status ?? "UNKNOWN";
    this._status.dataset.known = kind === "lost" ? "before" : "now";
    setText(this._status, stateInWords(state, kind === "lost"));
    const heard = age === null ? "" : `data ${formatAge(age)} old`;
    setText(this._age, kind === "lost" ? heard : "");
    this._badge.title = heard || "The trainer has not been heard yet";
  }

  _turn(event) {
    const command = TURN[this.bus.state?.status];
    if (command && !event.repeat) this.emit("command", command);
  }
}
