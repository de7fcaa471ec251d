/** A crossbar's shapes as SVG, or painted into a canvas. */
import { framedPng } from "canopy/export.js";
import { cssColor } from "canopy/palette.js";

const SVG = "http://www.w3.org/2000/svg";

export function toSvg({ lines, squares, circles, texts }, width, height) {
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

export function paint(context, { lines, squares, circles }) {
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
}

/** All of a crossbar as a picture with a title, whatever part of it is scrolled to. */
export function toPng(crossbar, title) {
  const canvas = document.createElement("canvas");
  const ratio = window.devicePixelRatio || 1;
  canvas.width = Math.ceil(crossbar.width * ratio);
  canvas.height = Math.ceil(crossbar.height * ratio);
  const context = canvas.getContext("2d");
  context.scale(ratio, ratio);
  const shapes = crossbar.shapes();
  paint(context, shapes);
  paintTexts(context, shapes.texts);
  return framedPng(canvas, title);
}

export function paintTexts(context, texts) {
  context.fillStyle = cssColor("text-soft");
  context.font = "11px Roboto, sans-serif";
  for (const { x, y, text, anchor } of texts) {
    context.textAlign = anchor === "end" ? "right" : "center";
    context.textBaseline = anchor === "end" ? "middle" : "alphabetic";
    context.fillText(text, x, y);
  }
}
