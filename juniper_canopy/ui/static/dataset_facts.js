import { headingCell, scrollBox } from "canopy/elements.js";
import { formatBytes, formatCount, formatFigure, formatMoment, formatShare, secondsOf } from "canopy/format.js";
import { artifactPath, shownDataset } from "canopy/shown_dataset.js";
import { View, make } from "canopy/view.js";

const SPLITS = [["train", "Train"], ["val", "Validation"], ["test", "Test"]];
const MOST_FEATURES = 100; // in the table; a wide set has thousands

/** What is known of the shown dataset or preview beside its samples: balance of the classes, profile, where it is from. */
export class DatasetFacts extends View {
  build() {
    const shown = shownDataset();
    this.element.hidden = true;
    this.until(
      shown.subscribe(() => {
        this.element.classList.toggle("is-outdated", shown.isOutdated);
        if (shown.facts === this._drawn) return;
        this._drawn = shown.facts;
        this.element.hidden = !shown.facts;
        this.element.replaceChildren(...(shown.facts ? sections(shown.facts) : []));
      }),
    );
  }
}

function sections(facts) {
  return [
    section("Class balance", balance(facts)),
    section("Profile", ...profile(facts)),
    section(facts.dataset_id ? "Provenance" : "Parameters", provenance(facts)),
  ];
}

function section(title, ...content) {
  const heading = make("h2", "panel-title", title);
  heading.id = `facts-${title.toLowerCase().replace(" ", "-")}`;
  const element = make("section", "facts-section", heading, ...content);
  element.setAttribute("aria-labelledby", heading.id);
  return element;
}

function balance(facts) {
  const sizes = { train: facts.n_train, val: facts.n_val, test: facts.n_test };
  const splits = SPLITS.filter(([name]) => sizes[name] > 0);
  if (facts.task_type === "regression") {
    const words = splits.map(([name, title]) => `${title.toLowerCase()} ${formatCount(sizes[name])}`).join(" · ");
    return make("p", "hint", `Numbers to predict, no classes: ${words}`);
  }
  if (!facts.split_distributions) return wholeBalance(facts);
  const heads = splits.map(([name, title]) => `${title} (${formatCount(sizes[name])})`);
  const rows = Object.keys(facts.class_distribution).map((index) => {
    const counts = splits.map(([name]) => bar(facts.split_distributions[name][index] ?? 0, sizes[name]));
    return [className(facts, index), ...counts];
  });
  return table("balance", ["Class", ...heads], rows);
}

function wholeBalance(facts) {
  const rows = Object.entries(facts.class_distribution).map(([index, count]) => [
    className(facts, index),
    bar(count, facts.n_samples),
  ]);
  return table("balance", ["Class", `All (${formatCount(facts.n_samples)})`], rows);
}

function bar(count, of) {
  const fill = make("span", "balance-fill");
  fill.style.width = `${of ? (100 * count) / of : 0}%`;
  const words = `${formatCount(count)} · ${formatShare(of ? count / of : NaN)}`;
  return make("div", "balance-cell", make("span", "balance-track", fill), make("span", "balance-words", words));
}

function profile(facts) {
  if (!facts.profile) return [make("p", "hint", "This dataset has no profile.")];
  const { features, duplicates, leaked } = facts.profile;
  const told = [
    `Duplicates: ${duplicates === null ? "too many to count" : formatCount(duplicates)}`,
    `Leaked into test or validation: ${leaked === null ? "too many to count" : formatCount(leaked)}`,
  ];
  const rows = features
    .slice(0, MOST_FEATURES)
    .map(({ name, min, max, mean, std, missing }, index) => [
      name ?? `x${index + 1}`,
      ...[min, max, mean, std].map(formatFigure),
      formatCount(missing),
    ]);
  const drawn = [
    make("p", "hint", told.join(" · ")),
    table("profile", ["Feature", "Min", "Max", "Mean", "Deviation", "Missing"], rows),
  ];
  const more = features.length - MOST_FEATURES;
  if (more > 0) drawn.push(make("p", "hint", `and ${formatCount(more)} features more`));
  return drawn;
}

function provenance(facts) {
  const list = make("dl", "provenance");
  const add = (name, value) => value && list.append(make("dt", "", name), make("dd", "", value));
  add("Id", facts.dataset_id);
  add("Name", facts.dataset_name && `${facts.dataset_name} (version ${facts.dataset_version})`);
  add("Made by", facts.generator_version ? `${facts.generator} ${facts.generator_version}` : facts.generator);
  add("Samples", `${formatCount(facts.n_samples)} of ${formatCount(facts.n_features)} features`);
  add("Parameters", parameters(facts.params));
  add("Description", facts.description);
  add("Tags", facts.tags?.join(", "));
  add("Made", facts.created_at && formatMoment(secondsOf(facts.created_at)));
  add("SHA-256", facts.checksum);
  if (facts.dataset_id) {
    const link = make("a", "link", `Download NPZ (${formatBytes(facts.size_bytes)})`);
    link.href = artifactPath(facts.dataset_id);
    link.download = `${facts.dataset_id}.npz`;
    add("Data", link);
  }
  return list;
}

function parameters(params) {
  const words = Object.entries(params).map(([name, value]) => `${name} ${JSON.stringify(value)}`);
  return words.join(", ") || "none";
}

function table(name, heads, rows) {
  const head = make("tr", "", ...heads.map((text) => headingCell("col", "", text)));
  const body = rows.map(([first, ...rest]) =>
    make("tr", "", headingCell("row", "", first), ...rest.map((content) => make("td", "", content))),
  );
  const content = make("table", `facts-table ${name}`, make("thead", "", head), make("tbody", "", ...body));
  return scrollBox(name === "balance" ? "Samples of each class" : "Figures of each feature", content);
}

const className = (facts, index) => facts.class_names?.[index] ?? `class ${index}`;
