import { onAddress, readAddress, readWhole, writeAddress } from "canopy/address.js";
import { askPerson } from "canopy/dialog.js";
import { alertLine, headingCell, pushButton, scrollBox } from "canopy/elements.js";
import { formatBytes, formatCount, formatMoment } from "canopy/format.js";
import { Pager } from "canopy/pager.js";
import { ask, at, tell } from "canopy/rest.js";
import { RunsView, SNAPSHOTS_FROM, openRun } from "canopy/runs_view.js";
import { make, setText } from "canopy/view.js";

const ALL = "/api/v1/snapshots";
const PAGE = 50;
const BUSY = new Set(["QUEUED", "STARTED", "PAUSED"]);

/** What is kept of the growth of the opened run, or of all, and what can be made of it. */
export class SnapshotList extends RunsView {
  build() {
    this.purpose = "list the snapshots";
    this._snapshots = [];
    this._rows = new Map();
    this._title = make("h2", "panel-title", "Snapshots");
    this._count = make("span", "readout");
    this.problem = alertLine();
    this.refused = alertLine();
    this._buildActions();
    this._pager = new Pager(PAGE, (offset) => writeAddress({ [SNAPSHOTS_FROM]: offset || null }));
    this.element.append(
      make("div", "panel-head", this._title, this._count, this._take),
      this.problem,
      this._actions,
      this.refused,
      this._buildTable(),
      this._pager.element,
    );
    this.until(onAddress(() => this._followAddress()));
    this.follow(["topology"], () => this._mark());
    this.followRuns();
  }

  _buildActions() {
    const rest = () => !BUSY.has(this.bus.state?.status);
    const whole = ({ state }) => state === "whole";
    this._take = pushButton("Take a snapshot now", () => this._takeOne());
    this._tools = [
      { button: pushButton("Restore", () => this._restore()), isPossible: (one) => rest() && whole(one) },
      {
        button: pushButton("Go on", () => this._resume()),
        isPossible: (one) => rest() && whole(one) && one.can_resume,
      },
      { button: pushButton("Grow on", () => this._retrain()), isPossible: (one) => rest() && whole(one) },
      {
        button: pushButton("Replay", () => this._replay()),
        isPossible: (one) => rest() && whole(one) && one.run_id !== null,
      },
      { button: pushButton("Delete", () => this._delete(), "button button-danger"), isPossible: () => true },
    ];
    this._file = make("a", "button", "Download");
    this._file.setAttribute("download", "");
    this._actions = make("div", "actions", ...this._tools.map((tool) => tool.button), this._file);
    this._actions.setAttribute("role", "group");
    this._actions.setAttribute("aria-label", "The chosen snapshot");
  }

  _buildTable() {
    const titles = ["Run", "Epoch", "Units", "Written", "Size", "State"];
    const head = make("tr", "", make("th", "tick", make("span", "unseen", "Choose")));
    head.append(...titles.map((title, index) => headingCell("col", CELLS[index], title)));
    this._body = make("tbody");
    this._empty = make("p", "hint", "Nothing is kept yet.");
    this._table = make("table", "list", make("thead", "", head), this._body);
    return scrollBox("Snapshots", this._table, this._empty);
  }

  _followAddress() {
    const of = readAddress("run");
    if (of === this._of && readWhole(SNAPSHOTS_FROM) === this._from) this._mark();
    else this.refresh();
  }

  async load() {
    const of = readAddress("run");
    const from = readWhole(SNAPSHOTS_FROM);
    Object.assign(this, { _of: of, _from: from });
    const { snapshots, total } = await ask(ALL, { run_id: of, offset: from, limit: PAGE });
    if (of !== this._of || from !== this._from) return;
    if (snapshots.length === 0 && from > 0) writeAddress({ [SNAPSHOTS_FROM]: this._pager.lastOffset(total) || null });
    else this._draw(snapshots, total, of);
  }

  _draw(snapshots, total, of) {
    this._snapshots = snapshots;
    setText(this._title, of === null ? "Snapshots of all runs" : "Snapshots of this run");
    this._table.classList.toggle("of-one-run", of !== null);
    setText(this._count, formatCount(total));
    this._pager.show(this._from, snapshots.length, total);
    const ids = snapshots.map(({ id }) => id);
    if (ids.join() !== [...this._rows.keys()].join()) {
      const before = this._rows;
      this._rows = new Map(snapshots.map((one) => [one.id, before.get(one.id) ?? this._newRow(one)]));
      this._body.replaceChildren(...[...this._rows.values()].map(({ row }) => row));
    }
    for (const one of snapshots) {
      const { cells } = this._rows.get(one.id);
      textsOf(one).forEach((text, index) => setText(cells[index], text));
    }
    this._empty.hidden = snapshots.length > 0;
    this._mark();
  }

