// Settings against results: parallel coordinates. A run without a value is left out, as its line would invent one.
import { css, echartsLoaded, element } from "../app/dom.js";
import { colour } from "../app/colour.js";
import { short, value } from "../app/format.js";
import { differing } from "./store.js";

const NARROW = 760;

/** A word for an axis: the end of a path, not too long. */
function brief(v) {
  const word = String(v).split("/").pop();
  return word.length > 16 ? word.slice(0, 15) + "…" : word;
}

export function compare(runs) {
  const keys = differing(runs).filter((k) => runs.filter((r) => r.settings[k] !== undefined).length > runs.length / 2).slice(0, 8);
  const result = runs.some((r) => r.best !== undefined) ? ["best", (r) => r.best] : ["loss", (r) => r.loss];
  const columns = [...keys.map((k) => [k, (r) => r.settings[k] === undefined ? undefined : value(r.settings[k])]), result];
  const whole = runs.filter((r) => columns.every(([, of]) => of(r) !== undefined && of(r) !== "")).slice(0, 300);
  if (whole.length < 2 || keys.length === 0) {
    return "";
  }
  const left = runs.length - whole.length;
  const plot = element("div");
  plot.id = "parallel";
  const card = element("div", "card", element("h3", "", "Settings and results"),
    left ? element("p", "hint", left === 1 ? "1 run lacks one of these values and is left out." : `${left} runs lack one of these values and are left out.`) : null, plot);
  requestAnimationFrame(() => draw(plot, whole, columns));
  return card;
}

async function draw(plot, runs, columns) {
  await echartsLoaded();
  if (!plot.isConnected) {
    return;
  }
  const text = css("--text");
  const narrow = plot.clientWidth < NARROW;
  const used = narrow ? [...columns.slice(0, 3), columns[columns.length - 1]].filter((c, i, all) => all.indexOf(c) === i) : columns;
  const axes = used.map(([name, of], dim) => {
    const values = runs.map(of);
    const common = { dim, name: name.length > 18 ? name.slice(0, 17) + "…" : name, nameTextStyle: { color: text },
      axisLine: { lineStyle: { color: css("--dim") } } };
    if (values.every((v) => typeof v === "number")) {
      const [low, high] = [Math.min(...values), Math.max(...values)];
      const log = low > 0 && high / low > 50;
      const room = (high - low) * 0.05 || Math.abs(high) * 0.1 || 1;
      return { ...common, type: log ? "log" : "value", splitNumber: narrow ? 2 : 5, min: log ? low : low >= 0 ? Math.max(0, low - room) : low - room,
        max: log ? high : high + room, axisLabel: { color: text, hideOverlap: true, formatter: short, showMinLabel: log, showMaxLabel: log } };
    }
    return { ...common, type: "category", data: [...new Set(values.map(brief))].sort(), axisLabel: { color: text, hideOverlap: true } };
  });
  const chart = echarts.init(plot);
  chart.setOption({
    animation: false,
    parallelAxis: axes,
    parallel: { left: narrow ? 24 : 60, right: narrow ? 130 : 70, top: 40, bottom: 20, layout: narrow ? "vertical" : "horizontal" },
    series: runs.map((r) => ({ type: "parallel", name: r.name, lineStyle: { color: colour(r.name), width: 2, opacity: 0.8 },
      data: [used.map(([, of], i) => axes[i].type === "category" ? brief(of(r)) : of(r))] })),
    tooltip: { renderMode: "richText", formatter: (p) => p.seriesName }, // a name is no HTML
  });
  new ResizeObserver(() => chart.resize()).observe(plot);
}
