/** Runs before the page's own scripts: notes when each live frame came, and when a chart showed it. */
(() => {
  const now = () => performance.timeOrigin + performance.now();
  const probe = { frames: [], firstLineMs: null };
  let isAwaitingPaint = false;
  window.probe = probe;

  window.WebSocket = class extends WebSocket {
    constructor(url, protocols) {
      super(url, protocols);
      if (new URL(this.url).pathname !== "/ws/live") return;
      this.addEventListener("message", ({ data }) => probe.frames.push({ data, arrivedAt: now(), paintedAt: null }));
    }
  };

  const { stroke } = CanvasRenderingContext2D.prototype;
  CanvasRenderingContext2D.prototype.stroke = function (...path) {
    stroke.apply(this, path);
    // uPlot strokes a line as a path of its own; grid and ticks are the context's.
    if (path.length && this.canvas.closest(".uplot")) onLine();
  };

  function onLine() {
    if (isAwaitingPaint) return;
    isAwaitingPaint = true;
    const drawn = probe.frames.filter((frame) => frame.paintedAt === null);
    // The next animation frame begins when this one is on the screen.
    requestAnimationFrame(() => {
      isAwaitingPaint = false;
      probe.firstLineMs ??= performance.now();
      for (const frame of drawn) frame.paintedAt = now();
    });
  }
})();
