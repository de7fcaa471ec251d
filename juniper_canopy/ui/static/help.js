import { headingCell, pushButton } from "canopy/elements.js";
import { areKeysOn, bindKey, boundKeys, turnKeys } from "canopy/keyboard.js";
import { View, make } from "canopy/view.js";

const NAMES = { " ": "Space" };

/** The button that tells which keys do what now; `?` presses it. */
export class Help extends View {
  build() {
    const button = pushButton("?", () => this._open(), "icon-button", "Keyboard help (?)");
    this.element.append(button, this._buildDialog());
    this.until(bindKey("?", "This help", () => this._open()));
  }

  _buildDialog() {
    this._rows = make("tbody");
    const close = pushButton("Close", () => this._dialog.close());
    this._switch = make("input");
    this._switch.type = "checkbox";
    this._switch.onchange = () => turnKeys(this._switch.checked);
    const heading = make("h2", "panel-title", "Keys");
    heading.id = "help-title";
    this._dialog = make(
      "dialog",
      "dialog help",
      heading,
      make("table", "keys", this._rows),
      make("p", "hint", "Drag across a chart to zoom; a double click shows all of it again."),
      make("label", "switch", this._switch, "These keys are on"),
      close,
    );
    this._dialog.setAttribute("aria-labelledby", heading.id);
    return this._dialog;
  }

  /** A modal dialog: Esc closes it, and the focus goes back where it was. */
  _open() {
    this._switch.checked = areKeysOn();
    this._rows.replaceChildren(...boundKeys().map(([key, words]) => row(NAMES[key] ?? key.toUpperCase(), words)));
    this._dialog.showModal();
  }
}

function row(key, words) {
  return make("tr", "", headingCell("row", "", make("kbd", "", key)), make("td", "", words));
}
