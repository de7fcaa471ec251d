import { onAddress, readAddress, writeAddress } from "canopy/address.js";
import { saveTools } from "canopy/chart_tools.js";
import { offerWords, pushButton, selectField } from "canopy/elements.js";
import { framedPng, offerExport } from "canopy/export.js";
import { FIRST_FEATURES, featuresInWords, readFeatures } from "canopy/features.js";
import { formatCount, formatWeight } from "canopy/format.js";
import { GrowthPictures } from "canopy/growth_pictures.js";
import { onThemeChange } from "canopy/palette.js";
import { drawPlane, fillLegend, legendOf } from "canopy/plane.js";
import { View, make, setText } from "canopy/view.js";

const STEP_MS = 400;
const LOOK_AGAIN_MS = 1000;
const LOOKS = 5; // a snapshot is written a moment after its unit was installed; or it was deleted since
const FEATURES = "at-features"; // in the address
const NO_RUN = "No run yet: start one, and its boundary can be followed from unit to unit.";
const LOADED = "This network was loaded: the growth of its own run can be followed where that run is shown.";
const NO_STOPS = "This run has no snapshot yet: the first is kept when a unit is installed.";

/**
 * The decision boundary of the foreground run as it stood after each installed unit. The page's address says after how
 * many (`at=3`); without that it is the newest, and stays so while the network grows. So it does over which inputs.
 */
export class BoundaryScrubber extends View {
  build() {
    this._pictures = new GrowthPictures();
    this._run = null;
    this._stops = [];
    this._shown = null; // { boundary, dataset }
    this._note = NO_RUN;
    this._legend = make("span", "readout");
    const exporter = {
      element: this.element,
      name: () => `boundary-${this._run}-after-${this._shown.boundary.units}-units`,
      png: () => framedPng(this._canvas, this._label.textContent, legendOf(this._shown.dataset)),
      isEmpty: () => !this._shown,
    };
    this.until(offerExport(exporter));
    const title = make("h2", "panel-title", "Boundary, unit by unit");
    this._saving = make("span", "", ...saveTools("Boundary, unit by unit", exporter));
    const tools = make("span", "chart-tools", this._planeChoice(), this._saving);
    this.element.append(make("div", "panel-head", title, this._legend, tools));
    this._canvas = make("canvas", "plane");
    this._canvas.setAttribute("role", "img");
    this._host = make("div", "canvas-host scrubber-host", this._canvas);
    this._held = make("p", "hint");
    this.element.append(this._host, this._held, this._scrubber());
    this.onResize(this._host, () => this._draw());
    this.until(onThemeChange(() => this._draw()));
    this.until(onAddress(() => this._show()));
    this.until(() => this._pause());
    this.until(() => clearTimeout(this._again));
    this.follow(["installs", "state", "topology", "dataset"], () => this._catchUp());
  }

  _planeChoice() {
    this._selects = ["Across", "Up"].map((name, side) => {
      return selectField(`${name}: input`, {}, (value) => {
        writeAddress({ [FEATURES]: featuresInWords(this._features.with(side, Number(value))) });
      });
    });
    this._choice = make("span", "scrubber-features", ...this._selects);
    return this._choice;
  }

  _scrubber() {
    const turn = () => (this._isPlaying ? this._pause() : this._start());
    this._play = pushButton("Play", turn, "small-button play-button");
    this._slider = make("input", "scrubber-slider");
    this._slider.type = "range";
    this._slider.min = 0;
    this._slider.setAttribute("aria-label", "Installed units");
    this._slider.oninput = () => {
      this._pause();
      this._goTo(Number(this._slider.value));
    };
    this._label = make("output", "scrubber-label");
    return make("div", "scrubber", this._play, this._slider, this._label);
  }

  /** The run, its units or its patterns are others than they were. */
  _catchUp() {
    const { run, topology } = this.bus;
    if (run !== this._run) {
      this._pause();
      const isFirst = this._run === null; // of a link's: it names this run's inputs
      this._run = run;
      this._stops = [];
      this._shown = null;
      this._wanted = null;
      if (!isFirst) writeAddress({ [FEATURES]: null });
    }
    this._note = run !== null ? NO_STOPS : topology ? LOADED : NO_RUN;
    this._looksLeft = LOOKS;
    this._offerFeatures(topology?.input_names ?? []);
    this._show();
    if (run !== null) this._findStops();
  }

  /** The inputs along the sides: the first two where the address names none that there are. */
  get _features() {
    const named = readFeatures(FEATURES);
    const count = this.bus.topology?.input_size ?? 0;
    return named.every((feature) => feature < count) ? named : FIRST_FEATURES;
  }

  _offerFeatures(names) {
    this._choice.hidden = names.length <= 2;
    if (this._choice.hidden) return;
    this._selects.forEach((select) => {
      if (select.length !== names.length) offerWords(select, { ...names });
    });
  }

