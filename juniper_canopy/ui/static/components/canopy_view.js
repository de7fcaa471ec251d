/** The one Vue component of the dashboard: it mounts a view by its name and ends it with the element. */
import { liveBus } from "canopy/bus.js";

/** Where each view is; its module is fetched when the first of its kind is mounted. */
const VIEWS = {
  about: async () => (await import("canopy/about.js")).About,
  boundary: async () => (await import("canopy/boundary.js")).BoundaryView,
  "boundary-scrubber": async () => (await import("canopy/boundary_scrubber.js")).BoundaryScrubber,
  candidates: async () => (await import("canopy/candidate_pool.js")).CandidatePool,
  chart: async () => (await import("canopy/metric_chart.js")).MetricChart,
  "chart-keys": async () => (await import("canopy/chart_keys.js")).ChartKeys,
  comparison: async () => (await import("canopy/comparison.js")).Comparison,
  crossbar: async () => (await import("canopy/full_crossbar.js")).FullCrossbar,
  "dataset-facts": async () => (await import("canopy/dataset_facts.js")).DatasetFacts,
  "dataset-list": async () => (await import("canopy/dataset_list.js")).DatasetList,
  "dataset-picture": async () => (await import("canopy/dataset_picture.js")).DatasetPicture,
  "dataset-upload": async () => (await import("canopy/dataset_upload.js")).DatasetUpload,
  export: async () => (await import("canopy/export_button.js")).ExportButton,
  growth: async () => (await import("canopy/growth.js")).Growth,
  headline: async () => (await import("canopy/headline.js")).Headline,
  help: async () => (await import("canopy/help.js")).Help,
  "network-figures": async () => (await import("canopy/network_figures.js")).NetworkFigures,
  replay: async () => (await import("canopy/replay_bar.js")).ReplayBar,
  run: async () => (await import("canopy/run_detail.js")).RunDetail,
  runs: async () => (await import("canopy/run_table.js")).RunTable,
  "service-cards": async () => (await import("canopy/service_cards.js")).ServiceCards,
  "service-logs": async () => (await import("canopy/service_logs.js")).ServiceLogs,
  snapshots: async () => (await import("canopy/snapshot_list.js")).SnapshotList,
  status: async () => (await import("canopy/status.js")).StatusView,
  "system-charts": async () => (await import("canopy/system_charts.js")).SystemCharts,
  tabs: async () => (await import("canopy/tabs.js")).Tabs,
  theme: async () => (await import("canopy/theme.js")).ThemeToggle,
  topology: async () => (await import("canopy/topology.js")).TopologyView,
  unit: async () => (await import("canopy/unit_inspector.js")).UnitInspector,
};

/** NiceGUI's own channel would wait up to five seconds between two tries; without it no control works. */
const LONGEST_RETRY_MS = 1000;

export default {
  template: "<div></div>",
  props: { view: String, options: Object },
  async mounted() {
    this.$el.setAttribute("aria-busy", "true"); // until its module has come: nothing of it works before
    const bus = liveBus(); // it connects while the view is still fetched
    const View = await VIEWS[this.view]();
    if (this.hasLeft) return;
    window.socket.io.reconnectionDelayMax(LONGEST_RETRY_MS);
    this.instance = new View(this.$el, bus, this.options, (event, value) => this.$emit(event, value));
    this.$el.removeAttribute("aria-busy");
  },
  unmounted() {
    this.hasLeft = true;
    this.instance?.destroy();
  },
  methods: {
    /** Calls a method of the view: what `CanopyView.run_method("call", name, …)` asks for. */
    call(name, ...values) {
      return this.instance?.[name](...values);
    },
  },
};
