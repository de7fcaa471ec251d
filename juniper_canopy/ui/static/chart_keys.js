import { trainingChoices } from "canopy/chart_choices.js";
import { bindKey } from "canopy/keyboard.js";
import { AXIS_CHOICES } from "canopy/run_axes.js";
import { View } from "canopy/view.js";

const CHARTS = ["loss", "accuracy"];
const SMOOTHING = 0.6;

/** The keys of the Training tab's charts; it draws nothing. */
export class ChartKeys extends View {
  build() {
    const choices = trainingChoices();
    const bind = (key, words, action) => this.until(bindKey(key, words, action, this.element));
    bind("l", "Logarithmic or linear scale", () => {
      const isLog = !CHARTS.every((chart) => choices.isLog(chart));
      for (const chart of CHARTS) choices.chooseLog(chart, isLog);
    });
    bind("s", "Smooth the curves, or not", () => choices.chooseSmoothing(choices.smoothing ? 0 : SMOOTHING));
    bind("x", "Next x axis: epoch, time, units", () => {
      const words = Object.keys(AXIS_CHOICES);
      choices.chooseAxis(words[(words.indexOf(choices.axisWord) + 1) % words.length]);
    });
    bind("r", "Show all again after a zoom", () => choices.chooseRange(null));
  }
}
