/** Asks again and again, but only while somebody can see the answer: the tab is open, and the page is in front. */
export class Polling {
  /**
   * @param {import("canopy/bus.js").LiveBus} bus
   * @param {string} tab
   * @param {number} periodMs from one answer to the next question
   * @param {() => Promise<void>} ask must not reject
   */
  constructor(bus, tab, periodMs, ask) {
    this._bus = bus;
    this._tab = tab;
    this._periodMs = periodMs;
    this._ask = ask;
    this._isAsking = false;
    this._isDue = false;
    this._onVisibility = () => this.now();
    document.addEventListener("visibilitychange", this._onVisibility);
    this._endTab = bus.subscribe(["tab"], () => this.now());
  }

  /** Asks at once; while an answer is under way, right after it. */
  now() {
    clearTimeout(this._timer);
    if (this._isAsking) this._isDue = true;
    else this._run();
  }

  end() {
    this._hasEnded = true;
    clearTimeout(this._timer);
    document.removeEventListener("visibilitychange", this._onVisibility);
    this._endTab();
  }

  async _run() {
    if (this._hasEnded || this._bus.tab !== this._tab || document.hidden) return;
    this._isAsking = true;
    this._isDue = false;
    await this._ask();
    this._isAsking = false;
    if (this._isDue) this._run();
    else this._timer = setTimeout(() => this._run(), this._periodMs);
  }
}
