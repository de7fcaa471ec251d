import { onAddress, readAddress, writeAddress } from "canopy/address.js";
import { selectField } from "canopy/elements.js";
import { formatClock, secondsOf } from "canopy/format.js";
import { Polling } from "canopy/polling.js";
import { ask } from "canopy/rest.js";
import { View, make, setText } from "canopy/view.js";

const PERIOD_MS = 2000;
const PATIENCE_MS = 8000;
const MOST_ROWS = 500;
const TYPING_MS = 300;
const SERVICES = { "": "all services", data: "juniper-data", cascor: "juniper-cascor", canopy: "juniper-canopy" };
const LEVELS = { DEBUG: "all levels", INFO: "info and worse", WARNING: "warnings and worse", ERROR: "errors and worse" };
const NEAR_END_PX = 24;

/** The last log records of all services in one list, the newest at its end. All text in it is of others. */
export class ServiceLogs extends View {
  build() {
    this._text = "";
    this._buildFilters();
    this._list = make("ol", "log-rows");
    this._list.tabIndex = 0;
    this._list.setAttribute("aria-label", "Log records");
    this._note = make("p", "hint");
    this._note.setAttribute("role", "status");
    this.element.append(this._note, this._list);
    this._polling = new Polling(this.bus, "system", PERIOD_MS, () => this._ask());
    this.until(() => this._polling.end());
    this.until(onAddress(() => this._readAddress()));
    this._readAddress();
  }

  _buildFilters() {
    this._service = selectField("Service", SERVICES, (value) => writeAddress({ service: value || null }));
    this._level = selectField("Least level", LEVELS, (value) => writeAddress({ level: value === "DEBUG" ? null : value }));
    this._search = make("input", "field");
    this._search.type = "search";
    this._search.placeholder = "Filter by text";
    this._search.maxLength = 200;
    this._search.setAttribute("aria-label", "Text in the records");
    this._search.oninput = () => {
      clearTimeout(this._typing);
      this._typing = setTimeout(() => this._look(), TYPING_MS);
    };
    this._follow = make("input");
    this._follow.type = "checkbox";
    this._follow.checked = true;
    this._follow.onchange = () => this._follow.checked && this._polling.now();
    this.until(() => clearTimeout(this._typing));
    const title = make("h2", "panel-title", "Last log records");
    const follow = make("label", "follow", this._follow, " Follow");
    this.element.append(make("div", "panel-head log-head", title, this._service, this._level, this._search, follow));
  }

  _readAddress() {
    const service = readAddress("service", "");
    const level = readAddress("level", "DEBUG");
    this._service.value = service in SERVICES ? service : "";
    this._level.value = level in LEVELS ? level : "DEBUG";
    this._look();
  }

  /** Begins anew where the filters are others than before. */
  _look() {
    const filters = { service: this._service.value, level: this._level.value, text: this._search.value.trim() };
    const key = JSON.stringify(filters);
    if (key === this._key) return;
    this._key = key;
    this._filters = filters;
    this._since = "";
    this._list.replaceChildren();
    this._list.dataset.filters = ""; // of what is shown, once it is
    this._polling.now();
  }

  async _ask() {
    const key = this._key;
    if (this._list.dataset.filters === key && !this._follow.checked) return;
    try {
      const answer = await ask("/api/system/logs", { ...this._filters, since: this._since }, PATIENCE_MS);
      if (key !== this._key) return; // the filters have changed meanwhile
      this._since = answer.next_since;
      this._append(answer);
      this._list.dataset.filters = key;
      setText(this._note, this._inWords(answer.away));
    } catch (error) {
      setText(this._note, `${error.message} Trying again.`);
    }
  }

  _append({ records, missed }) {
    const list = this._list;
    const isAtEnd = list.scrollHeight - list.scrollTop - list.clientHeight < NEAR_END_PX;
    for (const [service, count] of Object.entries(missed)) {
      list.append(make("li", "log-row hint", `${count} records of ${service} came too fast to be shown.`));
    }
    list.append(...records.map(rowOf));
    while (list.childElementCount > MOST_ROWS) list.firstElementChild.remove();
    if (isAtEnd) list.scrollTop = list.scrollHeight;
  }

  _inWords(away) {
    const parts = Object.entries(away).map(([service, reason]) => `No log of juniper-${service}: ${reason}.`);
    if (!this._list.childElementCount) parts.push("No records that fit.");
    return parts.join(" ");
  }
}

function rowOf(record) {
  const when = make("time", "log-time", formatClock(secondsOf(record.time)));
  when.dateTime = record.time;
  when.title = record.time;
  const level = make("span", "log-level", record.level);
  const service = make("span", "log-service", record.service);
  const message = make("span", "log-message", record.message);
  message.title = record.logger;
  const row = make("li", "log-row", when, level, service, message);
  row.dataset.level = record.level;
  row.dataset.service = record.service;
  if (record.run_id) row.append(make("span", "log-run", `run ${record.run_id}`));
  if (record.traceback) {
    row.append(make("details", "log-traceback", make("summary", "", "Traceback"), make("pre", "", record.traceback)));
  }
  return row;
}
