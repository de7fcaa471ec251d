/**
 * Charts as files: each offers its picture and its data, singly and all at once.
 *
 * @typedef {object} Exporter
 * @property {HTMLElement} element the chart; while it is hidden it is not among "all"
 * @property {() => string} name of its files, without an ending
 * @property {() => Promise<Blob>} png
 * @property {() => string} [csv]
 * @property {() => boolean} [isEmpty] whether there is nothing in it yet, and nothing to save
 */
import { traceMarker } from "canopy/class_markers.js";
import { cssColor } from "canopy/palette.js";
import { zip } from "canopy/zip.js";

/** @type {Set<Exporter>} */
const offered = new Set();

/** Puts a chart among those that `saveAll` saves. Returns the way to take it out. */
export function offerExport(exporter) {
  offered.add(exporter);
  return () => offered.delete(exporter);
}

/** Saves every chart that is shown, as one ZIP file of pictures and tables. Returns how many charts there were. */
export async function saveAll() {
  const shown = [...offered].filter(({ element, isEmpty }) => !element.closest("[hidden]") && !isEmpty?.());
  const files = [];
  for (const { name, png, csv } of shown) {
    files.push({ name: `${name()}.png`, bytes: new Uint8Array(await (await png()).arrayBuffer()) });
    if (csv) files.push({ name: `${name()}.csv`, bytes: new TextEncoder().encode(csv()) });
  }
  if (shown.length) saveAs(zip(files), "charts.zip");
  return shown.length;
}

export async function savePng({ name, png }) {
  saveAs(await png(), `${name()}.png`);
}

export function saveCsv({ name, csv }) {
  saveAs(new Blob([csv()], { type: "text/csv" }), `${name()}.csv`);
}

function saveAs(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/**
 * Columns of equal length as a table with a head. What is not defined is left empty.
 * @param {string[]} names
 * @param {ArrayLike<number | null>[]} columns
 */
export function toCsv(names, columns) {
  const lines = [names.map(quoted).join(",")];
  for (let row = 0; row < columns[0].length; row += 1) {
    lines.push(columns.map((column) => (Number.isFinite(column[row]) ? column[row] : "")).join(","));
  }
  return `${lines.join("\r\n")}\r\n`;
}

/** A name as a cell of its own, which no spreadsheet takes for a formula. */
function quoted(name) {
  const harmless = /^[=+\-@\t\r]/.test(name) ? `'${name}` : name;
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}

const ROW = 22; // CSS pixels, of the legend
const KEY = 28;
const ENDS = 12; // left and right of it

/**
 * A chart's picture with a title and a legend, on the ground of the theme that it is drawn in.
 * @param {HTMLCanvasElement} chart
 * @param {string} title
 * @param {{label: string, color: string, dash?: number[], alpha?: number, marker?: string}[]} [legend] names of colours
 * @returns {Promise<Blob>}
 */
export function framedPng(chart, title, legend = []) {
  const ratio = window.devicePixelRatio || 1;
  const canvas = document.createElement("canvas");
  const context = canvas.getContext("2d");
  const { entries, height } = layLegend(context, title, legend, chart.width / ratio);
  canvas.width = chart.width;
  canvas.height = chart.height + height * ratio;
  context.fillStyle = cssColor("surface");
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(chart, 0, height * ratio);
  context.scale(ratio, ratio);
  context.textBaseline = "middle";
  for (const { x, y, words, font, key } of entries) {
    if (key) drawKey(context, x, y, key);
    context.fillStyle = cssColor("text");
    context.font = font;
    context.fillText(words, key ? x + KEY : x, y);
  }
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("the picture could not be made"))), "image/png");
  });
}

/** Where the title and the legend's entries stand, in as many rows as they need. */
function layLegend(context, title, legend, width) {
  const named = legend.map((key) => ({ words: key.label, font: "12px Roboto, sans-serif", key }));
  let [x, y] = [ENDS, 17];
  const entries = [{ words: title, font: "600 14px Roboto, sans-serif" }, ...named].map((entry) => {
    context.font = entry.font;
    const taken = (entry.key ? KEY : 0) + context.measureText(entry.words).width;
    if (x > ENDS && x + taken > width - ENDS) [x, y] = [ENDS, y + ROW];
    const laid = { ...entry, x, y };
    x += taken + 16;
    return laid;
  });
  return { entries, height: y + 17 };
}

/** A piece of a line, or a class's marker. */
function drawKey(context, x, y, { color, dash = [], alpha = 1, marker }) {
  context.globalAlpha = alpha;
  context.strokeStyle = context.fillStyle = cssColor(color);
  context.lineWidth = 2;
  context.setLineDash(dash);
  if (marker !== undefined) {
    traceMarker(context, marker, x + 16, y, 5);
    context.fill();
  } else {
    context.beginPath();
    context.moveTo(x, y);
    context.lineTo(x + 22, y);
    context.stroke();
  }
  context.globalAlpha = 1;
}
