import uPlot from "canopy/vendor/uplot/uPlot.esm.js";
import { framedPng, toCsv } from "canopy/export.js";
import { logRange, logTicks } from "canopy/log_axis.js";
import { cssColor, onThemeChange } from "canopy/palette.js";
import { smooth } from "canopy/smoothing.js";

const FONT = "12px Roboto, sans-serif";
const TITLE_FONT = "500 12px Roboto, sans-serif";
const RAW_ALPHA = 0.3; // of a line behind its smoothed one
const GHOST_ALPHA = 0.45;

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
 * @typedef {object} Ghost a faint line of its own x behind the others
 * @property {string} label
 * @property {string} color
 * @property {number[]} [dash]
 * @property {ArrayLike<number>} x in rising order
 * @property {ArrayLike<number>} y
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
    this._ghosts = [];
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

  /** @param {Ghost[]} ghosts */
  setGhosts(ghosts) {
    if (ghosts.length === 0 && this._ghosts.length === 0) return;
    this._ghosts = ghosts;
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
      ...this._ghosts.map((ghost) => ({ ...ghost, alpha: GHOST_ALPHA })),
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
            this._drawGhosts(plot);
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
    const [least, most] = widened(low, high, this._ghosts.flatMap(({ x: values }) => [values[0], values.at(-1)]));
    const whole = x.isLog ? logRange(firstPositive(this._columns[0], this._ghosts), most, 1) : x.range(least, most);
    if (!this._zoom) return (this._inView = whole);
    const [from, to] = this._zoom;
    return (this._inView = x.isLog && from <= 0 ? [whole[0], to] : [from, to]);
  }

  _rangeOfY(y, low, high) {
    const seen = this._ghosts.flatMap((ghost) => extent(ghost, this._inView, y.isLog));
    const [least, most] = widened(low, high, seen);
    return y.isLog ? logRange(least, most, 1.05) : y.range(least, most);
  }

  _drawGhosts(plot) {
    const { ctx: context, bbox: box } = plot;
    const ratio = devicePixelRatio || 1;
    context.save();
    context.beginPath();
    context.rect(box.left, box.top, box.width, box.height);
    context.clip();
    context.globalAlpha = GHOST_ALPHA;
    context.lineWidth = 1.5 * ratio;
    for (const { x, y, color, dash = [] } of this._ghosts) {
      context.strokeStyle = cssColor(color);
      context.setLineDash(dash.map((length) => length * ratio));
      context.beginPath();
      for (let index = 0; index < x.length; index += 1) {
        if (!Number.isFinite(y[index]) || (this._spec.y.isLog && y[index] <= 0)) continue;
        context.lineTo(plot.valToPos(x[index], "x", true), plot.valToPos(y[index], "y", true));
      }
      context.stroke();
    }
    context.restore();
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

function axisOf({ label, tick, isLog, steps }, { size, gap }) {
  return {
    label,
    size,
    gap,
    labelSize: 18,
    stroke: cssColor("text-soft"),
    font: FONT,
    labelFont: TITLE_FONT,
    grid: { stroke: cssColor("grid"), width: 1 },
    ticks: { show: false },
    values: (_, values) => values.map(tick),
    ...(isLog && { splits: (_, __, low, high) => logTicks(low, high), filter: (_, values) => values }),
    ...(steps && !isLog && { incrs: steps }),
  };
}

function seriesOf({ label, color, dash, width = 2, hasPoints = false, spansGaps = false }, show) {
  const stroke = cssColor(color);
  return { label, dash, width, stroke, show, spanGaps: spansGaps, points: { show: hasPoints, size: 6, fill: stroke } };
}

/** uPlot's word for an undefined value is null, and typed arrays have none. */
function withGaps(column) {
  for (let index = 0; index < column.length; index += 1) {
    if (Number.isNaN(column[index])) return Array.from(column, (value) => (Number.isNaN(value) ? null : value));
  }
  return column;
}

/** A range and the finite ones of some values; NaN where there is nothing. */
function widened(low, high, values) {
  const all = [low, high, ...values].filter((value) => value !== null && Number.isFinite(value));
  return all.length ? [Math.min(...all), Math.max(...all)] : [NaN, NaN];
}

function firstPositive(x, ghosts) {
  const firsts = [x, ...ghosts.map((ghost) => ghost.x)].map((values) => values.find((value) => value > 0));
  return Math.min(...firsts.filter((value) => value !== undefined));
}

/** The least and the greatest value of a ghost's part in view. */
function extent({ x, y }, [from, to], isLog) {
  let least = Infinity;
  let most = -Infinity;
  for (let index = 0; index < x.length; index += 1) {
    const value = y[index];
    if (x[index] < from || x[index] > to || !Number.isFinite(value) || (isLog && value <= 0)) continue;
    if (value < least) least = value;
    if (value > most) most = value;
  }
  return [least, most];
}
