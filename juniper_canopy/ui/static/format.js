/** Numbers as the page writes them: the headline and the charts use the same functions, so they cannot differ. */
const NOTHING = "–";

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

export const formatCount = (value) => (Number.isFinite(value) ? whole.format(value) : NOTHING);

export function formatLoss(value) {
  if (!Number.isFinite(value)) return NOTHING;
  return value !== 0 && Math.abs(value) < 0.001 ? value.toExponential(2) : value.toFixed(4);
}

export const formatShare = (value) => (Number.isFinite(value) ? `${(100 * value).toFixed(1)} %` : NOTHING);

export const formatScore = (value) => (Number.isFinite(value) ? value.toFixed(3) : NOTHING);

export function formatAge(seconds) {
  if (seconds < 60) return `${Math.floor(seconds)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  return `${Math.floor(seconds / 3600)} h`;
}
