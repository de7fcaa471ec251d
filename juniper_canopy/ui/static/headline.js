import { formatCount, formatLoss, formatScore, formatShare } from "canopy/format.js";
import { View, make, setText } from "canopy/view.js";

/** The figures of this moment, read from the last point that the charts draw too. */
export class Headline extends View {
  build() {
    this._values = {};
    const tiles = [
      ["epoch", "Epoch"],
      ["phase", "Phase"],
      ["hidden_units", "Hidden units"],
      ["train_loss", "Train loss"],
      ["val_loss", "Validation loss"],
      ["train_accuracy", "Train accuracy"],
      ["val_accuracy", "Validation accuracy"],
      ["score", "Best score"],
      ["rate", "Updates"],
    ];
    const list = make("dl", "headline");
    for (const [key, label] of tiles) {
      const value = make("dd", "headline-value");
      value.dataset.figure = key;
      this._values[key] = value;
      list.append(make("div", "panel headline-tile", make("dt", "headline-label", label), value));
    }
    this.element.append(list);
    this.follow(["points", "installs", "state", "candidates", "topology"], () => this._draw());
    this.every(500, () => this._show("rate", `${formatCount(this.bus.updateRate())}/s`));
  }

  _draw() {
    const { columns, state, candidates } = this.bus;
    this._show("epoch", formatCount(columns.last("epoch")));
    this._show("phase", phaseInWords(state));
    this._show("hidden_units", formatCount(this.bus.hiddenUnits()));
    this._show("train_loss", formatLoss(columns.last("train_loss")));
    this._show("val_loss", formatLoss(columns.last("val_loss")));
    this._show("train_accuracy", formatShare(columns.last("train_accuracy")));
    this._show("val_accuracy", formatShare(columns.last("val_accuracy")));
    this._show("score", formatScore(candidates?.best ?? NaN));
  }

  _show(key, text) {
    setText(this._values[key], text);
  }
}

function phaseInWords(state) {
  if (!state) return "–";
  if (state.status === "COMPLETED") return "finished";
  if (state.status === "FAILED") return "failed";
  return { OUTPUT: "output", CANDIDATE: "candidate" }[state.phase] ?? "idle";
}
