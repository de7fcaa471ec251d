import { onAddress, readAddress, readWhole, writeAddress } from "canopy/address.js";
import { alertLine, headingCell, pushButton, scrollBox } from "canopy/elements.js";
import { formatCount, formatDuration, formatLoss, formatMoment, formatShare } from "canopy/format.js";
import { Pager } from "canopy/pager.js";
import { ask, at } from "canopy/rest.js";
import { RunsView, openRun } from "canopy/runs_view.js";
import { datasetInWords, durationOf, outcomeInWords, statusInWords } from "canopy/run_words.js";
import { STATUS_WORDS } from "canopy/status.js";
import { make, setText } from "canopy/view.js";

const PAGE = 50;
const TYPING_MS = 250;
const MOST_COMPARED = 20;
const NEWEST_FIRST = "created_at";
/** What the list is narrowed by, as the service and as the address have it. */
const FILTERS = { text: "runs-find", status: "runs-status", tag: "runs-tag", dataset_id: "runs-dataset" };

/** Heading, what the service sorts by, and the text of a run's cell; `few` stays on a phone, `figure` is a number. */
const COLUMNS = [
  { title: "Status", sort: "status", text: ({ status }) => statusInWords(status), few: true },
  { title: "Outcome", text: outcomeInWords },
  { title: "Dataset", sort: "dataset_id", text: ({ dataset_id: id }, _, name) => datasetInWords(id, name) },
  { title: "Seed", sort: "seed", text: ({ seed }) => String(seed), figure: true, few: true },
  { title: "Epochs", sort: "epochs", text: ({ epochs }) => formatCount(epochs), figure: true },
  {
    title: "Units",
    sort: "hidden_units",
    text: ({ hidden_units: units }) => formatCount(units),
    figure: true,
    few: true,
  },
  { title: "Train loss", sort: "train_loss", text: (_, last) => formatLoss(last.train_loss), figure: true },
  {
    title: "Train acc.",
    sort: "train_accuracy",
    text: (_, last) => formatShare(last.train_accuracy),
    figure: true,
    few: true,
  },
  { title: "Val. loss", sort: "val_loss", text: (_, last) => formatLoss(last.val_loss), figure: true },
  { title: "Val. acc.", sort: "val_accuracy", text: (_, last) => formatShare(last.val_accuracy), figure: true },
  { title: "Duration", sort: "duration", text: (run) => formatDuration(durationOf(run)), figure: true },
  { title: "Tags", text: ({ tags }) => tags.join(", "), long: true },
  { title: "Notes", text: ({ notes }) => notes, long: true },
];

/** The ids of the runs that are compared, as the address has them. */
export function comparedRuns() {
  return (readAddress("compare") ?? "").split(",").filter(Boolean).slice(0, MOST_COMPARED);
}

/** What is asked of the service: the address says it all. */
function readQuery() {
  const sort = readAddress("runs-sort", NEWEST_FIRST);
  return {
    ...Object.fromEntries(Object.entries(FILTERS).map(([name, word]) => [name, readAddress(word)])),
    sort_by: sort.replace(/-up$/, ""),
    ascending: sort.endsWith("-up"),
    offset: readWhole("runs-from"),
  };
}

/** Every run ever: a page of them at a time, sorted and searched by the service. */
export class RunTable extends RunsView {
  build() {
    this.purpose = "list the runs";
    this._query = readQuery();
    this._rows = new Map();
    this._names = new Map(); // of datasets, by their ids
    this._count = make("span", "readout");
    this._count.setAttribute("role", "status");
    this.problem = alertLine();
    this._pager = new Pager(PAGE, (offset) => writeAddress({ "runs-from": offset || null }));
    this.element.append(
      make("div", "panel-head", make("h2", "panel-title", "Runs"), this._count, this._buildFilters()),
      this.problem,
      this._buildTable(),
      this._pager.element,
    );
    this._fillFilters();
    this.until(onAddress(() => this._followAddress()));
    this.followRuns();
  }

  _buildFilters() {
    const filters = make("form", "filters");
    filters.setAttribute("role", "search");
    filters.onsubmit = (event) => event.preventDefault();
    const status = make("select", "field");
    status.append(
      new Option("any status", ""),
      ...Object.entries(STATUS_WORDS).map(([value, words]) => new Option(words, value)),
    );
    this._controls = {};
    this._known = { tag: make("datalist"), dataset_id: make("datalist") };
    const find = (label, name) => this._filter(make("input", "field"), label, name);
    filters.append(
      find("Find in ids and notes", "text"),
      this._filter(status, "Status", "status"),
      find("Tag", "tag"),
      find("Dataset id", "dataset_id"),
      ...Object.values(this._known),
    );
    return filters;
  }

  _filter(control, label, name) {
    control.setAttribute("aria-label", label);
    if (control.tagName === "INPUT") Object.assign(control, { type: "search", placeholder: label, maxLength: 200 });
    if (this._known[name]) {
      this._known[name].id = `known-${name}`;
      control.setAttribute("list", this._known[name].id);
    }
    control.oninput = () => {
      clearTimeout(this._typing);
      this._typing = setTimeout(() => this._narrow(), TYPING_MS);
    };
    this._controls[name] = control;
    return control;
  }

  _narrow() {
    this._typing = null;
    const wanted = Object.entries(FILTERS).map(([name, word]) => [word, this._controls[name].value]);
    writeAddress({ ...Object.fromEntries(wanted), "runs-from": null });
  }

  /** The address may have changed: the list is asked for anew only where it says another. */
  _followAddress() {
    const query = readQuery();
    const isAnother = JSON.stringify(query) !== JSON.stringify(this._query);
    this._query = query;
    this._fillFilters();
    this._mark();
    if (isAnother) this.refresh();
  }

