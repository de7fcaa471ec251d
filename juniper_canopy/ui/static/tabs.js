import { onAddress, readAddress, writeAddress } from "canopy/address.js";
import { pushButton } from "canopy/elements.js";
import { bindKey } from "canopy/keyboard.js";
import { View } from "canopy/view.js";

/**
 * The row of tabs. Each panel is filled by the server when it is first opened; the address names the open one.
 * As the WAI-ARIA practices have it: one tab stop, arrows go along the row.
 */
export class Tabs extends View {
  build() {
    this.element.setAttribute("role", "tablist");
    this.element.setAttribute("aria-label", "Views");
    this._tabs = Object.entries(this.options.titles).map(([name, title], index) => this._tab(name, title, index));
    this.element.append(...this._tabs);
    this.element.onkeydown = (event) => this._move(event);
    this.until(onAddress(() => this._show()));
    this._opened = this.options.opened;
    this._show();
  }

  /** Turns to a tab, as a step that Back undoes. */
  open(name) {
    writeAddress({ tab: name === this._tabs[0].dataset.tab ? null : name }, true);
  }

  _tab(name, title, index) {
    const tab = pushButton(title, () => this.open(name), "tab");
    tab.id = `tab-${name}`;
    tab.dataset.tab = name;
    tab.setAttribute("role", "tab");
    tab.setAttribute("aria-controls", `panel-${name}`);
    this.until(bindKey(String(index + 1), title, () => this.open(name)));
    return tab;
  }

  _show() {
    const named = readAddress("tab");
    const current = this._tabs.find((tab) => tab.dataset.tab === named) ?? this._tabs[0];
    for (const tab of this._tabs) {
      const isOpen = tab === current;
      tab.setAttribute("aria-selected", isOpen);
      tab.tabIndex = isOpen ? 0 : -1;
      document.getElementById(`panel-${tab.dataset.tab}`).hidden = !isOpen;
    }
    current.scrollIntoView({ block: "nearest", inline: "nearest" }); // a phone's row is wider than its screen
    const name = current.dataset.tab;
    document.title = `${current.textContent} · Juniper Canopy`;
    if (name !== this._opened) this.emit("open", name);
    this._opened = name;
    this.bus.turnTo(name);
  }

  _move(event) {
    const at = this._tabs.indexOf(document.activeElement);
    const last = this._tabs.length - 1;
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: last }[event.key];
    if (at < 0 || to === undefined) return;
    event.preventDefault();
    const tab = this._tabs[(to + this._tabs.length) % this._tabs.length];
    tab.focus();
    tab.click();
  }
}
