import { onAddress, readAddress, writeAddress } from "canopy/address.js";
import { saveTools } from "canopy/chart_tools.js";
import { Crossbar } from "canopy/crossbar.js";
import { paint, paintTexts, toPng, toSvg } from "canopy/crossbar_drawing.js";
import { pushButton } from "canopy/elements.js";
import { offerExport } from "canopy/export.js";
import { findRow } from "canopy/network.js";
import { cssColor, onThemeChange } from "canopy/palette.js";
import { SVG_UNITS, describe, weightLegend } from "canopy/topology.js";
import { View, fitCanvas, make, setText } from "canopy/view.js";

const READABLE_CELL = 14; // pixels
const ZOOM = 1.4;
const CELLS = [4, 48]; // least and most
const PAGE = 10; // rows
const LABEL_WIDTH = 28;

/**
 * The crossbar at full size: all of it as SVG where that can be read, else a canvas over the part that is scrolled to.
 * The chosen unit is that of the page's address; the cursor is the weight under the pointer, or where the arrows led.
 */
export class FullCrossbar extends View {
  build() {
    this._cell = null; // as it fits, but so that it can be read
    this._column = null;
    this._readout = make("output", "crossbar-readout");
    this._readout.setAttribute("aria-live", "polite");
    const exporter = {
      element: this.element,
      name: () => ["weights", this.bus.run].filter(Boolean).join("-"),
      png: () => toPng(this._crossbar, "Weights"),
      isEmpty: () => !this._crossbar,
    };
    this.until(offerExport(exporter));
    this._saving = make("span", "", ...saveTools("Weights", exporter));
    const zoom = make("span", "crossbar-zoom", this._saving, ...this._zoomButtons());
    this.element.append(make("div", "panel-head", make("h2", "panel-title", "Weights"), weightLegend(), zoom), this._readout);
    this._rowBand = make("div", "crossbar-band");
    this._columnBand = make("div", "crossbar-band");
    this._cursor = make("div", "crossbar-cursor");
    this._sheet = make("div", "crossbar-sheet");
    this._host = make("div", "crossbar-host", this._sheet);
    this._host.tabIndex = 0;
    this._host.setAttribute("role", "application");
    this._host.setAttribute("aria-roledescription", "crossbar");
    this._host.onscroll = () => this._paint();
    this._host.onpointermove = (event) => this._pointAt(event);
    this._host.onclick = (event) => this._chooseAt(event);
    this._host.onkeydown = (event) => this._move(event);
    this.element.append(this._host);
    this.onResize(this._host, () => this._draw());
    this.until(onThemeChange(() => this._draw()));
    this.until(onAddress(() => this._mark()));
    this.follow(["topology"], () => this._draw());
  }

  _zoomButtons() {
    const resize = (factor) => {
      this._cell = Math.min(CELLS[1], Math.max(CELLS[0], this._crossbar.cell * factor));
    };
    const fit = () => {
      this._cell = this._fitting().cell;
    };
    const entries = [["−", "Smaller", () => resize(1 / ZOOM)], ["+", "Larger", () => resize(ZOOM)], ["Fit", "Fit", fit]];
    const doing = (change) => () => {
      if (!this._crossbar) return;
      change();
      this._draw();
    };
    return entries.map(([text, name, change]) => pushButton(text, doing(change), "small-button", name));
  }

  _fitting() {
    return new Crossbar(this.bus.topology, this._host.clientWidth, this._host.clientHeight, { largest: CELLS[1] });
  }

  _draw() {
    const { topology } = this.bus;
    this._host.dataset.units = topology?.hidden_units.length ?? "";
    this._saving.hidden = !topology;
    if (!topology) {
      this._crossbar = this._canvas = null;
      this._sheet.removeAttribute("style");
      this._sheet.replaceChildren(make("p", "hint centred", "No network yet: start training, or restore a snapshot."));
      return;
    }
    const fitting = this._fitting();
    const { clientWidth: width, clientHeight: height } = this._host;
    const cell = this._cell ?? Math.max(READABLE_CELL, fitting.cell);
    this._crossbar = new Crossbar(topology, width, height, { cell });
    const isSmall = topology.hidden_units.length <= SVG_UNITS && cell <= fitting.cell;
    this._canvas = isSmall ? null : make("canvas", "crossbar-canvas");
    const drawing = this._canvas ?? toSvg(this._crossbar.shapes(), width, height);
    drawing.setAttribute("role", "img");
    drawing.setAttribute("aria-label", describe(topology));
    this._host.setAttribute("aria-label", "Weights: up and down choose a unit, left and right a weight");
    this._sheet.style.width = isSmall ? "100%" : `${this._crossbar.width}px`;
    this._sheet.style.height = isSmall ? "100%" : `${this._crossbar.height}px`;
    this._sheet.replaceChildren(this._rowBand, this._columnBand, drawing, this._cursor);
    this._paint();
    this._mark();
  }

