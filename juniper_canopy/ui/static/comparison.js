import uPlot from "canopy/vendor/uplot/uPlot.esm.js";
import { onAddress, readAddress, writeAddress } from "canopy/address.js";
import { ChartChoices } from "canopy/chart_choices.js";
import { ChartTools } from "canopy/chart_tools.js";
import { alertLine, headingCell, lineKey, scrollBox } from "canopy/elements.js";
import { offerExport, toCsv } from "canopy/export.js";
import { formatCount, formatLoss, formatScore, formatShare } from "canopy/format.js";
import { LinePlot } from "canopy/line_plot.js";
import { CLASS_COUNT, cssColor } from "canopy/palette.js";
import { ask } from "canopy/rest.js";
import { FIGURES, SHARES } from "canopy/metric_axes.js";
import { AXES, AXIS_CHOICES, layRun } from "canopy/run_axes.js";
import { RunsView } from "canopy/runs_view.js";
import { comparedRuns } from "canopy/run_table.js";
import { nameOf } from "canopy/run_words.js";
import { make, setText } from "canopy/view.js";

const POINTS = 1000; // of each curve: more than a chart has columns
const DASHES = [[], [7, 4], [2, 3], [10, 3, 2, 3]];
const MARK = 9; // CSS pixels, of a unit's tick at the foot of the chart

const METRICS = {
  train_loss: { label: "Train loss", format: formatLoss, ...FIGURES },
  val_loss: { label: "Validation loss", format: formatLoss, ...FIGURES },
  train_accuracy: { label: "Train accuracy", format: formatShare, ...SHARES },
  val_accuracy: { label: "Validation accuracy", format: formatShare, ...SHARES },
  hidden_units: { label: "Hidden units", format: formatCount, ...FIGURES },
  score: { label: "Best score", format: formatScore, ...FIGURES },
};
const CHART = "metric"; // its name among the choices
const HIDDEN = "compare-hide";

/** The ids of the runs whose lines are left out, as the address has them. */
const hiddenRuns = () => new Set(readAddress(HIDDEN, "").split(","));

/** Any runs side by side: one metric on one axis, and in what the runs differ. */
export class Comparison extends RunsView {
  build() {
    this.purpose = "compare the runs";
    this._comparison = null;
    this._metric = choice("Metric", METRICS, (name) => writeAddress({ "compare-metric": name }));
    this._choices = new ChartChoices("compare-");
    this._hint = make("p", "hint");
    this.problem = alertLine();
    this._host = make("div", "chart-host");
    this._host.setAttribute("role", "img");
    this._legend = make("div", "compare-legend");
    this._legend.setAttribute("role", "group");
    this._legend.setAttribute("aria-label", "Lines that are drawn");
    this._differing = make("table", "list differing");
    const scroller = scrollBox("In what they differ", this._differing);
    const chart = make("div", "compare-chart", this._host, this._legend);
    this._all = make(
      "div",
      "compare-body",
      chart,
      make("div", "compare-table", make("h3", "panel-title", "In what they differ"), scroller),
    );
    const exporter = {
      element: this._all,
      name: () => `comparison-${this._metric.control.value}`,
      png: () => this._plot.toPng(METRICS[this._metric.control.value].label),
      csv: () => this._csv(),
      isEmpty: () => this._comparison === null,
    };
    const choices = this._choices;
    this._tools = new ChartTools({ title: "Comparison", key: CHART, choices, axes: AXIS_CHOICES, exporter });
    this.element.append(
      make("div", "panel-head", make("h2", "panel-title", "Comparison"), this._metric, this._tools.element),
      this._hint,
      this.problem,
      this._all,
    );
    this._showNothing();
    this.until(offerExport(exporter));
    this.until(() => this._tools.destroy());
    this.until(() => this._plot?.destroy());
    this.until(onAddress(() => this._readAddress()));
    this.until(this._choices.follow(() => this._draw()));
    this._readAddress();
    this.followRuns();
  }

  _readAddress() {
    const metric = readAddress("compare-metric");
    this._metric.control.value = metric in METRICS ? metric : "train_loss";
    this._showLines();
    if (comparedRuns().join() !== this._asked || this._metric.control.value !== this._askedMetric) this.refresh();
  }

