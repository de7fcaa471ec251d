/**
 * What the page shows, as its address says it, so that a link or a reload brings it back:
 * `?tab=network&unit=3`. A name that is not there has its default.
 */
const listeners = new Set();

export function readAddress(name, otherwise = null) {
  return new URLSearchParams(location.search).get(name) ?? otherwise;
}

/** The whole number that stands under a name; 0 where none does. */
export function readWhole(name) {
  const text = readAddress(name, "");
  return /^\d{1,9}$/.test(text) ? Number(text) : 0;
}

/**
 * Writes names and values; null takes a name away.
 * @param {Record<string, string | number | null>} values
 * @param {boolean} [asStep] whether the browser's Back undoes it
 */
export function writeAddress(values, asStep = false) {
  const url = new URL(location.href);
  for (const [name, value] of Object.entries(values)) {
    if (value === null || value === "") url.searchParams.delete(name);
    else url.searchParams.set(name, value);
  }
  if (url.href === location.href) return;
  history[asStep ? "pushState" : "replaceState"](history.state, "", url);
  tell();
}

/** Calls `listener` whenever the address changed. Returns the way to stop it. */
export function onAddress(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function tell() {
  for (const listener of listeners) listener();
}

window.addEventListener("popstate", tell);
