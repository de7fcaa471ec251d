import { headingCell } from "canopy/elements.js";
import { formatCount, formatWeight } from "canopy/format.js";
import { figuresOf, layersOf, rowsOf } from "canopy/network.js";
import { View, make, setText } from "canopy/view.js";

const COLUMNS = { count: "Count", mean: "Mean", std: "Deviation", min: "Min", max: "Max" };
const KINDS = { hidden: "Hidden units' weights", output: "Output weights" };

/** What the network is made of, and how large its weights are; biases are counted by themselves. */
export class NetworkFigures extends View {
  build() {
    this.element.append(make("div", "panel-head", make("h2", "panel-title", "Network")));
    this._sizes = make("p", "network-sizes");
    const head = make("tr", "", make("td"), ...Object.values(COLUMNS).map((title) => headingCell("col", "", title)));
    this._cells = new Map();
    const rows = Object.entries(KINDS).map(([kind, name]) => {
      const cells = Object.keys(COLUMNS).map((column) => {
        const value = make("td");
        this._cells.set(`${kind} ${column}`, value);
        value.dataset.figure = `${kind} ${column}`;
        return value;
      });
      return make("tr", "", headingCell("row", "", name), ...cells);
    });
    this._table = make("table", "figures", make("thead", "", head), make("tbody", "", ...rows));
    this.element.append(this._sizes, make("div", "figures-host", this._table));
    this.follow(["topology"], () => this._draw());
  }

  _draw() {
    const { topology } = this.bus;
    this._table.hidden = !topology;
    if (!topology) {
      setText(this._sizes, "No network yet.");
      return;
    }
    const { input_size: inputs, output_size: outputs, hidden_units: hidden } = topology;
    const layers = Math.max(0, ...layersOf(topology));
    const rows = rowsOf(topology);
    const counts = [[inputs, "input"], [hidden.length, "hidden unit"], [layers, "layer"], [outputs, "output"], [rows.length, "bias", "biases"]];
    setText(this._sizes, counts.map(([count, one, more]) => `${formatCount(count)} ${count === 1 ? one : (more ?? `${one}s`)}`).join(" · "));
    for (const kind of Object.keys(KINDS)) {
      const own = rows.filter((row) => row.kind === kind);
      const figures = figuresOf(own.flatMap(({ weights }) => weights.filter((_, column) => column !== inputs)));
      for (const name of Object.keys(COLUMNS)) {
        const format = name === "count" ? formatCount : formatWeight;
        setText(this._cells.get(`${kind} ${name}`), format(figures[name]));
      }
    }
  }
}
