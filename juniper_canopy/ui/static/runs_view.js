import { writeAddress } from "canopy/address.js";
import { View, setText } from "canopy/view.js";

const listeners = new Set();
const PERIOD_MS = 4000; // what happens beside the foreground comes with no message

/** Something was done to runs or snapshots. */
export function tellRunsChanged() {
  for (const listener of listeners) listener();
}

/** The first snapshot that is listed, as the address has it. */
export const SNAPSHOTS_FROM = "snapshots-from";

/** Opens a run, or none, and the newest of its snapshots. */
export function openRun(id, besides = {}) {
  writeAddress({ run: id, snapshot: null, [SNAPSHOTS_FROM]: null, ...besides });
}

/** A view of what the services keep of runs: `refresh` is called when it may be out of date and can be seen. */
export class RunsView extends View {
  /** Begin to follow. */
  followRuns() {
    listeners.add((this._onNews ??= () => this._refreshSeen()));
    this.until(() => listeners.delete(this._onNews));
    this.every(PERIOD_MS, this._onNews);
    this.follow(["state"], () => this._refreshSeen());
  }

  /** Fetches and draws again. One at a time: what is wished for meanwhile is done once after it. */
  async refresh() {
    if (this._isRefreshing) {
      this._isWanted = true;
      return;
    }
    this._isRefreshing = true;
    do {
      this._isWanted = false;
      try {
        await this.load();
        this.say("");
      } catch (error) {
        this.say(`Could not ${this.purpose}: ${error.message}`);
      }
    } while (this._isWanted);
    this._isRefreshing = false;
  }

  /** What went wrong, in words; nothing where all is well. */
  say(words) {
    this.problem.hidden = !words;
    setText(this.problem, words);
  }

  /** Does what a person asked for, and says what was refused. */
  async act(what, action) {
    try {
      await action();
      this.refused.hidden = true;
    } catch (error) {
      this.refused.hidden = false;
      setText(this.refused, `Could not ${what}: ${error.message}`);
    }
    tellRunsChanged();
  }

  _refreshSeen() {
    if (!document.hidden && !this.element.closest("[hidden]")) this.refresh();
  }
}