  /** Asks for the stops; again a moment later, if something changed meanwhile. */
  async _findStops() {
    if (this._isFinding) {
      this._isDueAgain = true;
      return;
    }
    this._isFinding = true;
    const run = this._run;
    try {
      const stops = await this._pictures.stops(run);
      if (run === this._run) this._stops = stops;
    } catch (error) {
      this._note = error.message;
    }
    this._show();
    this._again = setTimeout(() => {
      const isBehind = (this._stops.at(-1)?.hidden_units ?? 0) < this.bus.hiddenUnits() && this._looksLeft > 0;
      const isDue = this._isDueAgain || isBehind;
      this._isFinding = this._isDueAgain = false;
      this._looksLeft -= 1;
      if (isDue && this._run !== null) this._findStops();
    }, LOOK_AGAIN_MS);
  }

  /** The place among the stops that the address names: the last with no more units. */
  get _position() {
    const units = readAddress("at");
    const last = this._stops.length - 1;
    if (units === null || !/^\d+$/.test(units)) return last;
    const found = this._stops.findLastIndex((stop) => stop.hidden_units <= Number(units));
    return Math.max(0, found);
  }

  _goTo(position) {
    const isLast = position >= this._stops.length - 1;
    writeAddress({ at: isLast ? null : this._stops[position].hidden_units });
  }

  /** Fetches and draws what the address names; where it names another meanwhile, that alone. */
  async _show() {
    this._tell();
    const stop = this._stops[this._position];
    if (!stop) {
      this._shown = this._wanted = null;
      this._draw();
      return;
    }
    const wanted = `${stop.snapshot_id} ${this._features} ${this._subject}`;
    if (wanted !== this._wanted) {
      this._wanted = wanted;
      this._showing = this._fetch(stop, wanted);
    }
    await this._showing;
  }

  async _fetch(stop, wanted) {
    try {
      const [boundary, dataset] = await Promise.all([
        this._pictures.boundary(stop.snapshot_id, this._features),
        this._patterns(),
      ]);
      if (wanted !== this._wanted) return;
      const inputs = this.bus.topology?.input_names ?? [];
      const names = this._features.map((feature, side) => inputs[feature] ?? boundary.names[side]);
      const classNames = this.bus.dataset?.class_names;
      this._shown = { boundary: { ...boundary, names }, dataset: { ...dataset, class_names: classNames } };
    } catch (error) {
      if (wanted !== this._wanted) return;
      this._shown = null;
      this._wanted = null;
      this._note = error.message;
    }
    this._draw();
  }

  get _subject() {
    return this.bus.dataset?.title ?? "";
  }

  async _patterns() {
    const isLive = this._features.every((feature, side) => feature === FIRST_FEATURES[side]);
    return isLive ? this.bus.dataset : await this._pictures.patterns(this._run, this._features, this._subject);
  }

  _tell() {
    const position = this._position;
    const stop = this._stops[position];
    const last = this._stops.length - 1;
    this._slider.max = Math.max(0, last);
    this._slider.value = Math.max(0, position);
    this._selects.forEach((select, side) => {
      select.value = this._features[side];
    });
    this._slider.disabled = this._play.disabled = last < 1;
    const units = this._stops.at(-1)?.hidden_units;
    const words = stop ? `after ${stop.hidden_units} of ${units} units, epoch ${formatCount(stop.epoch)}` : "";
    setText(this._label, words);
    this._slider.setAttribute("aria-valuetext", words);
    this.element.dataset.stops = this._stops.length;
  }

  _draw() {
    fillLegend(this._legend, this._shown?.dataset);
    const boundary = this._shown?.boundary;
    this._saving.hidden = !boundary;
    this._canvas.dataset.units = boundary?.units ?? "";
    const drawn = boundary ? `Decision boundary after ${boundary.units} hidden units` : this._note;
    this._canvas.setAttribute("aria-label", drawn);
    drawPlane(this._canvas, this._shown ?? {}, this._note);
    this._tellHeld(boundary);
  }

  _tellHeld(boundary) {
    const held = boundary?.held ?? [];
    this._held.hidden = held.length === 0;
    const words = held.map(([name, value]) => `${name} = ${formatWeight(value)}`).join(", ");
    const besides = boundary?.heldBesides ? `, and ${boundary.heldBesides} more` : "";
    setText(this._held, held.length ? `Held at their means: ${words}${besides}.` : "");
  }

  _start() {
    this._isPlaying = true;
    setText(this._play, "Pause");
    if (this._position >= this._stops.length - 1) this._goTo(0);
    this._timer = setTimeout(() => this._step(), STEP_MS);
  }

  /** One step further, when the picture of the last one is there. */
  async _step() {
    await this._show();
    if (!this._isPlaying) return;
    const next = this._position + 1;
    this._goTo(next);
    if (next >= this._stops.length - 1) this._pause();
    else this._timer = setTimeout(() => this._step(), STEP_MS);
  }

  _pause() {
    clearTimeout(this._timer);
    this._isPlaying = false;
    setText(this._play, "Play");
  }
}
