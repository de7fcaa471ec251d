import { pushButton, selectField } from "canopy/elements.js";
import { formatCount } from "canopy/format.js";
import { ask, tell } from "canopy/rest.js";
import { View, make, setText } from "canopy/view.js";

const REPLAY = "/api/v1/replay";
const SPEEDS = [0.5, 1, 2, 5, 10, 20, 50]; // steps a second

/** What steers the replay of a growth, on every tab, for as long as one is shown. */
export class ReplayBar extends View {
  build() {
    this.element.hidden = true;
    this.element.setAttribute("role", "region");
    this.element.setAttribute("aria-label", "Replay of a growth");
    this._play = pushButton("Pause", () => this._tell({ action: this._status.is_playing ? "pause" : "play" }));
    this._seek = make("input", "replay-seek");
    Object.assign(this._seek, { type: "range", min: 0, step: 1 });
    this._seek.setAttribute("aria-label", "Step of the growth");
    this._seek.oninput = () => this._tell({ action: "seek", position: this._seek.valueAsNumber });
    this._speed = selectField("Speed", {}, (value) => this._tell({ action: "speed", speed: Number(value) }));
    this._where = make("span", "replay-where");
    this._refused = make("span", "replay-refused");
    this._refused.setAttribute("role", "alert");
    this.element.append(
      make("span", "panel-title", "Replay"),
      this._play,
      this._seek,
      this._where,
      this._speed,
      pushButton("Stop", () => this._tell({ action: "stop" }), "button button-danger"),
      this._refused,
    );
    // Its own tab is every tab, so it follows also while the one that it was made in is hidden.
    this.until(this.bus.subscribe(["state"], () => this._follow()));
  }

  _follow() {
    const isReplaying = this.bus.state?.status === "REPLAYING";
    if (!isReplaying) this.element.hidden = true;
    else this._do(() => ask(REPLAY));
  }

  _tell(command) {
    this._do(() => tell("POST", REPLAY, command));
  }

  /** One at a time; of those that come meanwhile the last is done. */
  async _do(call) {
    if (this._isAsking) {
      this._next = call;
      return;
    }
    this._isAsking = true;
    for (let due = call; due; due = this._next) {
      this._next = null;
      try {
        const status = await due();
        setText(this._refused, "");
        this._show(status);
      } catch (error) {
        if (this.bus.state?.status === "REPLAYING") setText(this._refused, `Refused: ${error.message}`);
      }
    }
    this._isAsking = false;
  }

  _show(status) {
    this._status = status;
    const { position, length, hidden_units: units, epoch, speed, is_playing: isPlaying } = status;
    this.element.hidden = this.bus.state?.status !== "REPLAYING";
    setText(this._play, isPlaying ? "Pause" : "Play");
    this._seek.max = length - 1;
    this._seek.value = position;
    const grown = `${formatCount(units)} hidden ${units === 1 ? "unit" : "units"}`;
    const where = `step ${formatCount(position + 1)} of ${formatCount(length)} · ${grown} · epoch ${formatCount(epoch)}`;
    setText(this._where, where);
    this._seek.setAttribute("aria-valuetext", where);
    const speeds = SPEEDS.includes(speed) ? SPEEDS : [...SPEEDS, speed].sort((a, b) => a - b);
    if (this._speed.length !== speeds.length)
      this._speed.replaceChildren(...speeds.map((value) => new Option(`${value} steps/s`, value)));
    this._speed.value = speed;
    Object.assign(this.element.dataset, { position, length, playing: isPlaying });
  }
}