  async load() {
    const ids = comparedRuns();
    const metric = this._metric.control.value;
    const isKnown = this._asked === ids.join() && this._askedMetric === metric;
    this._asked = ids.join();
    this._askedMetric = metric;
    if (ids.length < 2) {
      this._showNothing(ids.length);
      return;
    }
    if (isKnown && this._comparison?.runs.every(({ ended_at: end }) => end !== null)) return;
    const comparison = await ask("/api/runs/compare", {
      ids: ids.join(),
      names: [...new Set([metric, "hidden_units"])].join(),
      limit: POINTS,
    });
    if (this._asked !== ids.join() || this._askedMetric !== metric) return;
    this._comparison = comparison;
    this._hideChart(false);
    this._draw();
    this._drawDiffering();
  }

  _showNothing(count = 0) {
    this._comparison = null;
    this._hideChart(true);
    this._hint.hidden = false;
    setText(
      this._hint,
      count === 0 ? "Tick two or more runs in the list to compare them." : "Tick another run to compare it with.",
    );
    this._host.dataset.lines = 0;
  }

  /** Says where there is no line to see: without held-out patterns a run has no validation. */
  _tellEmpty() {
    const isEmpty = !this._curves.some(({ y }) => [...y].some(Number.isFinite));
    this._hint.hidden = !isEmpty;
    const { label } = METRICS[this._metric.control.value];
    if (isEmpty) setText(this._hint, `${label}: none of these runs has it.`);
  }

  _hideChart(isHidden) {
    this._all.hidden = this._metric.hidden = this._tools.element.hidden = isHidden;
  }

  _draw() {
    if (this._comparison === null) return;
    const { runs, metrics } = this._comparison;
    const metric = this._metric.control.value;
    const { axis, isXLog, smoothing, range } = this._choices;
    const isLog = this._choices.isLog(CHART);
    const { label, tick, range: rangeOf } = METRICS[metric];
    this._curves = runs.map(({ id }) => layCurve(axis, metrics[metric]?.[id], metrics.hidden_units?.[id]));
    const form = [runs.map(({ id }) => id), metric, axis, isXLog, isLog].join();
    if (form !== this._form) {
      this._form = form;
      this._plot?.destroy();
      this._plot = new LinePlot(this._host, {
        x: { ...AXES[axis], isLog: isXLog },
        y: { label, tick, range: rangeOf, isLog },
        lines: runs.map((run, index) => ({ label: nameOf(run), ...styleOf(index), spansGaps: true })),
        behind: (plot) => this._drawUnits(plot),
        onPointer: () => this._read(),
        onZoom: (chosen) => this._choices.chooseRange(chosen),
      });
    }
    this._plot.setSmoothing(smoothing);
    this._plot.zoomTo(range);
    this._plot.setData(...joined(this._curves));
    this._drawLegend(runs);
    this._showLines();
    this._host.dataset.lines = this._curves.filter(({ x }) => x.length).length;
    this._host.setAttribute("aria-label", `${label} of ${runs.length} runs against ${AXES[axis].label.toLowerCase()}`);
    this._tellEmpty();
    this._read();
  }

  _drawLegend(runs) {
    this._values = runs.map(() => make("span", "compare-value"));
    const entries = runs.map((run, index) => {
      const entry = make(
        "button",
        "compare-entry",
        lineKey(styleOf(index)),
        make("span", "", nameOf(run)),
        this._values[index],
      );
      entry.type = "button";
      entry.onclick = () => {
        const others = [...hiddenRuns()].filter((id) => id !== run.id);
        writeAddress({ [HIDDEN]: (hiddenRuns().has(run.id) ? others : [...others, run.id]).join() });
      };
      return entry;
    });
    const focused = [...this._legend.children].indexOf(document.activeElement);
    this._legend.replaceChildren(...entries);
    entries[focused]?.focus();
  }

  _showLines() {
    const hidden = hiddenRuns();
    this._comparison?.runs.forEach(({ id }, index) => {
      this._plot.showLine(index, !hidden.has(id));
      this._legend.children[index].setAttribute("aria-pressed", !hidden.has(id));
    });
  }

