import { onAddress, readAddress, writeAddress } from "canopy/address.js";
import { askPerson } from "canopy/dialog.js";
import { alertLine, pushButton } from "canopy/elements.js";
import { formatCount, formatDuration, formatLoss, formatMoment, formatScore, formatShare } from "canopy/format.js";
import { ask, at, tell } from "canopy/rest.js";
import { RunsView, openRun } from "canopy/runs_view.js";
import { durationOf, nameOf, outcomeInWords, statusInWords } from "canopy/run_words.js";
import { make, setText } from "canopy/view.js";

const OVER = ["STOPPED", "COMPLETED", "FAILED"];
const ACTIONS = {
  pause: { words: "Pause", from: ["STARTED"] },
  resume: { words: "Resume", from: ["PAUSED", "RESUME_READY"] },
  stop: { words: "Stop", from: ["QUEUED", "STARTED", "PAUSED", "RESUME_READY"] },
};
const ORIGINS = { fresh: "grown from nothing", grow_on: "grown on", resume: "resumed" };
const METRICS = {
  train_loss: ["Train loss", formatLoss],
  train_accuracy: ["Train accuracy", formatShare],
  val_loss: ["Validation loss", formatLoss],
  val_accuracy: ["Validation accuracy", formatShare],
  score: ["Best score", formatScore],
};

/** One run: what is needed to repeat it, what became of it, and what can be done with it. */
export class RunDetail extends RunsView {
  build() {
    this.purpose = "read the run";
    this._run = null;
    this._title = make("h2", "panel-title", "Run");
    this._status = make("span", "chip");
    this._hint = make("p", "hint", "Open a run of the list to see what it was, and what became of it.");
    this.problem = alertLine();
    this.refused = alertLine();
    this._buildActions();
    this._buildNotes();
    this._facts = make("dl", "facts");
    this._changes = section("Changed while it trained", "changes");
    this._states = section("States", "states");
    this._params = section("Parameters", "parameters");
    this._all = make(
      "div",
      "run-body",
      this._actions,
      this.refused,
      this._notes,
      this._facts,
      this._changes.details,
      this._states.details,
      this._params.details,
    );
    this.element.append(make("div", "panel-head", this._title, this._status), this.problem, this._hint, this._all);
    this._show(null);
    this.until(onAddress(() => readAddress("run") !== this._asked && this.refresh()));
    this.followRuns();
  }

  _buildActions() {
    this._again = pushButton("Train again", () => this._trainAgain());
    this._buttons = Object.entries(ACTIONS).map(([command, { words, from }]) => ({
      button: pushButton(words, () => this.act(command, () => tell("POST", at("/api/runs", this._run.id, command)))),
      isPossible: ({ status }) => from.includes(status),
    }));
    this._buttons.push(
      { button: this._again, isPossible: ({ dataset_id: id }) => id !== null },
      { button: pushButton("Show as ghost", () => this._showAsGhost()), isPossible: ({ epochs }) => epochs > 0 },
      {
        button: pushButton("Delete", () => this._delete(), "button button-danger"),
        isPossible: ({ status }) => OVER.includes(status),
      },
    );
    this._actions = make("div", "actions", ...this._buttons.map((known) => known.button));
  }

  _buildNotes() {
    this._text = make("textarea", "field");
    Object.assign(this._text, { rows: 2, maxLength: 10_000 });
    this._tags = make("input", "field");
    this._tags.placeholder = "words, with commas between them";
    this._save = make("button", "button", "Save");
    this._notes = make(
      "form",
      "notes",
      make("label", "field-label", "Notes", this._text),
      make("label", "field-label", "Tags", this._tags),
      this._save,
    );
    this._notes.oninput = () => this._followEdit();
    this._notes.onsubmit = (event) => {
      event.preventDefault();
      this.act("save the notes", async () => {
        const saved = await tell("PATCH", at("/api/runs", this._run.id), {
          notes: this._text.value,
          tags: this._typedTags(),
        });
        Object.assign(this._run, saved);
        this._writeNotes();
      });
    };
  }

  async load() {
    const id = readAddress("run");
    this._asked = id;
    const run = id === null ? null : await this._fetch(id);
    if (this._asked === id) this._show(run);
  }

  async _fetch(id) {
    try {
      return await ask(at("/api/runs", id));
    } catch (error) {
      if (this._run?.id !== id) this._show(null);
      throw error;
    }
  }

