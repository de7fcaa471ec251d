import { saveTools } from "canopy/chart_tools.js";
import { legendEntry } from "canopy/class_markers.js";
import { offerWords, selectField } from "canopy/elements.js";
import { framedPng, offerExport, toCsv } from "canopy/export.js";
import { formatCount, formatFigure } from "canopy/format.js";
import { CLASS_COUNT, onThemeChange } from "canopy/palette.js";
import { datasetInWords } from "canopy/run_words.js";
import { drawScatter, extent, valueColor } from "canopy/scatter_plane.js";
import { shownDataset } from "canopy/shown_dataset.js";
import { View, fitCanvas, make, setText } from "canopy/view.js";

const KINDS = { features: "Two features", principal: "Principal components" };
const MOST_NAMED = 12; // classes in the legend; the rest is counted

/** The samples of the shown dataset or preview on a plane of two features or of two principal components. */
export class DatasetPicture extends View {
  build() {
    this._shown = shownDataset();
    this._title = make("h2", "panel-title");
    this._note = make("p", "hint picture-note");
    this._note.setAttribute("role", "status");
    this._legend = make("div", "readout picture-legend");
    this._canvas = make("canvas", "plane");
    this._canvas.setAttribute("role", "img");
    const exporter = {
      element: this.element,
      name: () => `samples-${this._shown.id ?? "preview"}`,
      png: () => framedPng(this._canvas, this._title.textContent, this._pngLegend()),
      csv: () => this._csv(),
      isEmpty: () => !this._shown.scatter,
    };
    this.until(offerExport(exporter));
    const host = make("div", "canvas-host", this._canvas);
    this._tools = make("span", "chart-tools", ...saveTools("Samples", exporter));
    this.element.append(make("div", "panel-head", this._title, this._axes(), this._tools), this._legend, host, this._note);
    this.onResize(host, () => this._draw());
    this.until(onThemeChange(() => this._drawAll()));
    this.until(this._shown.subscribe((refused) => this._changed(refused)));
  }

  /** Shows what a generator would make of params. */
  preview(generator, params) {
    this._shown.preview(generator, params);
  }

  /** Shows a dataset that is kept; null: none. */
  select(id) {
    this._shown.select(id);
  }

  _axes() {
    this._kind = selectField("Axes", KINDS, () => this._lay());
    this._x = selectField("Feature along x", {}, () => this._lay());
    this._y = selectField("Feature along y", {}, () => this._lay());
    this._choice = make("div", "picture-axes", this._kind, this._x, this._y);
    return this._choice;
  }

  _lay() {
    const isPrincipal = this._kind.value === "principal";
    this._shown.layOn(isPrincipal ? "principal" : [Number(this._x.value || 0), Number(this._y.value || 1)]);
  }

  _changed(refused) {
    const { id, facts, problem, isLoading } = this._shown;
    if (!isLoading) {
      this.emit("shown", { id: facts ? id : null, task: facts?.task_type ?? null, is_empty: id === null && !this._shown.isPreview });
      if (refused !== null && this._shown.isPreview) this.emit("refused", refused);
    }
    this._drawAll();
  }

  _drawAll() {
    const { facts, scatter, problem, isLoading, isPreview } = this._shown;
    const name = isPreview ? `Preview of ${facts?.generator ?? "…"}` : (facts && (facts.dataset_name ?? datasetInWords(facts.dataset_id))) || "Samples";
    setText(this._title, name);
    this._offerAxes();
    this._drawLegend();
    setText(this._note, problem || (scatter ? noteOn(scatter) : isLoading ? "Loading …" : ""));
    this._note.classList.toggle("is-problem", Boolean(problem));
    this._draw();
  }

  _offerAxes() {
    const { scatter, axes } = this._shown;
    const names = scatter?.feature_names ?? [];
    this._choice.hidden = names.length < 2;
    this._kind.value = axes.axes;
    const isOfFeatures = axes.axes === "features";
    for (const [choice, chosen] of [[this._x, axes.x], [this._y, axes.y ?? 1]]) {
      if (choice.length !== names.length || names.some((title, index) => choice.options[index].textContent !== title)) {
        offerWords(choice, { ...names });
      }
      choice.value = chosen;
      choice.hidden = !isOfFeatures;
    }
  }

  _drawLegend() {
    const { scatter, facts } = this._shown;
    this._legend.replaceChildren();
    if (!scatter) return;
    if (scatter.values) {
      const [low, high] = extent(scatter.values);
      for (const [share, value] of [[0, low], [0.5, (low + high) / 2], [1, high]]) {
        this._legend.append(legendEntry(0, formatFigure(value), valueColor(share)));
      }
      return;
    }
    const present = classesOf(scatter);
    for (const index of present.slice(0, MOST_NAMED)) {
      this._legend.append(legendEntry(index, classInWords(facts, index)));
    }
    const more = present.length - MOST_NAMED;
    if (more > 0) this._legend.append(make("span", "", `and ${formatCount(more)} more`));
  }

  _pngLegend() {
    const { scatter, facts } = this._shown;
    if (scatter.values) return [];
    return classesOf(scatter).slice(0, MOST_NAMED).map((index) => ({
      label: classInWords(facts, index),
      color: `class-${index % CLASS_COUNT}`,
      marker: index,
    }));
  }

  /** The samples that are drawn, with their class or their value. */
  _csv() {
    const { x, y, classes, values, titles } = this._shown.scatter;
    return toCsv([...titles, classes ? "class" : "value"], [x, y, classes ?? values]);
  }

  _draw() {
    const { scatter } = this._shown;
    this._tools.hidden = !scatter;
    const { context, width, height } = fitCanvas(this._canvas);
    context.clearRect(0, 0, width, height);
    this._canvas.dataset.titles = scatter?.titles.join(" / ") ?? "";
    this._canvas.dataset.points = scatter?.shown ?? 0;
    this._canvas.dataset.drawn = scatter ? figureOf(scatter) : "";
    const told = scatter ? `${scatter.shown} samples: ${scatter.titles[0]} against ${scatter.titles[1]}` : "No samples";
    this._canvas.setAttribute("aria-label", told);
    if (scatter && width > 0) drawScatter(context, width, height, scatter);
  }
}

function classesOf({ classes }) {
  return [...new Set(classes)].sort((a, b) => a - b);
}

function classInWords(facts, index) {
  return facts?.class_names?.[index] ?? `class ${index}`;
}

function noteOn({ shown, total }) {
  if (shown === total) return `All ${formatCount(total)} samples`;
  return `${formatCount(shown)} of ${formatCount(total)} samples: as many of each class as it has or as fit, evenly over the set`;
}

/** A short figure that changes when any point does. */
function figureOf({ x, y }) {
  return String([...x, ...y].reduce((sum, value) => (Math.imul(sum, 31) + Math.round(value * 1e4)) | 0, 0));
}
