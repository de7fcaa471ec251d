/**
 * What the Data tab shows: a dataset that is kept, which the address names (`?dataset=ID`), or the preview of one that
 * is not made yet. The views of the tab share it; whatever comes late for what is no longer shown is let go.
 */
import { onAddress, readAddress, writeAddress } from "canopy/address.js";
import { ask, at, tell } from "canopy/rest.js";

const FEATURES = { axes: "features", x: 0, y: null };

class ShownDataset {
  constructor() {
    this.id = null;
    this.facts = null; // a dataset's meta, or a preview's figures
    this.scatter = null;
    this.axes = FEATURES;
    this.problem = "";
    this.isLoading = false;
    this._preview = null;
    this._asked = 0;
    this._listeners = new Set();
    onAddress(() => this._follow());
    this._follow();
  }

  /** Whether it is a preview, of which nothing is kept. */
  get isPreview() {
    return this._preview !== null;
  }

  /** Calls `listener` now and after each change, with what a service refused if it did. Returns the way to stop it. */
  subscribe(listener) {
    this._listeners.add(listener);
    listener(null);
    return () => this._listeners.delete(listener);
  }

  /** Shows a dataset; null shows nothing. */
  select(id) {
    writeAddress({ dataset: id }, true);
    this._follow();
  }

  preview(generator, params) {
    const isAnother = this._preview?.generator !== generator;
    this._preview = { generator, params };
    this.id = null;
    writeAddress({ dataset: null });
    if (isAnother) this.axes = FEATURES;
    return this._load(() => this._previewed());
  }

  /** Lays the same samples on other axes. */
  layOn(axes) {
    this.axes = axes;
    return this._load(() => (this.isPreview ? this._previewed() : this._laid()));
  }

  _follow() {
    const named = readAddress("dataset");
    if (named === this.id) return;
    this.id = named;
    this.axes = FEATURES;
    this.facts = null;
    this.scatter = null;
    if (named !== null) this._preview = null;
    if (named === null) this._end({ problem: "" });
    else this._load(async () => ({ ...(await ask(datasetPath(named))), ...(await this._laid()) }));
  }

  async _previewed() {
    const { generator, params } = this._preview;
    const path = at("/api/generators", generator, "preview");
    const { preview, scatter } = await tell("POST", path, { params, ...this.axes });
    return { facts: preview, scatter };
  }

  async _laid() {
    return { scatter: await ask(datasetPath(this.id, "scatter"), this.axes) };
  }

  async _load(load) {
    this._asked += 1;
    const asked = this._asked;
    this.isLoading = true;
    this._tell();
    try {
      const came = await load();
      if (asked === this._asked) this._take(came);
    } catch (error) {
      if (asked === this._asked) this._end({ problem: error.message }, error.detail ?? error.message);
    }
  }

  _take({ facts, scatter, ...meta }) {
    if (facts) {
      // A seed that was drawn stays while the axes change: the same points are looked at from elsewhere.
      this._preview = { ...this._preview, params: { ...this._preview.params, seed: facts.params.seed } };
      this.facts = facts;
    } else if (meta.dataset_id) {
      this.facts = meta;
    }
    this.scatter = scatter;
    this._end({ problem: "" });
  }

  _end(state, refused = null) {
    Object.assign(this, state, { isLoading: false });
    this._tell(refused);
  }

  _tell(refused = null) {
    for (const listener of this._listeners) listener(refused);
  }
}

const datasetPath = (id, ...parts) => at("/api/datasets", id, ...parts);

/** Where a dataset's NPZ is to be had. */
export const artifactPath = (id) => datasetPath(id, "artifact");

let shared = null;

/** The one of this page. */
export function shownDataset() {
  shared ??= new ShownDataset();
  return shared;
}
