import { headingCell } from "canopy/elements.js";
import { formatCount, formatScore } from "canopy/format.js";
import { View, make } from "canopy/view.js";

/** The installed units, the newest first: when each came and how well it scored. */
export class Growth extends View {
  build() {
    this._body = make("tbody");
    const head = make("tr", "", ...["Unit", "Epoch", "Score"].map((title) => headingCell("col", "", title)));
    this._table = make("table", "growth", make("thead", "", head), this._body);
    this._empty = make("p", "hint", "No unit installed yet.");
    this.element.append(this._table, this._empty);
    this._drawn = 0;
    this.follow(["installs"], () => this._draw());
  }

  _draw() {
    const { installs } = this.bus;
    this._empty.hidden = installs.length > 0;
    this._table.hidden = installs.length === 0;
    if (installs.length < this._drawn || this._first !== installs[0]) {
      this._body.replaceChildren();
      this._drawn = 0;
      this._first = installs[0];
    }
    for (const { index, epoch, score } of installs.slice(this._drawn)) {
      const row = make("tr", "", cell(`h${index}`), cell(formatCount(epoch)), cell(formatScore(score)));
      this._body.prepend(row);
    }
    this._drawn = installs.length;
  }
}

const cell = (text) => make("td", "", text);
