import { headingCell, pushButton, scrollBox } from "canopy/elements.js";
import { formatWeight } from "canopy/format.js";
import { make, setText } from "canopy/view.js";

/** Weights with their bars, in the order of the network or by size. Rows are used again, so that a focus in them stays. */
export class WeightTable {
  /**
   * @param {string} title
   * @param {string} end what stands at the other end of each weight: From, To
   * @param {(unit: string) => void} choose is called with the unit at the other end
   */
  constructor(title, end, choose) {
    this._choose = choose;
    this._order = "source";
    this._weights = [];
    this._rows = [];
    this._count = make("span", "readout");
    this._toggle = pushButton("", () => this._turn(), "small-button");
    this._body = make("tbody");
    const columns = make("thead", "", make("tr", "", headingCell("col", "", end), headingCell("col", "", "Weight"), make("td")));
    const table = make("table", "weights", columns, this._body);
    table.setAttribute("aria-label", title);
    const head = make("div", "panel-head", make("h3", "panel-title", title), this._count, this._toggle);
    this.element = make("section", "weights-section", head, scrollBox(title, table));
    this._name();
  }

  /** @param {{ label: string, name: string | null, weight: number }[]} weights */
  show(weights) {
    this._weights = weights;
    setText(this._count, String(weights.length));
    const size = ({ weight }) => Math.abs(weight);
    const ordered = this._order === "size" ? weights.toSorted((a, b) => size(b) - size(a)) : weights;
    const largest = Math.max(...weights.map(size), 1e-12);
    while (this._rows.length < ordered.length) this._add();
    for (const { row } of this._rows.splice(ordered.length)) row.remove();
    ordered.forEach(({ label, name, weight }, index) => {
      const { row, unit, plain, fill, value } = this._rows[index];
      row.dataset.end = label;
      row.dataset.weight = weight;
      setText(unit, name === null ? "" : label);
      setText(plain, name === null ? label : "");
      unit.hidden = name === null;
      unit.dataset.name = name ?? "";
      fill.className = `weight-fill ${weight < 0 ? "negative" : "positive"}`;
      fill.style.width = `${(50 * Math.abs(weight)) / largest}%`;
      setText(value, formatWeight(weight));
    });
  }

  _add() {
    const unit = pushButton("", () => this._choose(unit.dataset.name), "unit-link");
    const plain = make("span");
    const fill = make("span", "weight-fill");
    const value = make("td", "weight-value");
    const row = make("tr", "", make("td", "", unit, plain), value, make("td", "weight-bar", make("span", "weight-track", fill)));
    this._rows.push({ row, unit, plain, fill, value });
    this._body.append(row);
  }

  _turn() {
    this._order = this._order === "size" ? "source" : "size";
    this._name();
    this.show(this._weights);
  }

  _name() {
    setText(this._toggle, this._order === "size" ? "Sort in order" : "Sort by size");
  }
}