  /** Every run's points along x, as they are and not smoothed; each column is headed by its run's id. */
  _csv() {
    const [columns] = joined(this._curves);
    return toCsv([AXES[this._choices.axis].label, ...this._comparison.runs.map(({ id }) => id)], columns);
  }

  /** Each run's value at the pointer, or its last. */
  _read() {
    const { format } = METRICS[this._metric.control.value];
    const pointed = this._plot.pointedX();
    this._curves.forEach(({ x, y }, index) => {
      const place = pointed === null ? x.length - 1 : x.findLastIndex((value) => value <= pointed);
      setText(this._values[index], format(y[place] ?? NaN));
    });
  }

  /** A faint tick at the foot of the chart wherever one of the runs installed a unit. */
  _drawUnits(plot) {
    const { ctx: context, bbox: box } = plot;
    const ratio = devicePixelRatio || 1;
    const hidden = hiddenRuns();
    context.save();
    context.globalAlpha = 0.5;
    context.lineWidth = ratio;
    this._curves.forEach(({ installs }, index) => {
      if (hidden.has(this._comparison.runs[index].id)) return;
      context.strokeStyle = cssColor(styleOf(index).color);
      context.beginPath();
      for (const at of installs.filter((value) => value >= plot.scales.x.min && value <= plot.scales.x.max)) {
        const place = plot.valToPos(at, "x", true);
        context.moveTo(place, box.top + box.height);
        context.lineTo(place, box.top + box.height - MARK * ratio);
      }
      context.stroke();
    });
    context.restore();
  }

  _drawDiffering() {
    const { runs, differing } = this._comparison;
    const names = runs.map((run, index) => headingCell("col", "", lineKey(styleOf(index)), ` ${nameOf(run)}`));
    const head = make("tr", "", make("td"), ...names);
    const rows = Object.entries(differing).map(([name, values]) => {
      const words = this.options.titles[name.replace("params.", "")] ?? sentence(name.replaceAll("_", " "));
      return make(
        "tr",
        "",
        headingCell("row", "", words),
        ...runs.map(({ id }) => make("td", "", inWords(values[id]))),
      );
    });
    if (rows.length === 0) rows.push(make("tr", "", make("td", "", "In nothing but when they ran.")));
    this._differing.replaceChildren(make("thead", "", head), make("tbody", "", ...rows));
  }
}

/** A curve along an axis with its number of units beside it, and where on it units were installed. */
function layCurve(axis, series, unitSeries) {
  if (!series?.step.length) return { x: [], y: [], units: [], installs: [] };
  const columns = {
    epoch: series.step,
    timestamp: series.time,
    hidden_units: unitsAt(series.step, unitSeries),
    value: series.value,
  };
  const { x, values, units } = layRun(axis, columns, ["value"]);
  const isInstall = (index) => axis !== "units" && index > 0 && units[index] > units[index - 1];
  return { x, y: values[0], units, installs: [...x].filter((_, index) => isInstall(index)) };
}

/** How many units there were at each step: as many as at the last step that tells. */
function unitsAt(steps, series) {
  let at = 0;
  return steps.map((step) => {
    while (series && at + 1 < series.step.length && series.step[at + 1] <= step) at += 1;
    return series?.value[at] ?? 0;
  });
}

/** Curves as columns over one x, and their numbers of units, which hold where a curve has no point. */
function joined(curves) {
  const [x, ...rows] = uPlot.join(curves.map((curve) => [curve.x, curve.y, curve.units]));
  const segments = rows.filter((_, index) => index % 2).map(held);
  return [[x, ...rows.filter((_, index) => index % 2 === 0)], segments];
}

function held(column) {
  let last = column.find(Number.isFinite);
  return column.map((value) => (last = value ?? last));
}

/** Two runs never have both colour and dash in common. */
function styleOf(index) {
  return { color: `class-${index % CLASS_COUNT}`, dash: DASHES[index % DASHES.length] };
}

function choice(label, kinds, onChange) {
  const control = make("select", "field");
  control.append(...Object.entries(kinds).map(([value, { label: words }]) => new Option(words, value)));
  control.onchange = () => onChange(control.value);
  return make("label", "choice", `${label} `, control);
}

const sentence = (words) => words[0].toUpperCase() + words.slice(1);

function inWords(value) {
  if (value === null || value === undefined || value === "") return "–";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
