/**
 * What the Data tab shows: a dataset that is kept, which the address names with its axes (`?dataset=ID&features=1,3`,
 * or `features=principal`), or the preview of one that is not made yet. The views of the tab share it; whatever comes
 * late for what is no longer shown is let go.
 */
import { onAddress, readAddress, writeAddress } from "canopy/address.js";
import { FIRST_FEATURES, featuresInWords, readFeatures } from "canopy/features.js";
import { ask, at, tell } from "canopy/rest.js";

const PRINCIPAL = "principal";

/** What to ask for. The first two features are asked for as the first one: alone it is laid against the target. */
function axesOf(plane) {
  if (plane === PRINCIPAL) return { axes: PRINCIPAL, x: 0, y: null };
  const [x, y] = plane;
  return { axes: "features", x, y: featuresInWords(plane) === null ? null : y };
}

const namedAxes = () => axesOf(readAddress("features") === PRINCIPAL ? PRINCIPAL : readFeatures("features"));

class ShownDataset {
  constructor() {
    this.id = null;
    this.facts = null; // a dataset's meta, or a preview's figures
    this.scatter = null;
    this.axes = axesOf(FIRST_FEATURES);
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
    writeAddress({ dataset: id, features: null }, true);
    this._follow();
  }

  preview(generator, params) {
    const isAnother = this._preview?.generator !== generator;
    this._preview = { generator, params };
    this.id = null;
    writeAddress({ dataset: null, features: null });
    if (isAnother) this.axes = axesOf(FIRST_FEATURES);
    return this._load(() => this._previewed());
  }

  /**
   * Lays the same samples on other axes; those of a preview, of which no link can be made, are not in the address.
   * @param {"principal" | [number, number]} plane the first two components, or two features
   */
  layOn(plane) {
    if (!this.isPreview) {
      writeAddress({ features: plane === PRINCIPAL ? PRINCIPAL : featuresInWords(plane) });
      return;
    }
    this.axes = axesOf(plane);
    this._load(() => this._previewed());
  }

  _follow() {
    const named = readAddress("dataset");
    if (named === this.id) {
      this._turn();
      return;
    }
    this.id = named;
    this.axes = named === null ? axesOf(FIRST_FEATURES) : namedAxes();
    this.facts = null;
    this.scatter = null;
    if (named !== null) this._preview = null;
    if (named === null) this._end({ problem: "" });
    else this._load(async () => ({ ...(await ask(datasetPath(named))), ...(await this._laid()) }));
  }

  /** The same dataset, but perhaps on other axes. */
  _turn() {
    const axes = namedAxes();
    if (this.id === null || JSON.stringify(axes) === JSON.stringify(this.axes)) return;
    this.axes = axes;
    this._load(() => this._laid());
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
