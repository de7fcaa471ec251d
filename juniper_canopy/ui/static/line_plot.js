import uPlot from "canopy/vendor/uplot/uPlot.esm.js";
import { framedPng, toCsv } from "canopy/export.js";
import { Ghosts } from "canopy/ghosts.js";
import { logRange } from "canopy/log_axis.js";
import { onThemeChange } from "canopy/palette.js";
import { axisOf, seriesOf, withGaps } from "canopy/plot_options.js";
import { smooth } from "canopy/smoothing.js";

const RAW_ALPHA = 0.3; // of a line behind its smoothed one

/**
 * Lines over one x axis: uPlot in the page's colours, which follows its host's size and the theme.
 *
 * @typedef {object} Axis
 * @property {string} label
 * @property {boolean} [isTime] values are Unix seconds: ticks stand at whole minutes and hours
 * @property {(value: number) => string} tick writes one of the axis' values
 * @property {(low: number, high: number) => [number, number]} range of what is shown, from that of the data; a
 *   logarithmic axis has one of its own
 * @property {boolean} [isLog]
 * @property {number[]} [steps] between two ticks, in rising order
 *
 * @typedef {object} Line
 * @property {string} label
 * @property {string} color the name of a colour of the style sheet
 * @property {number[]} [dash]
 * @property {number} [width]
 * @property {boolean} [hasPoints] whether each value has a dot
 * @property {boolean} [spansGaps] whether undefined values are bridged
 *
 * @typedef {object} Spec
 * @property {Axis} x
 * @property {Axis} y
 * @property {Line[]} lines
 * @property {string} [sync] plots of the same name share their pointer
 * @property {(plot: uPlot) => void} [behind] draws behind the lines
 * @property {() => void} [onPointer] the pointer moved, or left
 * @property {(range: [number, number] | null) => void} [onZoom] somebody chose a part of the x axis, or all of it
 */
export class LinePlot {
  /**
   * @param {HTMLElement} host
   * @param {Spec} spec
   */
  constructor(host, spec) {
    this._host = host;
    this._spec = spec;
    this._columns = [[], ...spec.lines.map(() => [])];
    this._segments = [];
    this._ghosts = new Ghosts();
    this._hidden = new Set();
    this._smoothing = 0;
    this._inView = [-Infinity, Infinity];
    this._zoom = null;
    this._plot = this._newPlot();
    this._observer = new ResizeObserver(() => this._plot.setSize(this._size()));
    this._observer.observe(host);
    this._endTheme = onThemeChange(() => this.rebuild());
  }

  /**
   * Draws columns: x, then one for each line. What somebody zoomed to stays.
   * @param {ArrayLike<number>[]} columns
   * @param {ArrayLike<number>[]} [segments] one for each line: smoothing begins anew where it changes
   */
  setData(columns, segments = []) {
    this._columns = columns;
    this._segments = segments;
    this._plot.setData(this._drawnColumns());
  }

  /** Shows or hides a line, by its place among the lines. */
  showLine(index, shown) {
    if (this._hidden.has(index) !== shown) return;
    if (shown) this._hidden.delete(index);
    else this._hidden.add(index);
    this.rebuild();
  }

  /** Draws lines smoothed, with what they are of faint behind; 0 draws them as they are. */
  setSmoothing(weight) {
    if (weight === this._smoothing) return;
    const isOther = weight > 0 !== this._smoothing > 0;
    this._smoothing = weight;
    if (isOther) this.rebuild();
    else this._plot.setData(this._drawnColumns());
  }

  /** @param {import("canopy/ghosts.js").Ghost[]} ghosts */
  setGhosts(ghosts) {
    if (ghosts.length === 0 && this._ghosts.isEmpty) return;
    this._ghosts.show(ghosts);
    this._plot.setData(this._drawnColumns());
  }

  /** The part of the x axis that is shown, or null for all of it. */
  get zoom() {
    return this._zoom;
  }

  /** Shows a part of the x axis, whatever points come; null shows all of them. Tells nobody. */
  zoomTo(range) {
    if (String(range) === String(this._zoom)) return;
    this._zoom = range;
    this._plot.setData(this._drawnColumns());
  }

  /** Where on the x axis the pointer is, or null. */
  pointedX() {
    const left = this._plot.cursor.left;
    return left >= 0 ? this._plot.posToVal(left, "x") : null;
  }

  /** The index of the value nearest to the pointer, or null. */
  pointedIndex() {
    const { left, idx } = this._plot.cursor;
    return left >= 0 && idx !== null && idx < this._columns[0].length ? idx : null;
  }

