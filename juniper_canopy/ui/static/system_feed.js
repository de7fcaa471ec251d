/**
 * What the System tab's views share: the newest report of each service and the figures of the last hour.
 * It asks while one of the views is there and can be seen.
 */
import { Polling } from "canopy/polling.js";
import { ask } from "canopy/rest.js";

const PERIOD_MS = 2000;
const PATIENCE_MS = 8000;
const KEPT_S = 3600;

class SystemFeed {
  constructor() {
    this.services = [];
    this.problem = "";
    this.time = []; // Unix seconds
    this.columns = new Map(); // of the same length, null where nothing was told
    this._listeners = new Set();
  }

  /** Calls `listener` after each answer. Returns the way to stop it. */
  subscribe(bus, listener) {
    this._listeners.add(listener);
    this._polling ??= new Polling(bus, "system", PERIOD_MS, () => this._ask());
    return () => {
      this._listeners.delete(listener);
      if (this._listeners.size > 0) return;
      this._polling.end();
      this._polling = null;
    };
  }

  /** Whether the dashboard shows recordings, and has no other service to tell of. */
  get isDemo() {
    return this.services.length > 0 && !this.services.some(({ service }) => service === "cascor");
  }

  /** The last report of a service that is there now, or null. */
  report(service) {
    const card = this.services.find((one) => one.service === service);
    return card && !card.problem ? card.host : null;
  }

  async _ask() {
    try {
      const answer = await ask("/api/system", { since: this.time.at(-1) ?? 0 }, PATIENCE_MS);
      this.services = answer.services;
      this.problem = "";
      if (answer.time < this.time.at(-1)) this._forget(); // the host's clock was set back
      else this._append(answer.samples);
    } catch (error) {
      this.problem = `${error.message} Trying again.`;
    }
    for (const listener of this._listeners) listener();
  }

  _forget() {
    this.time = [];
    this.columns.clear();
  }

  _append({ time, columns }) {
    const held = this.time.length;
    const names = new Set([...this.columns.keys(), ...Object.keys(columns)]);
    const begin = this.time.concat(time).findIndex((at) => at > (time.at(-1) ?? 0) - KEPT_S);
    for (const name of names) {
      const before = this.columns.get(name) ?? Array(held).fill(null);
      const after = columns[name] ?? Array(time.length).fill(null);
      this.columns.set(name, before.concat(after).slice(Math.max(begin, 0)));
    }
    this.time = this.time.concat(time).slice(Math.max(begin, 0));
  }
}

export const systemFeed = new SystemFeed();
