/** What a logarithmic axis shows, and where its ticks stand. */
import { roundTicks } from "canopy/round_ticks.js";

const FEW_DECADES = 3;

/** The range of positive data with a margin, as a factor; a decade where there is none. */
export function logRange(low, high, margin) {
  if (!(low > 0) || !Number.isFinite(high)) return [0.1, 1];
  return high > low ? [low / margin, high * margin] : [low / 2, high * 2];
}

/** Powers of ten; 1, 2 and 5 of each where they are few; round steps within less than a decade. */
export function logTicks(low, high) {
  const decades = Math.log10(high / low);
  if (decades < 1) return roundTicks(low, high);
  const factors = decades <= FEW_DECADES ? [1, 2, 5] : [1];
  const ticks = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power += 1) {
    ticks.push(...factors.map((factor) => Number(`${factor}e${power}`)));
  }
  return ticks.filter((tick) => tick >= low && tick <= high);
}
