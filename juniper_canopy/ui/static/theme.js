import { pushButton } from "canopy/elements.js";
import { View } from "canopy/view.js";

const KEY = "canopy-theme";
const NEXT = { auto: "dark", dark: "light", light: "auto" };
const WORDS = { auto: "as the system", dark: "dark", light: "light" };

/** The button that goes round system, dark and light; the choice stays in this browser. */
export class ThemeToggle extends View {
  build() {
    this._button = pushButton("", () => this._choose(NEXT[this._theme]), "icon-button");
    this._button.innerHTML =
      '<svg viewBox="0 0 24 24" width="20" height="20" aria-hidden="true">' +
      '<circle cx="12" cy="12" r="9" fill="none" stroke="currentColor" stroke-width="2"/>' +
      '<path d="M12 3a9 9 0 0 1 0 18z" fill="currentColor"/></svg>';
    this.element.append(this._button);
    this._choose(readTheme());
  }

  _choose(theme) {
    this._theme = theme;
    localStorage.setItem(KEY, theme);
    Quasar.Dark.set(theme === "auto" ? "auto" : theme === "dark");
    const label = `Colours: ${WORDS[theme]}. Change to ${WORDS[NEXT[theme]]}.`;
    this._button.setAttribute("aria-label", label);
    this._button.title = label;
  }
}

function readTheme() {
  const stored = localStorage.getItem(KEY);
  return stored in NEXT ? stored : "auto";
}
