import { onAddress, readAddress, writeAddress } from "canopy/address.js";
import { trainingChoices } from "canopy/chart_choices.js";
import { ChartTools } from "canopy/chart_tools.js";
import { METRICS } from "canopy/columns.js";
import { pushButton } from "canopy/elements.js";
import { offerExport, toCsv } from "canopy/export.js";
import { formatCount, formatLoss, formatShare } from "canopy/format.js";
import { ghostRun } from "canopy/ghost_run.js";
import { drawInstalls } from "canopy/install_markers.js";
import { LinePlot } from "canopy/line_plot.js";
import { FIGURES, SHARES } from "canopy/metric_axes.js";
import { AXES, AXIS_CHOICES, layRun } from "canopy/run_axes.js";
import { smooth } from "canopy/smoothing.js";
import { View, make, setText } from "canopy/view.js";

const KINDS = {
  loss: {
    title: "Loss",
    format: formatLoss,
    axis: { label: "Loss (mean squared error)", ...FIGURES },
  },
  accuracy: {
    title: "Accuracy",
    format: formatShare,
    axis: { label: "Accuracy (share of patterns)", ...SHARES },
  },
};
const LINES = [
  { label: "train", color: "train" },
  { label: "validation", color: "validation", dash: [6, 3] },
];

/** One metric of training and validation along a run, with a marker where each unit was installed. */
export class MetricChart extends View {
  build() {
    const { metric } = this.options;
    this._kind = KINDS[metric];
    this._metrics = [`train_${metric}`, `val_${metric}`];
    this._choices = trainingChoices();
    this._ghost = { id: null, columns: null };
    this._run = null;
    this._laid = layRun("epoch", this._columns(), this._metrics);
    this._exporter = {
      element: this.element,
      name: () => [metric, this.bus.run].filter(Boolean).join("-"),
      png: () => this._plot.toPng(this._kind.title),
      csv: () => this._csv(),
    };
    this._buildHead();
    this._host = make("div", "chart-host");
    this._host.setAttribute("role", "img");
    this.element.append(this._host);
    this._form = this._wantedForm();
    this._plot = new LinePlot(this._host, this._spec());
    this.until(() => this._plot.destroy());
    this.until(offerExport(this._exporter));
    this.until(this._choices.follow(() => this._choose()));
    this.follow(["points", "installs"], () => this._draw());
    this.until(onAddress(() => this._seekGhost()));
    this._seekGhost();
  }

  _buildHead() {
    this._tools = new ChartTools({
      title: this._kind.title,
      key: this.options.metric,
      choices: this._choices,
      axes: AXIS_CHOICES,
      exporter: this._exporter,
    });
    this.until(() => this._tools.destroy());
    const head = make("div", "panel-head", make("h2", "panel-title", this._kind.title), this._tools.element);
    this.element.append(head, this._buildReadout());
  }

  _buildReadout() {
    [this._train, this._validation] = this._metrics.map((name) => {
      const value = make("span", "readout-value");
      value.dataset.readout = name;
      return value;
    });
    this._validationEntry = make("span", "readout", make("span", "key key-validation"), "validation ", this._validation);
    this._ghostName = make("span", "ghost-name");
    const takeAway = pushButton("×", () => writeAddress({ ghost: null }), "tool", "Take the ghost run away");
    this._ghostEntry = make("span", "readout ghost-entry", make("span", "key key-ghost"), this._ghostName, takeAway);
    this._ghostEntry.hidden = true;
    this._where = make("span", "readout-where");
    const train = make("span", "readout", make("span", "key key-train"), "train ", this._train);
    return make("div", "readout chart-readout", train, this._validationEntry, this._ghostEntry, this._where);
  }

  _spec() {
    const { axis, isXLog } = this._choices;
    const toX = this._toX();
    return {
      x: { ...this._axis(), isLog: isXLog },
      y: { ...this._kind.axis, isLog: this._choices.isLog(this.options.metric) },
      lines: LINES.map((line) => ({ ...line, hasPoints: axis === "units" })),
      sync: "canopy-training",
      behind: (plot) => toX && drawInstalls(plot, this.bus.installs, toX),
      onPointer: () => this._read(),
      onZoom: (range) => this._choices.chooseRange(range),
    };
  }

