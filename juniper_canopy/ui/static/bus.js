/**
 * The page's one source of live data: it holds the WebSocket, the columns and the last of everything else,
 * and tells the views once per animation frame what changed.
 *
 * A page begins with the shared history and goes on with numbered frames. Whenever a number is missing, it
 * was told of a gap, or the connection was new, it fetches the history again: there is no other way to heal.
 */
import { Columns } from "canopy/columns.js";
import { decodeFrame } from "canopy/frame.js";
import { askFrame } from "canopy/rest.js";

const SOCKET_PATH = "/ws/live";
const HISTORY_PATH = "/api/live/history";
const CLOSE_UNAUTHORIZED = 4001; // the session has ended: the page loaded anew is the log-in
const SILENCE_LIMIT_MS = 4000; // a frame comes at least once a second
const RETRY_MS = [250, 500, 1000, 2000];
const RATE_WINDOW_MS = 2000;
const MOST_ROWS = 30_000; // then the history, which the server thins, takes their place
const PARTS = ["state", "candidates", "topology", "boundary", "dataset"];

export class LiveBus {
  constructor() {
    this.columns = new Columns();
    this.installs = [];
    this.run = null;
    this.state = null;
    this.candidates = null;
    this.topology = null;
    this.boundary = null;
    this.dataset = null;
    this.mode = "service"; // or "demo", where recordings are shown
    this.upstream = false;
    this.connected = false;
    this.tab = null;
    this._age = null;
    this._ageAt = 0;
    this._tick = -1;
    this._waiting = null; // frames that came while the history was under way
    this._listeners = new Map();
    this._dirty = new Set();
    this._updateTimes = [];
    this._failures = 0;
    this._heardAt = performance.now();
  }

  /**
   * Calls `listener` with the topics that changed, in the next animation frame and whenever one of `topics` changed.
   * Returns the way to stop it.
   */
  subscribe(topics, listener) {
    this._listeners.set(listener, new Set(topics));
    this._mark(topics[0]);
    return () => this._listeners.delete(listener);
  }

  /** Another tab is open: views that were hidden catch up. */
  turnTo(tab) {
    this.tab = tab;
    this._mark("tab");
  }

  /** Seconds since the trainer itself last spoke, as of now; null when it never did. */
  dataAge() {
    return this._age === null ? null : this._age + (performance.now() - this._ageAt) / 1000;
  }

  /** How many units the network has: told by the newest point, by a unit that was installed since, or by itself. */
  hiddenUnits() {
    const drawn = this.topology?.hidden_units.length ?? 0;
    return Math.max(this.columns.last("hidden_units"), this.installs.at(-1)?.units ?? 0, drawn);
  }

  /** Frames with new points per second over the last two seconds: what this page really receives. */
  updateRate() {
    const since = performance.now() - RATE_WINDOW_MS;
    while (this._updateTimes.length && this._updateTimes[0] < since) this._updateTimes.shift();
    return this._updateTimes.length / (RATE_WINDOW_MS / 1000);
  }

  connect() {
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(`${scheme}//${location.host}${SOCKET_PATH}`);
    socket.binaryType = "arraybuffer";
    this._heardAt = performance.now();
    socket.onopen = () => this._refetch(socket);
    socket.onmessage = (message) => this._receive(socket, message.data);
    socket.onclose = ({ code }) => (code === CLOSE_UNAUTHORIZED ? location.reload() : this._retry(socket));
    this._socket = socket;
    this._watchdog ??= setInterval(() => this._closeWhenSilent(), 1000);
  }

  _closeWhenSilent() {
    const silent = performance.now() - this._heardAt > SILENCE_LIMIT_MS;
    // close() alone can wait for an answer that never comes, so the successor starts at once.
    if (silent && this._socket) {
      const abandoned = this._socket;
      abandoned.onclose = null;
      abandoned.close();
      this._retry(abandoned);
    }
  }

  _retry(socket) {
    if (socket !== this._socket) return;
    this._socket = null;
    this._waiting = null;
    this._setConnected(false);
    const wait = RETRY_MS[Math.min(this._failures, RETRY_MS.length - 1)];
    this._failures += 1;
    setTimeout(() => this.connect(), wait);
  }

  _setConnected(connected) {
    this.connected = connected;
    this._mark("link");
  }

  async _refetch(socket) {
    if (this._waiting) return;
    this._waiting = [];
    try {
      const history = await askFrame(HISTORY_PATH);
      if (socket !== this._socket) return; // its successor fetches for itself
      const waiting = this._waiting;
      this._waiting = null;
      this._failures = 0;
      this.apply(history);
      this._setConnected(true);
      for (const frame of waiting) this._next(socket, frame);
    } catch (error) {
      console.warn("Canopy:", error.message ?? error);
      if (socket === this._socket) socket.close();
    }
  }

  _receive(socket, data) {
    if (socket !== this._socket) return;
    this._heardAt = performance.now();
    const frame = decodeFrame(data);
    if (this._waiting) this._waiting.push(frame);
    else this._next(socket, frame);
  }

  _next(socket, frame) {
    const { type, tick } = frame.header;
    if (type === "gap") {
      this._refetch(socket);
      return;
    }
    if (tick <= this._tick) return; // the history already holds it
    if (tick !== this._tick + 1) {
      this._refetch(socket);
      return;
    }
    this.apply(frame);
  }

  /** Takes one decoded frame or history in. */
  apply({ header, arrays }) {
    this._tick = header.tick;
    this._age = header.age;
    this._ageAt = performance.now();
    if (header.mode !== this.mode) {
      this.mode = header.mode;
      this._mark("mode");
    }
    if (header.upstream !== this.upstream) {
      this.upstream = header.upstream;
      this._mark("link");
    }
    if (header.reset) this._startAnew(header.run);
    this._takePoints(header, arrays);
    if (header.installs?.length) {
      this.installs.push(...header.installs);
      this._mark("installs");
    }
    for (const part of PARTS) {
      if (header[part] === undefined) continue;
      this[part] = header[part];
      this._mark(part);
    }
    if (arrays.boundary) this.boundary.cells = arrays.boundary;
    if (arrays.dataset_x) {
      Object.assign(this.dataset, { x: arrays.dataset_x, y: arrays.dataset_y, classes: arrays.dataset_class });
    }
  }

  _startAnew(run) {
    this.run = run;
    this.columns.clear();
    this.installs = [];
    this.candidates = null;
    for (const topic of ["points", "installs", "candidates"]) this._mark(topic);
  }

  _takePoints(header, arrays) {
    if (!arrays.epoch?.length) return;
    this.columns.append(arrays);
    this._mark("points");
    if (header.type !== "frame") return;
    this._updateTimes.push(performance.now());
    if (this.columns.length > MOST_ROWS) this._refetch(this._socket);
  }

  _mark(topic) {
    if (this._dirty.size === 0) requestAnimationFrame(() => this._publish());
    this._dirty.add(topic);
  }

  _publish() {
    const dirty = this._dirty;
    this._dirty = new Set();
    for (const [listener, topics] of this._listeners) {
      if ([...dirty].some((topic) => topics.has(topic))) listener(dirty);
    }
  }
}

let shared = null;

/** The bus that all views of this page share; the first to ask connects it. */
export function liveBus() {
  if (!shared) {
    shared = new LiveBus();
    shared.connect();
  }
  return shared;
}
