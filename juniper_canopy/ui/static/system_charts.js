import { onAddress, readAddress, writeAddress } from "canopy/address.js";
import { saveTools } from "canopy/chart_tools.js";
import { lineKey, pushButton } from "canopy/elements.js";
import { offerExport } from "canopy/export.js";
import { formatBytes, formatClock, formatFigure, formatPercent } from "canopy/format.js";
import { LinePlot } from "canopy/line_plot.js";
import { systemFeed } from "canopy/system_feed.js";
import { View, make, setText } from "canopy/view.js";

const WINDOWS = { 5: "5 min", 15: "15 min", 60: "1 h" };
const DEFAULT_WINDOW = "5";
const DASHES = [undefined, [6, 3], [2, 3], [10, 3, 2, 3]];

const KINDS = {
  cpu: {
    title: "CPU",
    axis: { label: "% of one core", tick: formatFigure, range: (_, high) => [0, Math.max(100, 1.08 * high || 0)] },
    format: formatPercent,
    lines: () => sources().map((name) => ({ label: name, column: `${name}.cpu_percent` })),
  },
  memory: {
    title: "Memory",
    axis: { label: "GiB", tick: formatFigure, range: (_, high) => [0, 1.08 * high || 1] },
    format: (value) => formatBytes(value * 2 ** 30),
    lines: () => sources().map((name) => ({ label: name, column: `${name}.memory`, scale: 2 ** -30 })),
  },
  gpu: {
    title: "GPU",
    axis: { label: "% busy, and of memory", tick: formatFigure, range: () => [0, 102] },
    format: formatPercent,
    lines: (gpus) =>
      gpus.flatMap(({ index, memory_total: total }) => [
        { label: `GPU ${index}`, column: `gpu${index}.utilisation_percent` },
        ...(total ? [{ label: `memory ${index}`, column: `gpu${index}.memory`, scale: 100 / total }] : []),
      ]),
  },
  power: {
    title: "Power",
    axis: { label: "Watt", tick: formatFigure, range: (_, high) => [0, 1.08 * high || 1] },
    format: (value) => (Number.isFinite(value) ? `${Math.round(value)} W` : "–"),
    lines: (gpus) =>
      gpus
        .filter(({ power_w: power }) => power !== null)
        .map(({ index }) => ({ label: `GPU ${index}`, column: `gpu${index}.power_w` })),
  },
};

/** Who uses the processor and the memory. */
function sources() {
  return [...systemFeed.services.map(({ service }) => service), "host"];
}

/** CPU, memory, GPU and power over the last minutes, on one time axis and with one pointer. */
export class SystemCharts extends View {
  build() {
    this._window = this._windowButtons();
    this._grid = make("div", "system-charts");
    this._charts = Object.keys(KINDS).map((name) => new SystemChart(name, KINDS[name]));
    this._grid.append(...this._charts.map((chart) => chart.element));
    this.element.append(this._window.element, this._grid);
    this._gpus = [];
    this.until(onAddress(() => this._draw()));
    this.until(systemFeed.subscribe(this.bus, () => this._draw()));
    this.until(() => this._charts.forEach((chart) => chart.destroy()));
    this.follow(["tab"], () => this._draw());
  }

  _windowButtons() {
    const buttons = Object.entries(WINDOWS).map(([minutes, words]) => {
      const choose = () => writeAddress({ window: minutes === DEFAULT_WINDOW ? null : minutes });
      const button = pushButton(words, choose, "choice");
      button.dataset.window = minutes;
      return button;
    });
    const element = make("div", "choices", make("span", "hint", "The last"), ...buttons);
    element.setAttribute("role", "group");
    element.setAttribute("aria-label", "How much time the charts show");
    return { element, buttons };
  }

  _draw() {
    if (this.element.closest("[hidden]")) return;
    const minutes = chosenWindow();
    for (const button of this._window.buttons) button.setAttribute("aria-pressed", button.dataset.window === minutes);
    // The GPUs stay known while the training service is away: their lines then have a gap.
    const trainer = systemFeed.report("cascor");
    if (trainer) this._gpus = trainer.gpus;
    const reason = systemFeed.isDemo
      ? "A demo uses no GPU."
      : trainer
        ? "No GPU on this host."
        : "Not known while juniper-cascor is away.";
    for (const chart of this._charts) chart.draw(60 * Number(minutes), this._gpus, reason);
  }
}

class SystemChart {
  constructor(name, kind) {
    this._kind = kind;
    this._hidden = new Set();
    this._legend = make("div", "legend");
    this._where = make("span", "readout-where hint");
    this._host = make("div", "chart-host");
    this._host.setAttribute("role", "img");
    this._note = make("p", "hint centred");
    const title = make("h2", "panel-title", kind.title);
    this.element = make("section", "panel system-chart");
    const exporter = {
      element: this.element,
      name: () => `system-${name}`,
      png: () => this._plot.toPng(kind.title),
      csv: () => this._plot.toCsv(),
      isEmpty: () => !this._plot,
    };
    this._endExport = offerExport(exporter);
    this._tools = make("span", "chart-tools", ...saveTools(kind.title, exporter));
    this.element.dataset.chart = name;
    this.element.append(make("div", "panel-head", title, this._legend, this._tools));
    this.element.append(make("div", "where-line", this._where), this._host, this._note);
    this._lines = [];
    this._data = [[]];
  }

