import { writeAddress } from "canopy/address.js";
import { saveTools } from "canopy/chart_tools.js";
import { Crossbar } from "canopy/crossbar.js";
import { paint, paintTexts, toPng, toSvg } from "canopy/crossbar_drawing.js";
import { pushButton } from "canopy/elements.js";
import { offerExport } from "canopy/export.js";
import { onThemeChange } from "canopy/palette.js";
import { View, fitCanvas, make } from "canopy/view.js";

export const SVG_UNITS = 40; // SVG keeps a tooltip for each weight, and takes seconds at 100 units

/** The network as Fahlman drew it, small: a click on a unit opens it on the Network tab. */
export class TopologyView extends View {
  build() {
    const title = "Cascade topology";
    const exporter = {
      element: this.element,
      name: () => ["topology", this.bus.run].filter(Boolean).join("-"),
      png: () => toPng(this._crossbar, title),
      isEmpty: () => !this._crossbar,
    };
    this.until(offerExport(exporter));
    this._saving = make("span", "", ...saveTools(title, exporter));
    const open = pushButton("Inspect", () => writeAddress({ tab: "network" }, true), "small-button");
    const tools = make("span", "chart-tools", this._saving, open);
    this.element.append(make("div", "panel-head", make("h2", "panel-title", title), weightLegend("negative"), tools));
    this._host = make("div", "canvas-host topology-host");
    this._host.onclick = (event) => this._open(event);
    this.element.append(this._host);
    this.onResize(this._host, () => this._draw());
    this.until(onThemeChange(() => this._draw()));
    this.follow(["topology"], () => this._draw());
  }

  _draw() {
    const { topology } = this.bus;
    const { clientWidth: width, clientHeight: height } = this._host;
    this._host.dataset.units = topology?.hidden_units.length ?? "";
    this._crossbar = topology && new Crossbar(topology, width, height);
    this._saving.hidden = !topology;
    if (!topology) {
      this._host.replaceChildren(make("p", "hint centred", "No network yet."));
      return;
    }
    const isLarge = topology.hidden_units.length > SVG_UNITS;
    const shapes = this._crossbar.shapes();
    const drawing = isLarge ? make("canvas", "plane") : toSvg(shapes, width, height);
    drawing.setAttribute("role", "img");
    drawing.setAttribute("aria-label", describe(topology));
    this._host.replaceChildren(drawing);
    if (!isLarge) return;
    const { context } = fitCanvas(drawing);
    paint(context, shapes);
    paintTexts(context, shapes.texts);
  }

  _open(event) {
    const { left, top } = this._host.getBoundingClientRect();
    const found = this._crossbar?.at(event.clientX - left, event.clientY - top);
    if (found) writeAddress({ tab: "network", unit: this._crossbar.rows[found.row].name }, true);
  }
}

export function describe({ input_size: inputs, output_size: outputs, hidden_units: hidden }) {
  return `Cascade of ${inputs} inputs, ${hidden.length} hidden units and ${outputs} outputs`;
}

export function weightLegend(negative = "negative, by size in its row") {
  return make("span", "readout", swatch("positive"), "positive", swatch("negative"), negative);
}

function swatch(sign) {
  return make("span", `swatch swatch-${sign}`);
}
