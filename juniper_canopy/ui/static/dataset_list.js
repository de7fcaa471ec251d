import { headingCell, pushButton, scrollBox } from "canopy/elements.js";
import { formatCount, formatMoment, secondsOf } from "canopy/format.js";
import { ask } from "canopy/rest.js";
import { shownDataset } from "canopy/shown_dataset.js";
import { View, make, setText } from "canopy/view.js";

const PAGE = 100;
const LOOK_AGAIN_MS = 2000;
const COLUMNS = { Dataset: "", Samples: "number", Features: "number", Classes: "number", Made: "", Tags: "" };

/** The datasets that are kept, the newest first; the one that is shown is marked. */
export class DatasetList extends View {
  build() {
    this._shown = shownDataset();
    this._datasets = [];
    this._total = 0;
    this._cursor = null;
    this._filter = make("input", "field list-filter");
    this._filter.type = "search";
    this._filter.placeholder = "Filter";
    this._filter.setAttribute("aria-label", "Filter the datasets by name, id or tag");
    this._filter.oninput = () => this._draw();
    this._note = make("p", "hint");
    this._note.setAttribute("role", "status");
    this._more = pushButton("More", () => this._load(this._cursor), "small-button");
    this._body = make("tbody");
    const heads = Object.entries(COLUMNS).map(([title, kind]) => headingCell("col", kind, title));
    this._table = make("table", "datasets-table", make("thead", "", make("tr", "", ...heads)), this._body);
    const title = make("h2", "panel-title", "Kept datasets");
    const list = scrollBox("Kept datasets", this._table);
    list.classList.add("datasets-scroll");
    this.element.append(
      make("div", "panel-head", title, this._filter),
      list,
      make("div", "list-foot", this._note, this._more),
    );
    this.until(this._shown.subscribe(() => this._mark()));
    this.until(() => clearTimeout(this._again));
    this._table.hidden = this._more.hidden = true;
    this.reload();
  }

  /** Fetches the list anew. */
  reload() {
    return this._load(null);
  }

  async _load(cursor) {
    clearTimeout(this._again);
    try {
      const page = await ask("/api/datasets", { limit: PAGE, cursor });
      this._datasets = cursor ? [...this._datasets, ...page.datasets] : page.datasets;
      this._total = page.total;
      this._cursor = page.next_cursor;
      this._draw();
    } catch (error) {
      setText(this._note, `The datasets cannot be listed: ${error.message}`);
      this._again = setTimeout(() => this._load(cursor), LOOK_AGAIN_MS);
    }
  }

  _draw() {
    const wanted = this._filter.value.trim().toLowerCase();
    const fitting = this._datasets.filter((meta) => words(meta).includes(wanted));
    this._body.replaceChildren(...fitting.map((meta) => this._row(meta)));
    this._table.hidden = fitting.length === 0;
    this._more.hidden = this._cursor === null;
    const all = `${formatCount(this._total)} ${this._total === 1 ? "dataset" : "datasets"}`;
    const loaded = this._cursor === null ? all : `the newest ${formatCount(this._datasets.length)} of ${all}`;
    const told = wanted ? `${formatCount(fitting.length)} fit, of ${loaded}` : loaded;
    setText(this._note, this._total === 0 ? "None yet: make one, or upload a file." : told);
    this._mark();
  }

  _row(meta) {
    const name = meta.dataset_name ?? meta.generator.replaceAll("_", " ");
    const open = pushButton(name, () => this._shown.select(meta.dataset_id), "row-button");
    const id = make("span", "row-id", meta.dataset_id);
    const made = make("time", "", formatMoment(secondsOf(meta.created_at)));
    made.dateTime = meta.created_at;
    const cells = [
      make("td", "row-name", open, id),
      make("td", "number", formatCount(meta.n_samples)),
      make("td", "number", formatCount(meta.n_features)),
      make("td", "number", meta.task_type === "regression" ? "values" : formatCount(meta.n_classes)),
      make("td", "", made),
      make("td", "row-tags", ...meta.tags.map((tag) => make("span", "tag", tag))),
    ];
    const row = make("tr", "", ...cells);
    row.dataset.dataset = meta.dataset_id;
    return row;
  }

  _mark() {
    for (const row of this._body.rows) {
      const isShown = row.dataset.dataset === this._shown.id;
      row.classList.toggle("is-shown", isShown);
      row.querySelector("button").setAttribute("aria-pressed", isShown);
    }
  }
}

const words = (meta) => [meta.dataset_name ?? "", meta.dataset_id, ...meta.tags].join(" ").toLowerCase();
