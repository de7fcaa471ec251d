import { saveTools } from "canopy/chart_tools.js";
import { framedPng, offerExport } from "canopy/export.js";
import { onThemeChange } from "canopy/palette.js";
import { drawPlane, fillLegend, legendOf } from "canopy/plane.js";
import { View, make } from "canopy/view.js";

/** What the network decides over the plane, with the patterns. */
export class BoundaryView extends View {
  build() {
    this._legend = make("span", "readout");
    const title = "Decision boundary";
    const exporter = {
      element: this.element,
      name: () => ["boundary", this.bus.run].filter(Boolean).join("-"),
      png: () => framedPng(this._canvas, title, legendOf(this.bus.dataset)),
      isEmpty: () => !this.bus.boundary,
    };
    this.until(offerExport(exporter));
    this._tools = make("span", "chart-tools", ...saveTools(title, exporter));
    this.element.append(make("div", "panel-head", make("h2", "panel-title", title), this._legend, this._tools));
    this._canvas = make("canvas", "plane");
    this._canvas.setAttribute("role", "img");
    this._host = make("div", "canvas-host", this._canvas);
    this.element.append(this._host);
    this.onResize(this._host, () => this._draw());
    this.until(onThemeChange(() => this._drawAll()));
    this.follow(["boundary", "dataset"], () => this._drawAll());
  }

  _drawAll() {
    fillLegend(this._legend, this.bus.dataset);
    this._draw();
  }

  _draw() {
    const { boundary, dataset } = this.bus;
    const drawn = boundary ? `after ${boundary.units} hidden units` : "not drawn yet";
    const points = dataset?.x ? `${dataset.x.length} patterns of ${dataset.n_classes} classes` : "no patterns";
    this._canvas.setAttribute("aria-label", `Decision boundary ${drawn}, ${points}`);
    this._tools.hidden = !boundary;
    this._canvas.dataset.units = boundary?.units ?? "";
    drawPlane(this._canvas, this.bus, "Nothing to show before the first run.");
  }
}
