/** The one Vue component of the dashboard: it mounts a view by its name and ends it with the element. */
import { BoundaryView } from "canopy/boundary.js";
import { liveBus } from "canopy/bus.js";
import { CandidatePool } from "canopy/candidate_pool.js";
import { MetricChart } from "canopy/chart.js";
import { Growth } from "canopy/growth.js";
import { Headline } from "canopy/headline.js";
import { StatusView } from "canopy/status.js";
import { ThemeToggle } from "canopy/theme.js";
import { TopologyView } from "canopy/topology.js";

const VIEWS = {
  boundary: BoundaryView,
  candidates: CandidatePool,
  chart: MetricChart,
  growth: Growth,
  headline: Headline,
  status: StatusView,
  theme: ThemeToggle,
  topology: TopologyView,
};

export default {
  template: "<div></div>",
  props: { view: String, options: Object },
  mounted() {
    this.instance = new VIEWS[this.view](this.$el, liveBus(), this.options);
  },
  unmounted() {
    this.instance.destroy();
  },
};
