/** Fetches how a run's boundary took its form, from juniper_canopy/api/boundaries.py; pictures are kept for a while. */
import { ask, askFrame, at } from "canopy/rest.js";

const PATH = "/api/boundaries";
const MOST_KEPT = 200; // 10 kB each

export class GrowthPictures {
  constructor() {
    this._kept = new Map();
  }

  /** Where the growth can be looked at: `{ snapshot_id, hidden_units, epoch }` in the order of the units. */
  async stops(run) {
    return (await ask(PATH, { run })).stops;
  }

  /** The boundary of a snapshot over two inputs, and what the others are held at. */
  boundary(snapshotId, [x, y]) {
    return this._get(at(PATH, snapshotId), { x_feature: x, y_feature: y }, "", ({ header, arrays }) => ({
      ...header.boundary,
      cells: arrays.boundary,
      held: header.held,
      heldBesides: header.held_besides,
    }));
  }

  /** Two features of a run's patterns; `subject` tells its datasets apart, where it was given others. */
  patterns(run, [x, y], subject) {
    const query = { run, x_feature: x, y_feature: y };
    return this._get(at(PATH, "patterns"), query, subject, ({ header, arrays }) => ({
      ...header.dataset,
      x: arrays.dataset_x,
      y: arrays.dataset_y,
      classes: arrays.dataset_class,
    }));
  }

  async _get(path, query, subject, read) {
    const key = JSON.stringify([path, query, subject]);
    if (this._kept.has(key)) return this._kept.get(key);
    const picture = read(await askFrame(path, query));
    this._kept.set(key, picture);
    if (this._kept.size > MOST_KEPT) this._kept.delete(this._kept.keys().next().value);
    return picture;
  }
}
