/** Colours come from the style sheet alone, so that light, dark and every view agree. */
export const CLASS_COUNT = 10;

export function cssColor(name) {
  return getComputedStyle(document.body).getPropertyValue(`--${name}`).trim();
}

/** [red, green, blue] of a colour written #rrggbb. */
export function rgb(hex) {
  return [1, 3, 5].map((start) => parseInt(hex.slice(start, start + 2), 16));
}

/** Calls `listener` when the page turns dark or light. Returns the way to stop it. */
export function onThemeChange(listener) {
  let dark = document.body.classList.contains("body--dark");
  const observer = new MutationObserver(() => {
    const now = document.body.classList.contains("body--dark");
    if (now !== dark) {
      dark = now;
      listener();
    }
  });
  observer.observe(document.body, { attributes: true, attributeFilter: ["class"] });
  return () => observer.disconnect();
}
