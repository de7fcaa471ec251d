/** What every view has in common: an element, the bus, and what must end when the element leaves the page. */
export class View {
  /**
   * @param {HTMLElement} element
   * @param {import("canopy/bus.js").LiveBus} bus
   * @param {object} options
   * @param {(event: string, value: unknown) => void} emit tells the server
   */
  constructor(element, bus, options, emit = () => {}) {
    this.element = element;
    this.bus = bus;
    this.options = options;
    this.emit = emit;
    this._endings = [];
    this.build();
  }

  build() {}

  /** Runs `draw` now and whenever one of the bus's topics changes; while the tab is hidden, once it is shown again. */
  follow(topics, draw) {
    let isDue = false;
    this._endings.push(
      this.bus.subscribe([...topics, "tab"], (changed) => {
        isDue ||= topics.some((topic) => changed.has(topic));
        if (!isDue || this.element.closest("[hidden]")) return;
        isDue = false;
        draw();
      }),
    );
  }

  every(milliseconds, draw) {
    const timer = setInterval(draw, milliseconds);
    this._endings.push(() => clearInterval(timer));
  }

  onResize(element, draw) {
    const observer = new ResizeObserver(draw);
    observer.observe(element);
    this._endings.push(() => observer.disconnect());
  }

  until(ending) {
    this._endings.push(ending);
  }

  destroy() {
    for (const ending of this._endings) ending();
  }
}

/** An element with a class, text and children: the little of a DOM library that the views need. */
export function make(tag, className = "", ...children) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.append(...children);
  return element;
}

/** Writes text only where it differs, which spares layout and screen readers. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Sizes a canvas to its box at the screen's resolution; returns its context, scaled to CSS pixels, and size. */
export function fitCanvas(canvas) {
  const { clientWidth: width, clientHeight: height } = canvas;
  const ratio = window.devicePixelRatio || 1;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  return { context, width, height };
}
