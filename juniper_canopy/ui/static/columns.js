/** The metric columns of one run, which grow at the end alone. */
export const METRICS = [
  "epoch",
  "train_loss",
  "val_loss",
  "train_accuracy",
  "val_accuracy",
  "hidden_units",
  "timestamp",
];

export class Columns {
  constructor(capacity = 4096) {
    this.length = 0;
    this._capacity = capacity;
    this._buffers = Object.fromEntries(METRICS.map((name) => [name, new Float64Array(capacity)]));
  }

  /** @param {Record<string, ArrayLike<number>>} rows */
  append(rows) {
    const added = rows.epoch.length;
    this._reserve(this.length + added);
    for (const name of METRICS) this._buffers[name].set(rows[name], this.length);
    this.length += added;
  }

  clear() {
    this.length = 0;
  }

  /** A view of one column. Each reader gets a view of its own, so that no chart can spoil another's data. */
  column(name) {
    return this._buffers[name].subarray(0, this.length);
  }

  last(name) {
    return this.length ? this._buffers[name][this.length - 1] : NaN;
  }

  /** The index of the last row at or before an epoch, or -1. */
  indexAt(epoch) {
    const epochs = this._buffers.epoch;
    let low = 0;
    let high = this.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (epochs[middle] <= epoch) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  _reserve(length) {
    if (length <= this._capacity) return;
    while (this._capacity < length) this._capacity *= 2;
    for (const name of METRICS) {
      const grown = new Float64Array(this._capacity);
      grown.set(this._buffers[name].subarray(0, this.length));
      this._buffers[name] = grown;
    }
  }
}
