/** Which two of several inputs lie along x and y, as the address says it: `1,3` for x1 and x3. */
import { readAddress } from "canopy/address.js";

/** The first two, of which the address says nothing. */
export const FIRST_FEATURES = [0, 1];

/** The places of the two that stand in the address under a name; those of the first two where it names none. */
export function readFeatures(name) {
  const found = /^([1-9]\d{0,5}),([1-9]\d{0,5})$/.exec(readAddress(name, ""));
  return found ? [Number(found[1]) - 1, Number(found[2]) - 1] : FIRST_FEATURES;
}

/** Two places as the address has them; null for the first two. */
export function featuresInWords(features) {
  return String(features) === String(FIRST_FEATURES) ? null : features.map((feature) => feature + 1).join();
}
