import { onAddress, readAddress, writeAddress } from "canopy/address.js";
import { pushButton } from "canopy/elements.js";
import { formatCount, formatScore, formatWeight } from "canopy/format.js";
import { columnsOf, findRow, layersOf, outgoingOf, rowsOf } from "canopy/network.js";
import { View, make, setText } from "canopy/view.js";
import { WeightTable } from "canopy/weight_table.js";

const FACTS = ["Activation", "Installed at epoch", "Correlation score", "Layer", "Bias"];

/** All that is known of one unit: the one that the page's address names, else the newest hidden unit. */
export class UnitInspector extends View {
  build() {
    this._title = make("h2", "panel-title");
    this.element.append(make("div", "panel-head", this._title, this._jump()));
    this._hint = make("p", "hint");
    this._facts = new Map(FACTS.map((name) => [name, make("dd")]));
    const facts = make("dl", "facts", ...[...this._facts].map(([name, value]) => make("div", "", make("dt", "", name), value)));
    const choose = (name) => this._choose(name);
    this._incoming = new WeightTable("Incoming weights", "From", choose);
    this._outgoing = new WeightTable("Outgoing weights", "To", choose);
    this._body = make("div", "unit-body", facts, this._incoming.element, this._outgoing.element);
    this.element.append(this._hint, this._body);
    this.until(onAddress(() => this._draw()));
    this.follow(["topology", "installs"], () => this._draw());
  }

  _jump() {
    this._previous = this._step("‹", "Previous unit", -1);
    this._next = this._step("›", "Next unit", 1);
    this._field = make("input", "field unit-number");
    this._field.type = "number";
    this._field.min = 0;
    this._field.placeholder = "out";
    this._field.setAttribute("aria-label", "Hidden unit");
    this._field.onchange = () => this._field.value !== "" && this._choose(String(Number(this._field.value)));
    const jump = make("div", "unit-jump", this._previous, this._field, this._next);
    jump.onkeydown = (event) => {
      const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      const isOurs = event.target !== this._field && !event.ctrlKey && !event.altKey && !event.metaKey;
      if (by === undefined || !isOurs) return;
      event.preventDefault();
      this._stepBy(by);
    };
    return jump;
  }

  _step(text, name, by) {
    return pushButton(text, () => this._stepBy(by), "small-button", name);
  }

  _stepBy(by) {
    const next = this._rows?.[this._rows.indexOf(this._row) + by];
    if (next) this._choose(next.name);
  }

  _choose(name) {
    writeAddress({ unit: name });
  }

  _draw() {
    const { topology } = this.bus;
    this._body.hidden = !topology;
    if (!topology) {
      this._rows = this._row = null;
      setText(this._title, "Unit");
      this._say("No network yet.");
      return;
    }
    const wanted = readAddress("unit");
    this._rows = rowsOf(topology);
    this._row = findRow(this._rows, wanted);
    const { name, label, kind, index, weights } = this._row;
    this.element.dataset.unit = name;
    setText(this._title, kind === "hidden" ? `Unit ${label}` : `Output ${index}`);
    const isMissing = wanted !== null && wanted !== name;
    this._say(isMissing ? `There is no unit ${wanted.slice(0, 12)} now; this is ${label}.` : "");
    this._tellPlace(topology);
    this._tellFacts(topology);
    const columns = columnsOf(topology);
    const incoming = weights.map((weight, column) => ({ ...columns[column], weight }));
    this._incoming.show(incoming.filter((_, column) => column !== topology.input_size));
    this._outgoing.element.hidden = kind !== "hidden";
    this._outgoing.show(kind === "hidden" ? outgoingOf(topology, this._rows, index) : []);
  }

  _say(text) {
    this._hint.hidden = text === "";
    setText(this._hint, text);
  }

  _tellPlace({ hidden_units: hidden }) {
    const at = this._rows.indexOf(this._row);
    this._previous.disabled = at === 0;
    this._next.disabled = at === this._rows.length - 1;
    this._field.max = Math.max(0, hidden.length - 1);
    const shown = this._row.kind === "hidden" ? String(this._row.index) : "";
    if (document.activeElement !== this._field) this._field.value = shown; // else somebody is typing
  }

  _tellFacts(topology) {
    const { kind, index, activation, weights } = this._row;
    const isHidden = kind === "hidden";
    const install = isHidden ? this.bus.installs.find((unit) => unit.index === index) : undefined;
    const layers = layersOf(topology);
    this._tell("Activation", activation);
    this._tell("Installed at epoch", isHidden ? formatCount(install?.epoch) : null);
    this._tell("Correlation score", isHidden ? formatScore(install?.score) : null);
    this._tell("Layer", isHidden ? `${layers[index]} of ${Math.max(...layers)}` : null);
    this._tell("Bias", formatWeight(weights[topology.input_size]));
  }

  /** What does not concern this kind of unit is not shown. */
  _tell(name, text) {
    const value = this._facts.get(name);
    value.parentElement.hidden = text === null;
    setText(value, text ?? "");
  }
}
