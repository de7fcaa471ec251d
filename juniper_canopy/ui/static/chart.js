import uPlot from "canopy/vendor/uplot/uPlot.esm.js";
import { drawInstalls } from "canopy/install_markers.js";
import { cssColor, onThemeChange } from "canopy/palette.js";
import { formatCount, formatLoss, formatShare } from "canopy/format.js";
import { View, make, setText } from "canopy/view.js";

const FONT = "12px Roboto, sans-serif";
const TITLE_FONT = "500 12px Roboto, sans-serif";
const SHORTEST_SPAN = 50; // epochs; a run's first points would else jump about

const KINDS = {
  loss: {
    title: "Loss",
    axis: "Loss (mean squared error)",
    format: formatLoss,
    tick: (value) => String(Number(value.toPrecision(4))),
    range: (_, low, high) => [0, Number.isFinite(high) && high > 0 ? high * 1.08 : 1],
  },
  accuracy: {
    title: "Accuracy",
    axis: "Accuracy (share of patterns)",
    format: formatShare,
    tick: (value) => `${Math.round(100 * value)} %`,
    range: (_, low) => [Number.isFinite(low) ? Math.max(0, Math.floor(low * 10 - 0.5) / 10) : 0, 1.02],
  },
};

/** One metric of training and validation against the epoch, with a marker where each unit was installed. */
export class MetricChart extends View {
  build() {
    this._kind = KINDS[this.options.metric];
    this._buildHeader();
    this._host = make("div", "chart-host");
    this._host.setAttribute("role", "img");
    this.element.append(this._host);
    this._plot = this._newPlot();
    this.onResize(this._host, () => this._plot.setSize(this._size()));
    this.until(onThemeChange(() => this._rebuild()));
    this.until(() => this._plot.destroy());
    this.follow(["points", "installs"], () => this._draw());
  }

  _buildHeader() {
    this._train = make("span", "readout-value");
    this._validation = make("span", "readout-value");
    this._train.dataset.readout = `train_${this.options.metric}`;
    this._validation.dataset.readout = `val_${this.options.metric}`;
    this._where = make("span", "readout-where");
    this._validationEntry = make("span", "readout", make("span", "key key-validation"), "validation ", this._validation);
    const readout = make(
      "span",
      "readout",
      make("span", "key key-train"),
      "train ",
      this._train,
      this._validationEntry,
      this._where,
    );
    this.element.append(make("div", "panel-head", make("h2", "panel-title", this._kind.title), readout));
  }

  _size() {
    return { width: Math.max(this._host.clientWidth, 100), height: Math.max(this._host.clientHeight, 100) };
  }

  _newPlot() {
    const axis = {
      stroke: cssColor("text-soft"),
      font: FONT,
      labelFont: TITLE_FONT,
      grid: { stroke: cssColor("grid"), width: 1 },
      ticks: { show: false },
      labelSize: 18,
    };
    const { metric } = this.options;
    this._metrics = [`train_${metric}`, `val_${metric}`];
    const options = {
      ...this._size(),
      padding: [18, 24, 0, 0],
      legend: { show: false },
      cursor: { sync: { key: "canopy-epochs" }, points: { size: 7 }, drag: { x: true, y: false } },
      scales: { x: { time: false, range: epochRange }, y: { range: this._kind.range } },
      axes: [
        { ...axis, label: "Epoch", size: 30, gap: 4, values: (_, ticks) => ticks.map(wholeEpoch) },
        { ...axis, label: this._kind.axis, size: 48, gap: 6, values: (_, ticks) => ticks.map(this._kind.tick) },
      ],
      series: [
        {},
        { label: "train", stroke: cssColor("train"), width: 2, points: { show: false } },
        { label: "validation", stroke: cssColor("validation"), width: 2, dash: [6, 3], points: { show: false } },
      ],
      hooks: {
        drawAxes: [(plot) => drawInstalls(plot, this.bus.installs)],
        setCursor: [() => this._read()],
        setSelect: [(plot) => this._onSelect(plot)],
      },
    };
    return new uPlot(options, this._data(), this._host);
  }

  _rebuild() {
    this._plot.destroy();
    this._plot = this._newPlot();
  }

  _data() {
    return ["epoch", ...this._metrics].map((name) => this.bus.columns.column(name));
  }

  _onSelect(plot) {
    if (plot.select.width > 0) this._zoomed = true;
    plot.over.ondblclick = () => {
      this._zoomed = false;
      this._draw();
    };
  }

  _draw() {
    const { columns } = this.bus;
    if (columns.length === 0) this._zoomed = false;
    this._showValidation(columns.length === 0 || Number.isFinite(columns.last(this._metrics[1])));
    this._plot.setData(this._data(), !this._zoomed);
    if (this._zoomed) this._plot.redraw();
    this._read();
    this._describe();
  }

  /** A run without validation data has no such line: its undefined values would spoil the scale. */
  _showValidation(shown) {
    this._validationEntry.hidden = !shown;
    if (this._plot.series[2].show !== shown) this._plot.setSeries(2, { show: shown });
  }

  /** The figures beside the title: of the last epoch, or of the one under the pointer. */
  _read() {
    if (!this._plot) return;
    const { columns } = this.bus;
    const left = this._plot.cursor.left;
    const pointed = left >= 0 && columns.length ? columns.indexAt(this._plot.posToVal(left, "x")) : -1;
    const index = pointed >= 0 ? pointed : columns.length - 1;
    const [train, validation] = this._metrics.map((name) => columns.column(name)[index] ?? NaN);
    setText(this._train, this._kind.format(train));
    setText(this._validation, this._kind.format(validation));
    setText(this._where, pointed >= 0 ? `at epoch ${formatCount(columns.column("epoch")[pointed])}` : "");
  }

  _describe() {
    const { columns, installs } = this.bus;
    const metric = this.options.metric;
    const text =
      `${this._kind.title} of ${formatCount(columns.last("epoch"))} epochs with ${installs.length} installed units: ` +
      `train ${this._kind.format(columns.last(`train_${metric}`))}, ` +
      `validation ${this._kind.format(columns.last(`val_${metric}`))}`;
    this._host.setAttribute("aria-label", text);
    this._host.dataset.points = columns.length;
    this._host.dataset.installs = installs.length;
  }
}

function epochRange(_, low, high) {
  if (!Number.isFinite(low)) return [0, SHORTEST_SPAN];
  return [low <= 1 ? 0 : low, Math.max(high, low + SHORTEST_SPAN)];
}

const wholeEpoch = (value) => (Number.isInteger(value) ? formatCount(value) : "");
