/** Faint lines of an x of their own behind those of a plot: they widen its axes, and are drawn on its canvas. */
import { cssColor } from "canopy/palette.js";

const ALPHA = 0.45;

/**
 * @typedef {object} Ghost
 * @property {string} label
 * @property {string} color
 * @property {number[]} [dash]
 * @property {ArrayLike<number>} x in rising order
 * @property {ArrayLike<number>} y
 */
export class Ghosts {
  constructor() {
    this._ghosts = [];
  }

  get isEmpty() {
    return this._ghosts.length === 0;
  }

  /** @param {Ghost[]} ghosts */
  show(ghosts) {
    this._ghosts = ghosts;
  }

  /** As entries of a legend. */
  legend() {
    return this._ghosts.map((ghost) => ({ ...ghost, alpha: ALPHA }));
  }

  /** Where along x they begin and end. */
  ends() {
    return this._ghosts.flatMap(({ x }) => [x[0], x.at(-1)]);
  }

  /** The first x of each that a logarithmic axis can have. */
  firstPositives() {
    return this._ghosts.map(({ x }) => x.find((value) => value > 0)).filter((value) => value !== undefined);
  }

  /** The least and the greatest value of each within a part of x. */
  extents(inView, isLog) {
    return this._ghosts.flatMap((ghost) => extent(ghost, inView, isLog));
  }

  /** Draws them on a plot whose y axis is logarithmic or not. */
  draw(plot, isLog) {
    const { ctx: context, bbox: box } = plot;
    const ratio = devicePixelRatio || 1;
    context.save();
    context.beginPath();
    context.rect(box.left, box.top, box.width, box.height);
    context.clip();
    context.globalAlpha = ALPHA;
    context.lineWidth = 1.5 * ratio;
    for (const { x, y, color, dash = [] } of this._ghosts) {
      context.strokeStyle = cssColor(color);
      context.setLineDash(dash.map((length) => length * ratio));
      context.beginPath();
      for (let index = 0; index < x.length; index += 1) {
        if (!Number.isFinite(y[index]) || (isLog && y[index] <= 0)) continue;
        context.lineTo(plot.valToPos(x[index], "x", true), plot.valToPos(y[index], "y", true));
      }
      context.stroke();
    }
    context.restore();
  }
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
