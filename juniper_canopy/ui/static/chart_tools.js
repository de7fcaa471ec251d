import { pushButton } from "canopy/elements.js";
import { saveCsv, savePng } from "canopy/export.js";
import { make, setText } from "canopy/view.js";

const STEP = 0.05;

const tool = (text, title, action) => pushButton(text, action, "tool", title);

/**
 * The row of tools in a chart's head: smoothing, the x axis, a logarithmic y, and the chart as CSV and PNG.
 * It shows the choices of its chart's group, and changes nothing but them.
 *
 * @typedef {object} Tools
 * @property {string} title of the chart, for those who hear it
 * @property {string} key of the chart among the choices
 * @property {import("canopy/chart_choices.js").ChartChoices} choices
 * @property {Record<string, string>} axes what may lie along x: a word for the choices, and what a person reads
 * @property {import("canopy/export.js").Exporter} exporter
 */
export class ChartTools {
  /** @param {Tools} tools */
  constructor({ title, key, choices, axes, exporter }) {
    this._key = key;
    this._choices = choices;
    this._buildSmoothing(title);
    this._buildAxis(title, axes);
    this._log = tool("log", `Logarithmic scale: ${title}`, () => choices.chooseLog(key, !choices.isLog(key)));
    this.element = make("div", "chart-tools", this._smoothing, this._axis, this._log, ...saveTools(title, exporter));
    this._end = choices.follow(() => this._show());
  }

  destroy() {
    this._end();
  }

  _buildSmoothing(title) {
    this._slider = make("input", "smoothing-slider");
    Object.assign(this._slider, { type: "range", min: 0, max: 0.95, step: STEP });
    this._slider.setAttribute("aria-label", `Smoothing: ${title}`);
    this._slider.title = "Exponential smoothing, which begins anew at each installed unit";
    this._slider.oninput = () => this._choices.trySmoothing(Number(this._slider.value));
    this._slider.onchange = () => this._choices.chooseSmoothing(Number(this._slider.value));
    this._weight = make("span", "smoothing-value");
    this._smoothing = make("label", "smoothing", "smooth", this._slider, this._weight);
  }

  _buildAxis(title, axes) {
    this._axis = make("select", "tool");
    this._axis.setAttribute("aria-label", `X axis: ${title}`);
    this._axis.title = "What lies along x";
    for (const [word, label] of Object.entries(axes)) this._axis.append(new Option(label, word));
    this._axis.onchange = () => this._choices.chooseAxis(this._axis.value);
  }

  _show() {
    const { smoothing, axisWord } = this._choices;
    this._slider.value = smoothing;
    setText(this._weight, smoothing.toFixed(2));
    this._axis.value = axisWord;
    this._log.setAttribute("aria-pressed", this._choices.isLog(this._key));
  }
}

/**
 * The buttons that save a chart as what it offers.
 * @param {string} title
 * @param {import("canopy/export.js").Exporter} exporter
 */
export function saveTools(title, exporter) {
  const png = tool("PNG", `Save the picture as PNG: ${title}`, () => savePng(exporter));
  if (!exporter.csv) return [png];
  return [tool("CSV", `Save the points as CSV: ${title}`, () => saveCsv(exporter)), png];
}
