import { pushButton } from "canopy/elements.js";
import { saveAll } from "canopy/export.js";
import { bindKey } from "canopy/keyboard.js";
import { View } from "canopy/view.js";

const TITLE = "Save all charts that are shown: pictures and points in one file";

/** The button that saves every chart of the open tab. */
export class ExportButton extends View {
  build() {
    const button = pushButton("", () => saveAll(), "icon-button", TITLE);
    button.innerHTML =
      '<svg viewBox="0 0 24 24" width="20" height="20" aria-hidden="true" fill="none" stroke="currentColor" ' +
      'stroke-width="2"><path d="M12 4v11m-5-5l5 5 5-5M5 20h14"/></svg>';
    this.element.append(button);
    this.until(bindKey("e", "Save all charts", () => saveAll()));
  }
}
