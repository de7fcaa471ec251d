import { View, setText } from "canopy/view.js";

/** What is trained, in a line: the dataset, the seed, and what it came to. */
export class About extends View {
  build() {
    this.follow(["state", "dataset"], () => this._draw());
  }

  _draw() {
    const { state, dataset } = this.bus;
    const parts = [];
    if (dataset) parts.push(dataset.title);
    if (state?.seed !== null && state?.seed !== undefined) parts.push(`seed ${state.seed}`);
    if (state?.outcome) parts.push(state.outcome.replaceAll("_", " "));
    const text = parts.join(" · ");
    setText(this.element, text);
    this.element.title = text;
  }
}
