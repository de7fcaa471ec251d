import { formatBytes, formatClock, formatPercent, formatUptime, secondsOf } from "canopy/format.js";
import { systemFeed } from "canopy/system_feed.js";
import { View, make, setText } from "canopy/view.js";

const WORDS = {
  ready: "ready",
  degraded: "degraded",
  not_ready: "not ready",
  refuses: "does not tell",
  away: "away",
};
const WATCHDOG = "systemd restarts the service when it has not answered its watchdog for 30 seconds.";

/** A card for each service as it tells of itself now, and one for the host and its GPUs. */
export class ServiceCards extends View {
  build() {
    this._problem = make("p", "alert");
    this._problem.setAttribute("role", "status");
    this._grid = make("div", "service-cards");
    this._hint = make("p", "hint", "Start and stop services with ", make("code", "", "juniper-ctl"), " on their host.");
    this._demo = make("p", "hint", "A demo: recordings play in the dashboard's own process, without other services.");
    this.element.append(this._problem, this._grid, this._hint, this._demo);
    this._cards = new Map();
    this.until(systemFeed.subscribe(this.bus, () => this._draw()));
    this._draw();
  }

  _draw() {
    this._problem.hidden = !systemFeed.problem;
    setText(this._problem, systemFeed.problem);
    // Without an answer of the dashboard nothing is known: figures that stand still would look like news.
    this._grid.classList.toggle("is-old", Boolean(systemFeed.problem));
    for (const card of systemFeed.services) this._card(card.service).show(card);
    this._sayWhoseTheyAre();
    if (systemFeed.services.length) this._hostCard().show(systemFeed.report("canopy"), systemFeed.report("cascor"));
  }

  _sayWhoseTheyAre() {
    this._hint.hidden = systemFeed.isDemo;
    this._demo.hidden = !systemFeed.isDemo;
  }

  _card(service) {
    if (!this._cards.has(service)) this._add(service, new ServiceCard(service));
    return this._cards.get(service);
  }

  _hostCard() {
    if (!this._cards.has("host")) this._add("host", new HostCard());
    return this._cards.get("host");
  }

  _add(name, card) {
    this._cards.set(name, card);
    this._grid.append(card.element);
  }
}

class ServiceCard {
  constructor(service) {
    this.element = make("article", "panel service-card");
    this.element.dataset.service = service;
    this._service = service;
    this._title = make("h2", "panel-title", `juniper-${service}`);
    this._title.id = `service-${service}`;
    this.element.setAttribute("aria-labelledby", this._title.id);
    this._badge = make("span", "badge", make("span", "dot"), (this._word = make("span", "badge-text")));
    this._about = make("p", "hint");
    this._figures = new Figures([
      ["uptime", "Up for"],
      ["starts", "Starts", "How often the service was started on its state folder."],
      ["cpu", "CPU", "Of one core, over the last two seconds; more than 100 % is more than one core."],
      ["memory", "Memory", "As systemd counts it for the whole service; without it, of all its processes together."],
      ["watchdog", "Watchdog", WATCHDOG],
      ["needs", "Needs"],
    ]);
    this._bar = new Bar("Memory");
    this._figures.put("memory", this._bar.element);
    this._absence = make("div", "absence", (this._why = make("p")), (this._since = make("p", "hint")));
    this._command = make("code", "command");
    this._advice = make("p", "", "Start it: ", this._command);
    this._absence.append(this._advice);
    const head = make("div", "panel-head", this._title, this._badge);
    this.element.append(head, this._about, this._figures.element, this._absence);
  }

  show({ status, problem, since, host, readiness }) {
    this.element.dataset.status = status;
    setText(this._word, WORDS[status]);
    this._absence.hidden = !problem;
    this._figures.element.hidden = Boolean(problem);
    if (problem) {
      setText(this._about, host ? `last seen as process ${host.pid}, start ${host.starts}` : "never seen");
      setText(this._why, problem);
      setText(this._since, since === null ? "" : `Since ${formatClock(since)}.`);
      this._advice.hidden = status !== "away";
      setText(this._command, `juniper-ctl start ${this._service}`);
      return;
    }
    setText(this._about, `version ${host.version} · process ${host.pid} · on ${host.hostname}`);
    this._figures.show("uptime", `${formatUptime(host.uptime_s)}, since ${formatClock(secondsOf(host.started_at))}`);
    this._figures.show("starts", String(host.starts));
    this._figures.show("cpu", formatPercent(host.cpu.percent));
    this._showMemory(host);
    this._figures.show("watchdog", watchdogInWords(host.watchdog_age_s));
    this._figures.show("needs", needsInWords(readiness));
  }

  _showMemory({ memory, machine }) {
    const used = memory.cgroup_current ?? memory.rss + memory.children_rss;
    const limit = memory.cgroup_max;
    const whole = limit ?? machine?.memory_total ?? null;
    const text = limit ? `${formatBytes(used)} of ${formatBytes(limit)}` : `${formatBytes(used)}, no limit`;
    this._figures.show("memory", text);
    this._figures.element.querySelector("[data-figure=memory]").dataset.bytes = used;
    this._bar.show(used, whole);
  }
}

