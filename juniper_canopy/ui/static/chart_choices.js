import { onAddress, readAddress, writeAddress } from "canopy/address.js";

const MOST_SMOOTHING = 0.98;
const DIGITS = 6; // of a range's ends

/**
 * How a group of charts is drawn, which the address holds so that a link brings it back:
 * `x=time-log&smooth=0.6&log=loss&range=120..480`. Charts of one group share all of it but the logarithmic y.
 */
export class ChartChoices {
  /** @param {string} prefix of the names in the address, where a page has several groups */
  constructor(prefix = "") {
    this._prefix = prefix;
    this._listeners = new Set();
    this._read();
    onAddress(() => this._read());
  }

  /** What lies along x: `epoch`, `time` or `units`. */
  get axis() {
    return this._axis.replace(/-log$/, "");
  }

  get isXLog() {
    return this._axis.endsWith("-log");
  }

  /** The axis and its scale in one word, as the address has them. */
  get axisWord() {
    return this._axis;
  }

  get smoothing() {
    return this._smoothing;
  }

  /** [low, high] along x, or null for all there is. */
  get range() {
    return this._range;
  }

  isLog(chart) {
    return this._logs.includes(chart);
  }

  /** Another axis shows all there is: a range of epochs means nothing in seconds. */
  chooseAxis(word) {
    this._write({ x: word === "epoch" ? null : word, range: null });
  }

  /** Smooths without noting it in the address: for while a slider moves. */
  trySmoothing(weight) {
    this._smoothing = weight;
    this._tell();
  }

  chooseSmoothing(weight) {
    this._write({ smooth: weight || null });
  }

  chooseLog(chart, isLog) {
    this._write({ log: [...this._logs.filter((name) => name !== chart), ...(isLog ? [chart] : [])].join(",") });
  }

  chooseRange(range) {
    this._write({ range: range && range.map((end) => Number(end.toPrecision(DIGITS))).join("..") });
  }

  /** Calls `listener` now and whenever one of the choices changed. Returns the way to stop it. */
  follow(listener) {
    this._listeners.add(listener);
    listener();
    return () => this._listeners.delete(listener);
  }

  _write(values) {
    writeAddress(Object.fromEntries(Object.entries(values).map(([name, value]) => [this._prefix + name, value])));
  }

  _read() {
    const text = (name) => readAddress(this._prefix + name, "");
    const smoothing = Number(text("smooth"));
    const range = text("range").split("..").map(Number);
    this._axis = text("x") || "epoch";
    this._smoothing = Number.isFinite(smoothing) ? Math.min(Math.max(smoothing, 0), MOST_SMOOTHING) : 0;
    this._logs = text("log").split(",").filter(Boolean);
    this._range = range.length === 2 && range[0] < range[1] ? range : null;
    const words = ["x", "smooth", "log", "range"].map(text).join("&");
    if (words !== this._words) this._tell();
    this._words = words;
  }

  _tell() {
    for (const listener of this._listeners) listener();
  }
}

let shared = null;

/** The choices that all charts of the Training tab share. */
export function trainingChoices() {
  shared ??= new ChartChoices();
  return shared;
}