  /** What is drawn as a picture, with a title and a legend. */
  toPng(title) {
    const legend = [
      ...this._spec.lines.filter((_, index) => !this._hidden.has(index)),
      ...this._ghosts.legend(),
    ];
    return framedPng(this._plot.ctx.canvas, title, legend);
  }

  /** The columns that are drawn, as they are and not smoothed. */
  toCsv() {
    const shown = this._spec.lines.map((_, index) => index).filter((index) => !this._hidden.has(index));
    const names = [this._spec.x.label, ...shown.map((index) => this._spec.lines[index].label)];
    return toCsv(names, [this._columns[0], ...shown.map((index) => this._columns[index + 1])]);
  }

  /** Draws it anew, with other colours or another spec. */
  rebuild(spec = this._spec) {
    this._spec = spec;
    this._plot.destroy();
    this._plot = this._newPlot();
  }

  destroy() {
    this._observer.disconnect();
    this._endTheme();
    this._plot.destroy();
  }

  _size() {
    return { width: Math.max(this._host.clientWidth, 100), height: Math.max(this._host.clientHeight, 100) };
  }

  _newPlot() {
    const { x, y, lines, sync, behind, onPointer } = this._spec;
    const options = {
      ...this._size(),
      padding: [18, 24, 0, 0],
      legend: { show: false },
      cursor: {
        ...(sync && { sync: { key: sync } }),
        points: { size: 7 },
        drag: { x: true, y: false, setScale: false },
        bind: { dblclick: () => () => this._choose(null) },
      },
      scales: {
        x: { time: x.isTime ?? false, distr: x.isLog ? 3 : 1, range: (_, low, high) => this._rangeOfX(x, low, high) },
        y: { distr: y.isLog ? 3 : 1, range: (_, low, high) => this._rangeOfY(y, low, high) },
      },
      axes: [axisOf(x, { size: 30, gap: 4 }), axisOf(y, { size: 48, gap: 6 })],
      series: [{}, ...this._series(lines)],
      hooks: {
        drawAxes: [
          (plot) => {
            this._ghosts.draw(plot, this._spec.y.isLog);
            behind?.(plot);
          },
        ],
        // uPlot tells of the pointer before its constructor has returned.
        setCursor: [() => this._plot && onPointer?.()],
        setSelect: [(plot) => this._onSelect(plot)],
      },
    };
    return new uPlot(options, this._drawnColumns(), this._host);
  }

  /** The lines as they are, then, where there is smoothing, each of them smoothed. */
  _series(lines) {
    const isSmoothed = this._smoothing > 0;
    const series = lines.map((line, index) => seriesOf(line, !this._hidden.has(index)));
    if (!isSmoothed) return series;
    const raw = series.map((one) => ({ ...one, alpha: RAW_ALPHA, dash: undefined, width: 1 }));
    return [...raw, ...series.map((one) => ({ ...one, points: { show: false } }))];
  }

  _drawnColumns() {
    const [x, ...values] = this._columns;
    const drawn = values.map((column, index) => (this._hidden.has(index) ? column : withGaps(column)));
    if (this._smoothing === 0) return [x, ...drawn];
    const smoothed = values.map((column, index) => {
      return this._hidden.has(index) ? column : withGaps(smooth(column, this._smoothing, this._segments[index]));
    });
    return [x, ...drawn, ...smoothed];
  }

  // The axes are those of the plot that asks: uPlot commits late, when another may be in its place.
  _rangeOfX(x, low, high) {
    const [least, most] = widened(low, high, this._ghosts.ends());
    const whole = x.isLog ? logRange(this._firstPositive(), most, 1) : x.range(least, most);
    if (!this._zoom) return (this._inView = whole);
    const [from, to] = this._zoom;
    return (this._inView = x.isLog && from <= 0 ? [whole[0], to] : [from, to]);
  }

  _firstPositive() {
    const first = this._columns[0].find((value) => value > 0);
    return Math.min(...this._ghosts.firstPositives(), first ?? Infinity);
  }

  _rangeOfY(y, low, high) {
    const [least, most] = widened(low, high, this._ghosts.extents(this._inView, y.isLog));
    return y.isLog ? logRange(least, most, 1.05) : y.range(least, most);
  }

  _onSelect(plot) {
    const { left, width } = plot.select;
    if (width <= 0) return;
    plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    this._choose([plot.posToVal(left, "x"), plot.posToVal(left + width, "x")]);
  }

  _choose(range) {
    this.zoomTo(range);
    this._spec.onZoom?.(range);
  }
}

/** A range and the finite ones of some values; NaN where there is nothing. */
function widened(low, high, values) {
  const all = [low, high, ...values].filter((value) => value !== null && Number.isFinite(value));
  return all.length ? [Math.min(...all), Math.max(...all)] : [NaN, NaN];
}