  _show(run) {
    const isAnother = run?.id !== this._run?.id;
    const isEdited = !isAnother && this._isEdited();
    this._run = run;
    this._hint.hidden = run !== null;
    this._all.hidden = this._status.hidden = run === null;
    if (isAnother) this.refused.hidden = true;
    setText(this._title, run === null ? "Run" : `Run of ${nameOf(run)}`);
    if (run === null) return;
    setText(this._status, statusInWords(run.status));
    this._status.dataset.status = run.status;
    for (const { button: one, isPossible } of this._buttons) one.disabled = !isPossible(run);
    this._again.title = run.dataset_id ? "" : "Its data came with the request, and cannot be asked for again.";
    if (!isEdited) this._writeNotes();
    this._drawFacts(run);
    this._drawChanges(run);
    const states = run.state_changes.map(({ time, status, reason }) => [
      formatMoment(time),
      `${statusInWords(status)}${reason ? `: ${reason}` : ""}`,
    ]);
    fill(this._states, states);
    fill(
      this._params,
      Object.entries(run.params).map(([name, value]) => [this._titleOf(name), value === null ? "none" : String(value)]),
    );
  }

  _drawFacts(run) {
    const facts = [
      ["Id", run.id],
      ["Outcome", outcomeInWords(run) || "–"],
      ["Epochs", formatCount(run.epochs)],
      ["Hidden units", formatCount(run.hidden_units)],
      ["Trained for", formatDuration(durationOf(run))],
      ...Object.entries(METRICS).map(([name, [words, format]]) =>
        run.metrics[name] === undefined ? null : [words, format(run.metrics[name])],
      ),
      ["Seed", String(run.seed)],
      ["Pace", run.pace === null ? "full speed" : `${run.pace} epochs/s`],
      ["Dataset", run.dataset_id ?? "sent with the request"],
      ["Its checksum", run.dataset_checksum],
      [
        "Origin",
        [ORIGINS[run.origin], run.parent_snapshot_id && `from ${run.parent_snapshot_id}`].filter(Boolean).join(" "),
      ],
      ["Back end", run.backend],
      [
        "Versions",
        Object.entries(run.versions)
          .map((pair) => pair.join(" "))
          .join(", "),
      ],
      ["Host", run.host || "–"],
      ["After a restart", run.on_restart === "resume" ? "goes on by itself" : "waits"],
    ];
    write(this._facts, facts.filter(Boolean));
  }

  _drawChanges({ changes }) {
    this._changes.details.hidden = changes.length === 0;
    fill(
      this._changes,
      changes.map((change) => [`after epoch ${formatCount(change.epoch)}`, this._changeInWords(change)]),
    );
  }

  _changeInWords({ params, dataset_id: dataset, dataset_checksum: checksum }) {
    const set = Object.entries(params).map(([name, value]) => `${this._titleOf(name)} ${value ?? "none"}`);
    if (checksum) set.push(`Other data: ${dataset ?? "sent with the request"}`);
    return set.join(", ");
  }

  /** What forms call a parameter. */
  _titleOf(name) {
    return this.options.titles[name] ?? name;
  }

  _typedTags() {
    const words = this._tags.value.split(",").map((tag) => tag.trim());
    return [...new Set(words.filter(Boolean))];
  }

  _isEdited() {
    return (
      this._run !== null && (this._text.value !== this._run.notes || this._tags.value !== this._run.tags.join(", "))
    );
  }

  _writeNotes() {
    this._text.value = this._run.notes;
    this._tags.value = this._run.tags.join(", ");
    this._followEdit();
  }

  _followEdit() {
    this._save.disabled = !this._isEdited();
  }

  _trainAgain() {
    const { dataset_id: id, params, seed, pace, changes } = this._run;
    const request = { dataset: { source: "generator", dataset_id: id }, params: { ...params, seed, pace } };
    this.act("train again", async () => {
      const words = "A new run with the same data, parameters and seed waits for its turn, or begins at once.";
      const left = changes.length ? " What was changed while this one trained is not repeated." : "";
      if (!(await askPerson({ title: "Train again?", words: words + left, action: "Train again" }))) return;
      const { runs } = await tell("POST", "/api/runs", request);
      openRun(runs[0].id);
    });
  }

  _showAsGhost() {
    writeAddress({ tab: null, ghost: this._run.id }, true);
  }

  _delete() {
    const { id } = this._run;
    this.act("delete the run", async () => {
      const words = `The run of ${nameOf(this._run)} goes, with its snapshots and metrics. Nothing brings it back.`;
      if (!(await askPerson({ title: "Delete this run?", words, action: "Delete", isDangerous: true }))) return;
      await tell("DELETE", at("/api/runs", id));
      const others = (readAddress("compare") ?? "").split(",").filter((other) => other && other !== id);
      const ghost = readAddress("ghost");
      openRun(null, { compare: others.join(), ghost: ghost === id ? null : ghost });
    });
  }
}

function section(title, name) {
  const list = make("dl", "facts");
  const details = make("details", "more", make("summary", "", title), list);
  details.dataset.part = name;
  return { details, list };
}

const fill = ({ list }, pairs) => write(list, pairs);

/** Pairs of words, written only where they differ: a selection of text outlives the next look. */
function write(list, pairs) {
  const text = JSON.stringify(pairs);
  if (list.dataset.written === text) return;
  list.dataset.written = text;
  list.replaceChildren(...pairs.flatMap(([term, value]) => [make("dt", "", term), make("dd", "", value)]));
}