  /** What needs another plot when it changes. */
  _wantedForm() {
    return `${this._choices.axisWord} ${this._choices.isLog(this.options.metric)}`;
  }

  _axis() {
    return AXES[this._choices.axis] ?? AXES.epoch;
  }

  /** Where along x a unit was installed; along units themselves there is nothing to mark. */
  _toX() {
    if (this._axis() === AXES.epoch) return ({ epoch }) => epoch;
    if (this._axis() === AXES.time) return ({ epoch }) => this._laid.x[Math.max(0, this.bus.columns.indexAt(epoch))];
    return null;
  }

  _columns() {
    return Object.fromEntries(METRICS.map((name) => [name, this.bus.columns.column(name)]));
  }

  /** The choices may have changed: what costs a new plot is done only where it did. */
  _choose() {
    const { smoothing, range } = this._choices;
    const form = this._wantedForm();
    if (form !== this._form) {
      this._form = form;
      this._plot.rebuild(this._spec());
      this._draw();
    }
    this._plot.setSmoothing(smoothing);
    this._plot.zoomTo(range);
    this._drawGhost();
    this._describe();
  }

  _draw() {
    const { columns, run } = this.bus;
    this._startAnew(run);
    this._showValidation(columns.length === 0 || Number.isFinite(columns.last(this._metrics[1])));
    this._laid = layRun(this._choices.axis, this._columns(), this._metrics);
    const { x, values, units } = this._laid;
    this._plot.setData([x, ...values], [units, units]);
    this._read();
    this._describe();
  }

  /** A part of the last run's epochs would show nothing of the new one's. */
  _startAnew(run) {
    if (run !== null && this._run !== null && run !== this._run) this._choices.chooseRange(null);
    this._run = run ?? this._run;
  }

  /** A run without validation data has no such line: its undefined values would spoil the scale. */
  _showValidation(shown) {
    this._validationEntry.hidden = !shown;
    this._plot.showLine(1, shown);
  }

  async _seekGhost() {
    const id = readAddress("ghost");
    if (id === this._ghost.id) return;
    this._ghost = { id, columns: null };
    this._ghostEntry.hidden = id === null;
    setText(this._ghostName, `run ${id} …`);
    this._drawGhost();
    if (id === null) return;
    const { columns, problem } = await ghostRun(id);
    if (id !== this._ghost.id) return; // another is wanted by now
    this._ghost = { id, columns };
    setText(this._ghostName, `run ${id} ${problem}`.trim());
    this._drawGhost();
  }

  _drawGhost() {
    const { id, columns } = this._ghost;
    const { axis, smoothing } = this._choices;
    if (!columns) {
      this._plot.setGhosts([]);
      return;
    }
    const { x, values, units } = layRun(axis, columns, this._metrics);
    const ghosts = values.map((column, index) => ({
      ...LINES[index],
      label: `run ${id}, ${LINES[index].label}`,
      x,
      y: smoothing ? smooth(column, smoothing, units) : column,
    }));
    this._plot.setGhosts(ghosts);
  }

  /** The figures beside the title: of the last epoch, or of the one under the pointer. */
  _read() {
    const { x, values } = this._laid;
    const pointed = this._plot.pointedIndex();
    const index = pointed ?? x.length - 1;
    const [train, validation] = values.map((column) => column[index] ?? NaN);
    setText(this._train, this._kind.format(train));
    setText(this._validation, this._kind.format(validation));
    setText(this._where, pointed === null ? "" : this._axis().where(x[index]));
  }

  _describe() {
    const { columns, installs } = this.bus;
    const [train, validation] = this._metrics.map((name) => this._kind.format(columns.last(name)));
    const { tick, label } = this._axis();
    const part = this._plot.zoom ? `, shown from ${this._plot.zoom.map(tick).join(" to ")}` : "";
    const text =
      `${this._kind.title} against ${label.toLowerCase()}${part}: ${formatCount(columns.last("epoch"))} epochs, ` +
      `${installs.length} installed units, train ${train}, validation ${validation}`;
    this._host.setAttribute("aria-label", text);
    this._host.dataset.points = columns.length;
    this._host.dataset.installs = installs.length;
  }

  _csv() {
    const names = ["epoch", "timestamp", "hidden_units", ...this._metrics];
    return toCsv(names, names.map((name) => this.bus.columns.column(name)));
  }
}
