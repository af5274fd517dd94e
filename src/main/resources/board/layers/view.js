// What the adapted layers were like, as a map of layers by steps.
import { css, echartsLoaded, element, keep, none } from "../app/dom.js";
import { ask } from "../app/server.js";
import { shown } from "../runs/store.js";

const NUMBERS = {
  relative: "Change of the weight, relative to it",
  grad_norm: "Gradient norm",
  update: "Update of the adapter, relative to it",
  directions: "Directions that hold 99 % of the change",
};
const SHADES = { light: ["#eef3fc", "#8fb4f2", "#2f6fde", "#123a80"], dark: ["#1f2937", "#2b4f8f", "#7aa7ff", "#e8f0ff"] };
let chosen = "relative";

const short = (x) => x === null ? "–" : String(+Number(x).toPrecision(3));

export async function layers(root) {
  const theme = document.documentElement.dataset.theme;
  const key = JSON.stringify([chosen, theme, shown().map((run) => [run.name, run.points])]);
  await keep(root, key, async (late) => {
    const all = (await Promise.all(shown().filter((run) => run.ours).slice(0, 12).map(async (run) => ({ run, ...await ask("layers", { run: run.name }) }))))
      .filter(({ steps }) => steps.length > 0);
    if (late()) {
      return;
    }
    if (all.length === 0) {
      root.replaceChildren(none("layers", "Training writes logs/layers.jsonl at eval_steps."));
      return;
    }
    await echartsLoaded();
    const select = element("select");
    Object.entries(NUMBERS).forEach(([name, title]) => {
      const option = element("option", "", title);
      option.value = name;
      option.selected = name === chosen;
      select.append(option);
    });
    select.addEventListener("change", () => { chosen = select.value; layers(root); });
    const plots = all.map((of) => ({ of, plot: element("div", "heat") }));
    root.replaceChildren(element("div", "card", element("label", "", "Show ", select)),
      ...plots.map(({ of, plot }) => element("div", "card", element("h2", "", of.run.name), plot)));
    plots.forEach(({ of, plot }) => heat(plot, of, theme));
  });
}

/** How many characters all names begin with, up to a dot. */
function shared(names) {
  let n = names.length > 1 ? names[0].lastIndexOf(".") + 1 : 0;
  while (n > 0 && !names.every((name) => name.startsWith(names[0].slice(0, n)))) {
    n = names[0].lastIndexOf(".", n - 2) + 1;
  }
  return n;
}

/** One map; colours are logarithmic but for whole numbers. */
function heat(plot, { run, steps, names, numbers }, theme) {
  const text = css("--text");
  const rows = numbers[chosen];
  const log = chosen !== "directions";
  const value = (x) => log ? (x > 0 ? Math.log10(x) : null) : x;
  const data = rows.flatMap((row, s) => row.map((x, l) => [s, l, value(x), x])).filter((d) => d[2] !== null);
  const seen = data.map((d) => d[2]);
  const low = seen.reduce((a, b) => Math.min(a, b), Infinity);
  const high = seen.reduce((a, b) => Math.max(a, b), -Infinity);
  plot.style.height = Math.max(220, 110 + 12 * names.length) + "px";
  plot.setAttribute("role", "img");
  plot.setAttribute("aria-label", `${NUMBERS[chosen]}, layers by steps, of ${run.name}`);
  const narrow = plot.clientWidth < 600;
  const common = shared(names);
  const brief = (name) => {
    const most = narrow ? 20 : 46;
    const own = name.slice(common);
    return own.length > most ? "…" + own.slice(1 - most) : own;
  };
  const chart = echarts.init(plot);
  chart.setOption({
    animation: false,
    grid: { left: narrow ? 118 : 300, right: 16, top: 8, bottom: 84 },
    xAxis: { type: "category", data: steps, name: "step", nameLocation: "middle", nameGap: 24,
      nameTextStyle: { color: text }, axisLabel: { color: text } },
    yAxis: { type: "category", inverse: true, data: names,
      axisLabel: { color: text, fontSize: 10, formatter: brief } },
    visualMap: { min: low, max: high > low ? high : low + 1, dimension: 2, orient: "horizontal", left: "center", bottom: 4,
      calculable: !narrow, precision: 2, textStyle: { color: text }, inRange: { color: SHADES[theme] ?? SHADES.light },
      formatter: (x) => short(log ? 10 ** x : x) },
    series: [{ type: "heatmap", data, progressive: 0 }],
    tooltip: { renderMode: "richText", confine: true, // a name is no HTML
      formatter: ({ data: [s, l, , x] }) => `${names[l]}\nstep ${steps[s]}: ${short(x)}` },
  });
  new ResizeObserver(() => chart.resize()).observe(plot);
}