  _newRow({ id, epoch }) {
    const choice = make("input");
    Object.assign(choice, { type: "radio", name: "snapshot", value: id });
    choice.setAttribute("aria-label", `The snapshot of epoch ${formatCount(epoch ?? NaN)}, ${id}`);
    choice.onchange = () => writeAddress({ snapshot: id });
    const cells = CELLS.map((kind) => make("td", kind));
    const row = make("tr", "", make("td", "tick", choice), ...cells);
    row.dataset.snapshot = id;
    row.onclick = () => choice.checked || choice.click();
    return { row, cells, choice };
  }

  /** The chosen snapshot: the address names it, else it is the newest. */
  _chosen() {
    const named = readAddress("snapshot");
    return this._snapshots.find(({ id }) => id === named) ?? this._snapshots[0] ?? null;
  }

  _mark() {
    const chosen = this._chosen();
    for (const [id, { row, choice }] of this._rows) {
      choice.checked = id === chosen?.id;
      row.classList.toggle("opened", choice.checked);
    }
    for (const { button: one, isPossible } of this._tools) one.disabled = chosen === null || !isPossible(chosen);
    this._actions.hidden = chosen === null;
    this._take.disabled = !this.bus.topology || this.bus.state?.status === "REPLAYING";
    if (chosen) this._file.href = at(ALL, chosen.id, "file");
  }

  _takeOne() {
    this.act("take a snapshot", async () => {
      const { id, run_id: of } = await tell("POST", ALL);
      writeAddress({ snapshot: id, run: readAddress("run") && of, [SNAPSHOTS_FROM]: null });
    });
  }

  _restore() {
    const one = this._chosen();
    this.act("restore the snapshot", async () => {
      const units = this.bus.topology?.hidden_units.length;
      const now =
        units === undefined
          ? "No other is loaded now."
          : `It takes the place of the network that is loaded, with ${count(units)}.`;
      const words = `This loads ${networkOf(one)}. ${now} Snapshots and runs stay as they are.`;
      if (!(await askPerson({ title: "Restore this snapshot?", words, action: "Restore" }))) return;
      await tell("POST", at(ALL, one.id, "restore"));
    });
  }

  _resume() {
    const one = this._chosen();
    this.act("go on", async () => {
      const { run_id: run } = await tell("POST", at(ALL, one.id, "resume"), {});
      openRun(run);
    });
  }

  _retrain() {
    const one = this._chosen();
    this.act("grow on", async () => {
      const words = `A new run grows on from ${networkOf(one)}, on its own data.`;
      const fields = [
        { name: "epochs", label: "Most epochs", placeholder: "as in the snapshot" },
        { name: "max_hidden_units", label: "Most hidden units", placeholder: "as in the snapshot" },
      ];
      const given = await askPerson({ title: "Grow on from this snapshot?", words, action: "Grow on", fields });
      if (given === null) return;
      const params = given.max_hidden_units === null ? {} : { max_hidden_units: given.max_hidden_units };
      const request = given.epochs === null ? { params } : { params, epochs: given.epochs };
      const { run_id: run } = await tell("POST", at(ALL, one.id, "retrain"), request);
      openRun(run);
    });
  }

  _replay() {
    const one = this._chosen();
    this.act("replay the growth", () => tell("POST", at(ALL, one.id, "replay"), {}));
  }

  _delete() {
    const one = this._chosen();
    this.act("delete the snapshot", async () => {
      const words = `The file of epoch ${formatCount(one.epoch ?? NaN)} goes. Nothing brings it back.`;
      if (!(await askPerson({ title: "Delete this snapshot?", words, action: "Delete", isDangerous: true }))) return;
      await tell("DELETE", at(ALL, one.id));
      writeAddress({ snapshot: null });
    });
  }
}

const CELLS = ["whose", "figure", "figure", "", "figure spare", "long"];

const networkOf = ({ epoch, hidden_units: units }) => `the network of epoch ${formatCount(epoch)} with ${count(units)}`;

const count = (units) => `${formatCount(units)} hidden ${units === 1 ? "unit" : "units"}`;

function textsOf({
  run_id: run,
  epoch,
  hidden_units: units,
  created_at: written,
  size_bytes: size,
  state,
  problem,
  can_resume: canResume,
}) {
  const told =
    state === "whole" ? (canResume ? "whole, can go on" : "whole") : `${state}: ${problem ?? "no reason was given"}`;
  const whose = run ? `…${run.slice(-4)}` : "–";
  return [whose, formatCount(epoch ?? NaN), formatCount(units ?? NaN), formatMoment(written), formatBytes(size), told];
}
