// Machine: the card and the processor beside the training, memory beside what was planned, the disk.
import { breakable, element } from "../app/dom.js";
import { bytes } from "../app/format.js";
import { ask } from "../app/server.js";
import { shown } from "../runs/store.js";
import { Chart } from "../charts/chart.js";

const TITLES = [
  [/^gpu\/utilization/, "GPU, % of the time busy"], [/^gpu\/memory_gb/, "GPU memory, GB"], [/^gpu\/temperature/, "GPU, °C"],
  [/^gpu\/power/, "GPU, W"], [/^gpu\/clock/, "GPU clock, MHz"], [/^gpu\/memory_clock/, "GPU memory clock, MHz"],
  [/^gpu\/throttled/, "GPU slowed"], [/^gpu\/pcie/, "PCIe, GB/s"], [/^gpu\//, ""], [/^cpu\/load/, "Processor, % busy"],
  [/^cpu\/memory_free/, "Free memory, GB"], [/^cpu\//, ""], [/^memory\/bytes/, "Memory of the plan, bytes"], [/^perf\//, ""],
];
const charts = new Map();
let asked = 0;
let parts = null;

export async function machine(root) {
  parts ??= { now: element("div", "card"), grid: element("div", "grid") };
  if (!parts.now.isConnected) {
    root.replaceChildren(parts.now, parts.grid);
  }
  const runs = shown();
  const tags = [...new Set(runs.flatMap((run) => run.tags))].filter((tag) => TITLES.some(([p]) => p.test(tag)))
    .sort((a, b) => place(a) - place(b) || (a < b ? -1 : 1));
  for (const [tag, chart] of charts) {
    if (!tags.includes(tag)) {
      chart.root.remove();
      charts.delete(tag);
    }
  }
  for (const tag of tags) {
    if (!charts.has(tag)) {
      const title = TITLES[place(tag)][1] || tag;
      const chart = new Chart({ zoom() {}, pick() {} }, { title, runs: () => true,
        series: (run) => run.tags.includes(tag) ? [{ tag, dash: [], label: "" }] : [] });
      chart.visible = true;
      charts.set(tag, chart);
    }
    parts.grid.append(charts.get(tag).root);
    charts.get(tag).update(runs);
  }
  const turn = ++asked;
  const some = runs.slice(0, 12);
  const all = await Promise.all(some.map((run) => ask("machine", { run: run.name }).catch(() => ({}))));
  if (turn === asked) {
    const head = ["run", "planned", "its process takes", "at most", "disk free"];
    parts.now.replaceChildren(element("h3", "", "Now"), element("div", "scroll", element("table", "",
      element("tr", "", ...head.map((h, i) => element("th", i ? "number" : "", h))),
      ...some.map((run, i) => element("tr", "", element("td", "run-name", breakable(run.name)),
        ...[all[i].planned_bytes, all[i].resident_bytes, all[i].most_resident_bytes].map((n) => element("td", "number", bytes(n))),
        element("td", "number", all[i].disk_total ? `${bytes(all[i].disk_free)} of ${bytes(all[i].disk_total)}` : "–"))))));
  }
}

const place = (tag) => TITLES.findIndex(([p]) => p.test(tag));