  /** The filters show what the address says, but while somebody types. */
  _fillFilters() {
    if (this._typing) return;
    for (const [name, control] of Object.entries(this._controls)) control.value = this._query[name] ?? "";
  }

  _buildTable() {
    this._headings = new Map();
    const head = make(
      "tr",
      "",
      make("th", "tick", make("span", "unseen", "Compare")),
      this._heading({ title: "Started", sort: "created_at", few: true }),
    );
    head.append(...COLUMNS.map((column) => this._heading(column)));
    this._body = make("tbody");
    const table = make("table", "list", make("thead", "", head), this._body);
    this._empty = make("p", "hint", "No run matches.");
    this._empty.hidden = true;
    return scrollBox("Runs", table, this._empty);
  }

  _heading({ title, sort, figure, few }) {
    if (!sort) return headingCell("col", classOf({ figure, few }), title);
    const turn = () => {
      const isTurned = this._query.sort_by === sort && !this._query.ascending;
      const word = isTurned ? `${sort}-up` : sort;
      writeAddress({ "runs-sort": word === NEWEST_FIRST ? null : word, "runs-from": null });
    };
    const heading = headingCell("col", classOf({ figure, few }), pushButton(title, turn, "sort"));
    this._headings.set(sort, heading);
    return heading;
  }

  async load() {
    const { offset } = this._query;
    const { runs, total, metrics } = await ask("/api/runs", { ...this._query, limit: PAGE });
    if (runs.length === 0 && offset > 0) {
      writeAddress({ "runs-from": this._pager.lastOffset(total) || null }); // the last page was deleted
      return;
    }
    this._draw(runs, total, metrics, offset);
    if (await this._findNames(runs)) this._draw(runs, total, metrics, offset);
  }

  /** Asks for the names of datasets not met before; whether there were any. One that is gone has none. */
  async _findNames(runs) {
    const met = new Set(runs.map(({ dataset_id: id }) => id).filter((id) => id && !this._names.has(id)));
    await Promise.all(
      [...met].map(async (id) => {
        try {
          this._names.set(id, (await ask(at("/api/datasets", id))).dataset_name);
        } catch (error) {
          if (error.status === 404) this._names.set(id, null); // else it is asked for again with the next list
        }
      }),
    );
    return met.size > 0;
  }

  _draw(runs, total, metrics, offset) {
    const { sort_by: sort, ascending } = this._query;
    for (const [name, heading] of this._headings) {
      heading.setAttribute("aria-sort", name !== sort ? "none" : ascending ? "ascending" : "descending");
    }
    const rows = runs.map((run) => this._row(run, metrics[run.id] ?? {}));
    // In its place a row keeps the focus.
    if (rows.length !== this._body.children.length || rows.some((row, index) => row !== this._body.children[index])) {
      this._body.replaceChildren(...rows);
    }
    const shown = new Set(runs.map(({ id }) => id));
    for (const id of this._rows.keys()) if (!shown.has(id)) this._rows.delete(id);
    offer(
      this._known.tag,
      runs.flatMap(({ tags }) => tags),
    );
    offer(this._known.dataset_id, runs.map(({ dataset_id: id }) => id).filter(Boolean));
    this._empty.hidden = runs.length > 0;
    setText(this._count, `${formatCount(total)} ${total === 1 ? "run" : "runs"}`);
    this._pager.show(offset, runs.length, total);
    this._mark();
  }

  _row(run, last) {
    if (!this._rows.has(run.id)) this._rows.set(run.id, this._newRow(run));
    const { row, cells } = this._rows.get(run.id);
    COLUMNS.forEach(({ text, long }, index) => {
      const words = text(run, last, this._names.get(run.dataset_id));
      setText(cells[index], words);
      if (long) cells[index].title = words;
    });
    row.dataset.status = run.status;
    return row;
  }

  _newRow(run) {
    const tick = make("input");
    tick.type = "checkbox";
    const when = formatMoment(run.created_at);
    tick.setAttribute("aria-label", `Compare the run of ${when}, seed ${run.seed}`);
    tick.onchange = () => this._compare(run.id, tick.checked);
    const open = make("button", "open-run", when); // its row hears the click
    open.type = "button";
    const cells = COLUMNS.map(({ figure, few, long }) => make("td", classOf({ figure, few, long })));
    const row = make("tr", "", make("td", "tick", tick), make("td", "", open), ...cells);
    row.dataset.run = run.id;
    row.onclick = (event) => {
      if (!event.target.closest("input")) openRun(run.id);
    };
    return { row, cells, tick, open };
  }

  _compare(id, isChosen) {
    const others = comparedRuns().filter((other) => other !== id);
    if (isChosen && others.length >= MOST_COMPARED) this.say(`Could not compare more than ${MOST_COMPARED} runs.`);
    const chosen = isChosen ? [...others, id].slice(0, MOST_COMPARED) : others;
    writeAddress({ compare: chosen.join(",") });
    this._mark();
  }

  /** Shows which runs are compared and which is open: the address says so. */
  _mark() {
    const compared = new Set(comparedRuns());
    const opened = readAddress("run");
    for (const [id, { row, tick, open }] of this._rows) {
      tick.checked = compared.has(id);
      row.classList.toggle("opened", id === opened);
      open.setAttribute("aria-expanded", id === opened);
    }
  }
}

function classOf({ figure, few, long }) {
  return [figure && "figure", !few && "spare", long && "long"].filter(Boolean).join(" ");
}

function offer(list, words) {
  const different = [...new Set(words)];
  if (different.join("\n") === [...list.children].map(({ value }) => value).join("\n")) return;
  list.replaceChildren(...different.map((word) => new Option(word, word)));
}
