/** Numbers as the page writes them: the headline and the charts use the same functions, so they cannot differ. */
const NOTHING = "–";

/** With a minus as long as a plus; that of an exponent stays. */
export const signed = (text) => text.replace(/^-/, "−");

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

export const formatCount = (value) => (Number.isFinite(value) ? whole.format(value) : NOTHING);

export function formatLoss(value) {
  if (!Number.isFinite(value)) return NOTHING;
  return value !== 0 && Math.abs(value) < 0.001 ? value.toExponential(2) : value.toFixed(4);
}

export const formatShare = (value) => (Number.isFinite(value) ? `${(100 * value).toFixed(1)} %` : NOTHING);

export const formatScore = (value) => (Number.isFinite(value) ? value.toFixed(3) : NOTHING);

/** Four digits that count, as far as they say anything: of what has no unit of its own, as the ticks of an axis. */
export const formatFigure = (value) => (Number.isFinite(value) ? signed(String(Number(value.toPrecision(4)))) : NOTHING);

/** Three digits that count, whatever the size: a weight may be any. */
export function formatWeight(value) {
  if (!Number.isFinite(value)) return NOTHING;
  const isPlain = value === 0 || (Math.abs(value) >= 0.001 && Math.abs(value) < 10_000);
  return signed(isPlain ? value.toPrecision(3) : value.toExponential(2));
}

export function formatAge(seconds) {
  if (seconds < 60) return `${Math.floor(seconds)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  return `${Math.floor(seconds / 3600)} h`;
}

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"];

export function formatBytes(bytes) {
  if (!Number.isFinite(bytes)) return NOTHING;
  const power = bytes < 1 ? 0 : Math.min(Math.floor(Math.log2(bytes) / 10), UNITS.length - 1);
  const value = bytes / 1024 ** power;
  return `${value.toFixed(power > 0 && value < 10 ? 1 : 0)} ${UNITS[power]}`;
}

/** Of a number that is in per cent already. */
export function formatPercent(value) {
  if (!Number.isFinite(value)) return NOTHING;
  return `${value.toFixed(value < 10 ? 1 : 0)} %`;
}

export function formatUptime(seconds) {
  if (seconds < 7200) return formatAge(seconds);
  if (seconds < 172800) return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
  return `${Math.floor(seconds / 86400)} days`;
}

const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });

/** Unix seconds of a time that is written as in ISO 8601. */
export const secondsOf = (text) => Date.parse(text) / 1000;

/** Unix seconds as this browser's time of day. */
export const formatClock = (seconds) => clock.format(1000 * seconds);

/** Seconds as `12.5 s`, `4:05` or `1:02:03`. */
export function formatDuration(seconds) {
  if (!Number.isFinite(seconds)) return NOTHING;
  if (seconds < 60) return `${Number(seconds < 1 ? seconds.toPrecision(2) : seconds.toFixed(2))} s`;
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, Math.floor(seconds) % 60];
  const [first, ...rest] = parts[0] ? parts : parts.slice(1);
  return [first, ...rest.map((part) => String(part).padStart(2, "0"))].join(":");
}

const moment = new Intl.DateTimeFormat("sv", { dateStyle: "short", timeStyle: "medium" }); // 2026-01-31 14:05:09

/** Unix seconds as date and time of this place. */
export const formatMoment = (seconds) => (Number.isFinite(seconds) ? moment.format(1000 * seconds) : NOTHING);
