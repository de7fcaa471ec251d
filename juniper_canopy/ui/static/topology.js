import { layCrossbar } from "canopy/crossbar.js";
import { cssColor, onThemeChange } from "canopy/palette.js";
import { View, fitCanvas, make } from "canopy/view.js";

const SVG_UNITS = 40; // SVG keeps a tooltip for each weight, and takes seconds at 100 units
const SVG = "http://www.w3.org/2000/svg";

/** The network as Fahlman drew it: SVG while it is small, canvas beyond. */
export class TopologyView extends View {
  build() {
    const legend = make("span", "readout", swatch("positive"), "positive", swatch("negative"), "negative; area: share of its row's largest");
    this.element.append(make("div", "panel-head", make("h2", "panel-title", "Cascade topology"), legend));
    this._host = make("div", "canvas-host topology-host");
    this.element.append(this._host);
    this.onResize(this._host, () => this._draw());
    this.until(onThemeChange(() => this._draw()));
    this.follow(["topology"], () => this._draw());
  }

  _draw() {
    const { topology } = this.bus;
    const { clientWidth: width, clientHeight: height } = this._host;
    this._host.dataset.units = topology?.hidden_units.length ?? "";
    if (!topology) {
      this._host.replaceChildren(make("p", "hint centred", "No network yet."));
      return;
    }
    const units = topology.hidden_units.length;
    const shapes = layCrossbar(topology, width, height);
    const drawing = units > SVG_UNITS ? make("canvas", "plane") : toSvg(shapes, width, height);
    drawing.setAttribute("role", "img");
    drawing.setAttribute(
      "aria-label",
      `Cascade of ${topology.input_size} inputs, ${units} hidden units and ${topology.output_size} outputs`,
    );
    this._host.replaceChildren(drawing);
    if (units > SVG_UNITS) paint(fitCanvas(drawing).context, shapes);
  }
}

function swatch(sign) {
  return make("span", `swatch swatch-${sign}`);
}

function toSvg({ lines, squares, circles, texts }, width, height) {
  const root = node("svg", { viewBox: `0 0 ${width} ${height}`, class: "crossbar" });
  for (const line of lines) root.append(node("line", { ...line, class: "wire" }));
  for (const { x, y, side, sign, title } of squares) {
    const square = node("rect", { x, y, width: side, height: side, class: sign });
    const tip = node("title", {});
    tip.textContent = title;
    square.append(tip);
    root.append(square);
  }
  for (const { x, y, radius, mark } of circles) root.append(node("circle", { cx: x, cy: y, r: radius, class: mark }));
  for (const { x, y, text, anchor } of texts) {
    const label = node("text", { x, y, "text-anchor": anchor, "dominant-baseline": anchor === "end" ? "central" : "auto" });
    label.textContent = text;
    root.append(label);
  }
  return root;
}

function node(name, attributes) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}

function paint(context, { lines, squares, circles, texts }) {
  context.strokeStyle = cssColor("wire");
  context.lineWidth = 0.5;
  context.beginPath();
  for (const { x1, y1, x2, y2 } of lines) {
    context.moveTo(x1, y1);
    context.lineTo(x2, y2);
  }
  context.stroke();
  for (const sign of ["positive", "negative"]) {
    context.fillStyle = cssColor(sign);
    for (const { x, y, side } of squares.filter((square) => square.sign === sign)) context.fillRect(x, y, side, side);
  }
  context.strokeStyle = cssColor("text");
  for (const { x, y, radius, mark } of circles) {
    context.beginPath();
    context.arc(x, y, radius, 0, 2 * Math.PI);
    context.fillStyle = cssColor({ unit: "surface", newest: "install", output: "text" }[mark]);
    context.fill();
    context.stroke();
  }
  context.fillStyle = cssColor("text-soft");
  context.font = "11px Roboto, sans-serif";
  for (const { x, y, text, anchor } of texts) {
    context.textAlign = anchor === "end" ? "right" : "center";
    context.textBaseline = anchor === "end" ? "middle" : "alphabetic";
    context.fillText(text, x, y);
  }
}