  /** What the canvas shows of the sheet, with the names along its edges. */
  _paint() {
    if (!this._canvas) return;
    const crossbar = this._crossbar;
    const { scrollLeft: x, scrollTop: y, clientWidth, clientHeight } = this._host;
    this._canvas.style.width = `${clientWidth}px`;
    this._canvas.style.height = `${clientHeight}px`;
    const { context, width, height } = fitCanvas(this._canvas);
    context.clearRect(0, 0, width, height);
    const shapes = crossbar.shapes({ x, y, width, height });
    context.save();
    context.translate(-x, -y);
    paint(context, shapes);
    context.restore();
    const { left, top } = crossbar.edges;
    context.fillStyle = cssColor("surface");
    context.fillRect(0, 0, left - 4, height);
    context.fillRect(0, 0, width, top - 2);
    const rowNames = shapes.texts.filter(({ anchor }) => anchor === "end");
    paintTexts(context, rowNames.filter((text) => text.y - y > top).map((text) => ({ ...text, x: left - 8, y: text.y - y })));
    paintTexts(context, this._columnNames(x, y, width));
  }

  /** Of the columns that begin above what is shown, as many names as can be read. */
  _columnNames(x, y, width) {
    const crossbar = this._crossbar;
    const step = Math.ceil(LABEL_WIDTH / crossbar.cell);
    const inputs = this.bus.topology.input_size;
    return crossbar.columns
      .map(({ label }, column) => ({ x: crossbar.x(column) - x, y: crossbar.edges.top - 6, text: label, anchor: "middle", column }))
      .filter(({ x: at, column }) => {
        const unit = column - inputs - 1;
        const isBegun = unit < 0 || crossbar.y(unit) - y < crossbar.edges.top;
        return isBegun && column % step === 0 && at > crossbar.edges.left && at < width;
      });
  }

  /** Moves the bands to the chosen unit and the cursor to its weight. */
  _mark() {
    const crossbar = this._crossbar;
    if (!crossbar) return;
    const { rows, cell } = crossbar;
    const row = rows.indexOf(findRow(rows, readAddress("unit")));
    const { kind, name, weights, index } = rows[row];
    this._row = row;
    this._host.dataset.unit = name;
    place(this._rowBand, crossbar.left, crossbar.y(row) - cell / 2, cell * (crossbar.columns.length + 1), cell);
    const column = this.bus.topology.input_size + 1 + index;
    this._columnBand.hidden = kind !== "hidden";
    place(this._columnBand, crossbar.x(column) - cell / 2, crossbar.top, cell, cell * rows.length);
    this._column = this._column === null ? null : Math.min(this._column, weights.length - 1);
    this._point(row, this._column);
  }

  _point(row, column) {
    const crossbar = this._crossbar;
    const isThere = column !== null;
    this._cursor.hidden = !isThere;
    setText(this._readout, isThere ? crossbar.title(row, column) : "Point at a weight, or go there with the arrow keys.");
    if (!isThere) return;
    const { cell } = crossbar;
    place(this._cursor, crossbar.x(column) - cell / 2, crossbar.y(row) - cell / 2, cell, cell);
  }

  _found(event) {
    const { left, top } = this._sheet.getBoundingClientRect();
    return this._crossbar?.at(event.clientX - left, event.clientY - top) ?? null;
  }

  _pointAt(event) {
    const found = this._found(event);
    if (found && found.weight !== null) this._point(found.row, found.column);
  }

  _chooseAt(event) {
    const found = this._found(event);
    if (!found) return;
    this._column = found.weight === null ? null : found.column;
    this._choose(found.row);
  }

  _choose(row) {
    writeAddress({ unit: this._crossbar.rows[row].name });
    this._mark();
  }

  _move(event) {
    if (!this._crossbar || event.ctrlKey || event.altKey || event.metaKey) return;
    const { rows } = this._crossbar;
    const last = rows[this._row].weights.length - 1;
    const from = this._column ?? -1;
    const byRow = { ArrowUp: -1, ArrowDown: 1, PageUp: -PAGE, PageDown: PAGE }[event.key];
    const column = { ArrowLeft: Math.max(0, from - 1), ArrowRight: Math.min(last, from + 1), Home: 0, End: last }[event.key];
    if (byRow === undefined && column === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    if (column !== undefined) this._column = column;
    this._choose(Math.min(rows.length - 1, Math.max(0, this._row + (byRow ?? 0))));
    this._reveal();
  }

  /** Scrolls so that the cursor, or else the chosen unit's row, can be seen beside the names along the edges. */
  _reveal() {
    const { cell, edges } = this._crossbar;
    const x = this._crossbar.x(this._column ?? 0);
    const y = this._crossbar.y(this._row);
    const host = this._host;
    host.scrollTop = Math.min(Math.max(host.scrollTop, y + cell - host.clientHeight), y - cell - edges.top);
    host.scrollLeft = Math.min(Math.max(host.scrollLeft, x + cell - host.clientWidth), x - cell - edges.left);
  }
}

function place(element, left, top, width, height) {
  Object.assign(element.style, { left: `${left}px`, top: `${top}px`, width: `${width}px`, height: `${height}px` });
}