  draw(windowS, gpus, reason) {
    const lines = this._kind.lines(gpus);
    this.element.classList.toggle("is-empty", !lines.length);
    this._host.hidden = this._tools.hidden = !lines.length;
    this._note.hidden = lines.length > 0;
    setText(this._note, lines.length ? "" : reason);
    this._windowS = windowS;
    if (lines.map(({ label }) => label).join() !== this._lines.map(({ label }) => label).join()) this._rebuild(lines);
    if (!this._plot) return;
    this._data = columnsOf(lines, windowS);
    this._plot.setData(this._data);
    this._read();
    this._describe();
  }

  destroy() {
    this._endExport();
    this._plot?.destroy();
  }

  _rebuild(lines) {
    this._lines = lines;
    this._plot?.destroy();
    this._plot = null;
    this._entries = lines.map((line, index) => this._entry(line, index));
    this._legend.replaceChildren(...this._entries.map(({ button }) => button));
    if (!lines.length) return;
    this._plot = new LinePlot(this._host, {
      x: { label: "Time of day", isTime: true, tick: timeTick, range: (low, high) => this._timeRange(low, high) },
      y: this._kind.axis,
      lines: lines.map(({ label }, index) => ({ label, color: colorOf(index), dash: dashOf(index) })),
      sync: "canopy-system",
      onPointer: () => this._read(),
    });
    this._hidden.forEach((index) => index < lines.length && this._plot.showLine(index, false));
  }

  /** All of the window, however little of it is known yet; what somebody zoomed to as it is. */
  _timeRange(low, high) {
    const time = this._data[0];
    if (!time.length) return [Date.now() / 1000 - this._windowS, Date.now() / 1000];
    return low === time[0] && high === time.at(-1) ? [high - this._windowS, high] : [low, high];
  }

  _entry({ label }, index) {
    const value = make("span", "readout-value");
    const button = make("button", "legend-button", lineKey({ color: colorOf(index), dash: dashOf(index) }), `${label} `, value);
    button.type = "button";
    button.title = `Show or hide ${label}`;
    button.setAttribute("aria-pressed", !this._hidden.has(index));
    button.onclick = () => this._toggle(index);
    return { button, value };
  }

  _toggle(index) {
    if (!this._hidden.delete(index)) this._hidden.add(index);
    this._entries[index].button.setAttribute("aria-pressed", !this._hidden.has(index));
    this._plot.showLine(index, !this._hidden.has(index));
  }

  /** The figures beside the names: the newest, or those under the pointer. */
  _read() {
    const [time, ...columns] = this._data;
    const pointed = this._plot.pointedX();
    const index = pointed === null ? time.length - 1 : nearest(time, pointed);
    columns.forEach((column, line) => setText(this._entries[line].value, this._kind.format(column[index] ?? NaN)));
    setText(this._where, pointed === null || index < 0 ? "" : `at ${formatClock(time[index])}`);
  }

  _describe() {
    const [time, ...columns] = this._data;
    const told = columns.map((column, line) => `${this._lines[line].label} ${this._kind.format(column.at(-1) ?? NaN)}`);
    this._host.setAttribute("aria-label", `${this._kind.title} over the last ${this._windowS / 60} minutes: ${told.join(", ")}`);
    this._host.dataset.points = time.length;
    this._host.dataset.gaps = columns.map((column) => column.filter((value) => value === null).length).join();
  }
}

function chosenWindow() {
  const named = readAddress("window", DEFAULT_WINDOW);
  return named in WINDOWS ? named : DEFAULT_WINDOW;
}

const colorOf = (index) => `class-${index % 10}`;
const dashOf = (index) => DASHES[index % DASHES.length];

/** A piece of the line, as the plot draws it. */
/** Whole minutes without their seconds. */
const timeTick = (seconds) => formatClock(seconds).slice(0, seconds % 60 ? undefined : -3);

function columnsOf(lines, windowS) {
  const { time, columns } = systemFeed;
  const begin = Math.max(time.findIndex((at) => at >= time.at(-1) - windowS), 0);
  const shown = lines.map(({ column, scale = 1 }) => {
    const values = columns.get(column) ?? Array(time.length).fill(null);
    return values.slice(begin).map((value) => (value === null ? null : value * scale));
  });
  return [time.slice(begin), ...shown];
}

function nearest(time, at) {
  let best = time.length - 1;
  while (best > 0 && Math.abs(time[best - 1] - at) <= Math.abs(time[best] - at)) best -= 1;
  return best;
}
