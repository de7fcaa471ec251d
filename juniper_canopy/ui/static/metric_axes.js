/** The y axes of losses, accuracies and figures: what is shown of them, and how their ticks are written. */
import { formatFigure } from "canopy/format.js";

/** From zero up; all there is to see of a loss or a count. */
export const FIGURES = {
  tick: formatFigure,
  range: (_, high) => [0, Number.isFinite(high) && high > 0 ? high * 1.08 : 1],
};

/** Shares of one, from the tenth below the lowest. */
export const SHARES = {
  tick: (value) => `${Number((100 * value).toPrecision(3))} %`,
  range: (low) => [Number.isFinite(low) ? Math.max(0, Math.floor(low * 10 - 0.5) / 10) : 0, 1.02],
};