class HostCard {
  constructor() {
    this.element = make("article", "panel service-card");
    this.element.dataset.service = "host";
    this._title = make("h2", "panel-title", "Host");
    this._title.id = "service-host";
    this.element.setAttribute("aria-labelledby", this._title.id);
    this._about = make("p", "hint");
    this._figures = new Figures([
      ["cpu", "CPU", "Of all processors together."],
      ["load", "Load", "Processes that work or wait to, on average over 1, 5 and 15 minutes."],
      ["memory", "Memory"],
      ["swap", "Swap"],
      ["disk", "Disk", "The file system of the dashboard's state folder."],
    ]);
    this._bars = Object.fromEntries(["cpu", "memory", "disk"].map((name) => [name, new Bar(`Host ${name}`)]));
    for (const [name, bar] of Object.entries(this._bars)) this._figures.put(name, bar.element);
    this._gpus = make("div", "gpus");
    this.element.append(make("div", "panel-head", this._title), this._about, this._figures.element, this._gpus);
  }

  show(own, trainer) {
    const machine = own?.machine ?? null;
    this._figures.element.hidden = !machine;
    if (machine) this._showMachine(own, machine);
    else setText(this._about, "The dashboard cannot see its host.");
    this._showGpus(trainer);
  }

  _showMachine(own, machine) {
    const { processors, cpu_percent: cpu, memory_total: memory, disk_total: disk } = machine;
    setText(this._about, `${own.hostname} · ${processors} ${processors === 1 ? "processor" : "processors"}`);
    this._figures.show("cpu", formatPercent(cpu));
    this._bars.cpu.show(cpu, 100);
    this._figures.show("load", own.load.map((value) => value.toFixed(2)).join(" · "));
    const used = memory - machine.memory_available;
    this._figures.show("memory", `${formatBytes(used)} of ${formatBytes(memory)}`);
    this._bars.memory.show(used, memory);
    const swap = `${formatBytes(machine.swap_used)} of ${formatBytes(machine.swap_total)}`;
    this._figures.show("swap", machine.swap_total ? swap : "none");
    this._figures.show("disk", disk === null ? "not known" : `${formatBytes(machine.disk_free)} free of ${formatBytes(disk)}`);
    this._bars.disk.show(disk === null ? null : disk - machine.disk_free, disk);
  }

  _showGpus(trainer) {
    const entries = trainer?.gpus.map(gpuEntry) ?? [];
    if (systemFeed.isDemo) entries.push(make("p", "hint", "A demo uses no GPU."));
    else if (!trainer) entries.push(make("p", "hint", "GPUs: not known while juniper-cascor is away."));
    else if (!entries.length) entries.push(make("p", "hint", "No GPU on this host."));
    this._gpus.replaceChildren(...entries);
  }
}

function gpuEntry(gpu) {
  const memory = new Bar(`Memory of GPU ${gpu.index}`);
  memory.show(gpu.memory_used, gpu.memory_total);
  const use = new Bar(`Use of GPU ${gpu.index}`);
  use.show(gpu.utilisation_percent, 100);
  const parts = [
    gpu.utilisation_percent === null ? null : `${gpu.utilisation_percent} % busy`,
    gpu.memory_total === null ? null : `${formatBytes(gpu.memory_used)} of ${formatBytes(gpu.memory_total)}`,
    gpu.temperature_c === null ? null : `${gpu.temperature_c} °C`,
    gpu.power_w === null ? null : `${Math.round(gpu.power_w)} W`,
  ];
  const told = parts.filter((part) => part !== null).join(" · ");
  return make("div", "gpu", make("p", "gpu-name", `GPU ${gpu.index}: ${gpu.name}`), make("p", "hint", told), use.element, memory.element);
}

/** Names and values, one below the other. */
class Figures {
  constructor(names) {
    this.element = make("dl", "figures");
    this._values = new Map();
    for (const [name, label, meaning] of names) {
      const term = make("dt", "", label);
      if (meaning) term.title = meaning;
      const value = make("dd", "", make("span"));
      value.dataset.figure = name;
      this._values.set(name, value);
      this.element.append(term, value);
    }
  }

  show(name, text) {
    setText(this._values.get(name).firstElementChild, text);
  }

  /** Puts something below a value. */
  put(name, element) {
    this._values.get(name).append(element);
  }
}

/** A share as a bar, hidden where there is none. */
class Bar {
  constructor(label) {
    this._fill = make("span", "bar-fill");
    this.element = make("div", "bar", this._fill);
    this.element.setAttribute("role", "meter");
    this.element.setAttribute("aria-label", label);
    this.element.setAttribute("aria-valuemin", "0");
    this.element.setAttribute("aria-valuemax", "100");
  }

  show(part, whole) {
    this.element.hidden = part === null || !(whole > 0);
    if (this.element.hidden) return;
    const share = Math.min(100, (100 * part) / whole);
    this.element.setAttribute("aria-valuenow", share.toFixed(0));
    this.element.classList.toggle("is-high", share >= 90);
    this._fill.style.width = `${share.toFixed(1)}%`;
  }
}

function watchdogInWords(age) {
  return age === null ? "none" : `answered ${formatUptime(age)} ago`;
}

function needsInWords({ dependencies }) {
  const parts = Object.values(dependencies).map(({ name, status, message }) => {
    const words = `${name.replace("juniper_", "")} ${status.replaceAll("_", " ")}`;
    return status === "healthy" || !message ? words : `${words} (${message})`;
  });
  return parts.join(", ") || "nothing";
}
