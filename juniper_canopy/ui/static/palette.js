/** Colours come from the style sheet alone, so that light, dark and every view agree. */
export const CLASS_COUNT = 10;
export const MARKERS = ["circle", "square", "triangle", "diamond", "down", "plus", "hexagon", "star", "left", "right"];

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

/** Traces a class's marker around (x, y) into a canvas path. */
export function traceMarker(context, marker, x, y, radius) {
  context.beginPath();
  if (marker === "circle") {
    context.arc(x, y, radius, 0, 2 * Math.PI);
    return;
  }
  const corners = CORNERS[marker];
  corners.forEach(([dx, dy], index) => {
    const move = index === 0 ? "moveTo" : "lineTo";
    context[move](x + dx * radius, y + dy * radius);
  });
  context.closePath();
}

function ring(count, turn, inner = 1) {
  return Array.from({ length: count }, (_, index) => {
    const angle = turn + (2 * Math.PI * index) / count;
    const radius = 1.2 * (index % 2 ? inner : 1);
    return [Math.sin(angle) * radius, -Math.cos(angle) * radius];
  });
}

const CORNERS = {
  square: [[-0.9, -0.9], [0.9, -0.9], [0.9, 0.9], [-0.9, 0.9]],
  triangle: ring(3, 0),
  down: ring(3, Math.PI),
  left: ring(3, -Math.PI / 2),
  right: ring(3, Math.PI / 2),
  diamond: ring(4, 0),
  hexagon: ring(6, 0),
  star: ring(10, 0, 0.45),
  plus: [
    [-0.4, -1.1], [0.4, -1.1], [0.4, -0.4], [1.1, -0.4], [1.1, 0.4], [0.4, 0.4],
    [0.4, 1.1], [-0.4, 1.1], [-0.4, 0.4], [-1.1, 0.4], [-1.1, -0.4], [-0.4, -0.4],
  ],
};
