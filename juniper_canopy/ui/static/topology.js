import { layCrossbar } from "canopy/crossbar.js";
import { cssColor, onThemeChange } from "canopy/palette.js";
import { View, fitCanvas, make } from "canopy/view.js";

const SVG_UNITS = 40; // SVG keeps a tooltip for each weight, and takes seconds at 100 units
const SVG = "http://www.w3.org/2000/svg";

/** The network as Fahlman drew it: SVG while it is small, canvas beyond. */
export class TopologyView extends View {
  build() {
    const legend = make("span", "readout", swatch("positive"), "positive", swatch("negative"), "negative, by area");
    this.element.append(make("div", "panel-head", make("h2", "panel-title", "Cascade topology"), legend));
    this._host = make("div", "canvas-host topology-host");
    this.element.append(this._host);
    this.onResize(this._host, () => this._onCanvas && this._drawCanvas());
    this.until(onThemeChange(() => this._draw()));
    this.follow(["topology"], () => this._draw());
  }

  _draw() {
    const { topology } = this.bus;
    if (!topology) {
      this._onCanvas = false;
      this._host.replaceChildren(make("p", "hint centred", "No network yet."));
      return;
    }
    const units = topology.hidden_units.length;
    this._shapes = layCrossbar(topology);
    this._onCanvas = units > SVG_UNITS;
    const label = `Cascade of ${topology.input_size} inputs, ${units} hidden units and ${topology.output_size} outputs`;
    if (this._onCanvas) {
      this._canvas = make("canvas", "plane");
      this._host.replaceChildren(this._canvas);
      this._drawCanvas();
    } else {
      this._host.replaceChildren(toSvg(this._shapes));
    }
    const drawing = this._host.firstElementChild;
    drawing.setAttribute("role", "img");
    drawing.setAttribute("aria-label", label);
    this._host.dataset.units = units;
  }

  _drawCanvas() {
    const { context, width, height } = fitCanvas(this._canvas);
    const scale = Math.min(width / this._shapes.width, height / this._shapes.height);
    context.clearRect(0, 0, width, height);
    context.translate((width - this._shapes.width * scale) / 2, (height - this._shapes.height * scale) / 2);
    context.scale(scale, scale);
    paint(context, this._shapes, scale);
  }
}

function swatch(sign) {
  return make("span", `swatch swatch-${sign}`);
}

function toSvg({ lines, squares, circles, texts, width, height }) {
  const root = node("svg", { viewBox: `0 0 ${width} ${height}`, class: "crossbar", preserveAspectRatio: "xMidYMid meet" });
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

function paint(context, { lines, squares, circles, texts }, scale) {
  context.strokeStyle = cssColor("wire");
  context.lineWidth = Math.max(1, 0.5 / scale);
  context.beginPath();
  for (const { x1, y1, x2, y2 } of lines) {
    context.moveTo(x1, y1);
    context.lineTo(x2, y2);
  }
  context.stroke();
  for (const { x, y, side, sign } of squares) {
    context.fillStyle = cssColor(sign);
    context.fillRect(x, y, side, side);
  }
  context.strokeStyle = cssColor("text");
  context.lineWidth = 1.6;
  for (const { x, y, radius, mark } of circles) {
    context.beginPath();
    context.arc(x, y, radius, 0, 2 * Math.PI);
    context.fillStyle = cssColor({ hidden: "surface", newest: "install", output: "text" }[mark]);
    context.fill();
    context.stroke();
  }
  const every = Math.ceil(11 / (24 * scale)); // labels need 11 px each
  context.fillStyle = cssColor("text-soft");
  context.font = `${Math.max(12, 10 / scale)}px Roboto, sans-serif`;
  context.textBaseline = "middle";
  texts.forEach(({ x, y, text, anchor }, index) => {
    if (anchor === "end" && index % every !== 0) return;
    context.textAlign = anchor === "end" ? "right" : "center";
    context.fillText(text, x, y);
  });
}
