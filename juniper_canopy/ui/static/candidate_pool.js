import { formatScore } from "canopy/format.js";
import { View, make, setText } from "canopy/view.js";

/** One bar for each candidate unit, as long as its correlation score; the best so far stands out. */
export class CandidatePool extends View {
  build() {
    this._list = make("ol", "pool");
    this._empty = make("p", "hint", "No candidates yet: they train between two output phases.");
    this._bars = [];
    this.element.append(this._list, this._empty);
    this.follow(["candidates"], () => this._draw());
  }

  _draw() {
    const scores = this.bus.candidates?.scores ?? [];
    this._empty.hidden = scores.length > 0;
    if (scores.length !== this._bars.length) this._rebuild(scores.length);
    const best = Math.max(...scores);
    const scale = Math.max(best, 1e-12);
    scores.forEach((score, index) => {
      const { row, fill, value } = this._bars[index];
      row.classList.toggle("best", score === best);
      fill.style.width = `${(100 * Math.max(score, 0)) / scale}%`;
      setText(value, formatScore(score));
    });
  }

  _rebuild(count) {
    this._bars = Array.from({ length: count }, (_, index) => {
      const fill = make("span", "pool-fill");
      const value = make("span", "pool-value");
      const row = make(
        "li",
        "pool-row",
        make("span", "pool-name", `c${index}`),
        make("span", "pool-track", fill),
        value,
      );
      return { row, fill, value };
    });
    this._list.replaceChildren(...this._bars.map(({ row }) => row));
  }
}
