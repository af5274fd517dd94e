// Curves: a card for each group of tags, drawn by uPlot from buckets of the range that is visible. Behind each
// smoothed curve lies, faint, all that was written: the lowest and highest value of each bucket.
import { ask, colour, element, shown, state } from "./board.js";

const TRAIN = /^(Loss\/train|train\/loss|loss\/current|train_loss|loss|Loss)$/;
const MEASURED = /^(Loss\/(val|probe)|eval\/loss|val\/loss|val_loss|eval_loss)$/;
const BAND = /^(.*)\/(t\d+-\d+)$/; // losses of a band of timesteps
const DASHES = [[], [7, 4], [2, 3], [10, 3, 2, 3]];

const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** Five digits at most, as short as they can be. */
function short(x) {
  if (x === null || x === undefined) {
    return "–";
  }
  const size = Math.abs(x);
  if (size >= 1e15 || (size > 0 && size < 1e-4)) {
    return x.toExponential(2);
  }
  for (const [unit, letter] of [[1e12, "T"], [1e9, "G"], [1e6, "M"]]) {
    if (size >= unit) {
      return (x / unit).toPrecision(4).replace(/\.?0+$/, "") + " " + letter;
    }
  }
  return String(+x.toPrecision(5));
}

/** The cards that these tags make, in order. */
function cards(tags) {
  const made = [];
  const loss = tags.filter((t) => TRAIN.test(t));
  const measured = tags.filter((t) => MEASURED.test(t));
  if (loss.length + measured.length > 0) {
    made.push({ title: "Loss", wide: true, marks: true,
      series: [...loss.map((tag) => ({ tag, smooth: true })), ...measured.map((tag) => ({ tag, points: true }))] });
  }
  const bands = new Map();
  for (const tag of tags) {
    const band = tag.match(BAND);
    if (band) {
      bands.set(band[1], [...(bands.get(band[1]) ?? []), { tag, points: true, part: band[2] }]);
    }
  }
  const order = (s) => +s.part.match(/\d+/)[0];
  for (const [name, series] of bands) {
    made.push({ title: name + " by timesteps", series: series.sort((a, b) => order(a) - order(b)) });
  }
  const rest = tags.filter((t) => !TRAIN.test(t) && !MEASURED.test(t) && !BAND.test(t));
  rest.forEach((tag) => made.push({ title: tag, series: [{ tag, smooth: /loss/i.test(tag) }] }));
  return made;
}

class Chart {
  constructor(owner, card) {
    this.owner = owner;
    this.card = card;
    this.visible = false;
    this.asked = 0;
    this.curves = [];
    this.readout = element("div", "readout");
    this.plot = element("div", "plot");
    this.plot.tabIndex = 0;
    this.plot.setAttribute("role", "img");
    this.plot.setAttribute("aria-label", card.title + ": arrow keys move, plus and minus zoom, 0 shows all");
    this.plot.addEventListener("keydown", (e) => this.key(e));
    const names = card.series.length > 1 ? card.series.map((s, i) =>
      `${["solid", "dashed", "dotted", "dash-dot"][i % 4]}: ${s.part ?? s.tag}`).join(" · ") : "";
    this.root = element("div", card.wide ? "card wide" : "card", element("h2", "", card.title), this.readout,
      this.plot, names ? element("div", "legend", names) : null);
    new ResizeObserver(() => this.resize()).observe(this.plot);
  }

  resize() {
    this.uplot?.setSize({ width: this.plot.clientWidth, height: this.plot.clientHeight });
  }

  /** Asks for what is visible, then draws it. */
  async update() {
    if (!this.visible) {
      this.stale = true;
      return;
    }
    this.stale = false;
    const turn = ++this.asked;
    const buckets = Math.max(100, Math.min(1200, this.plot.clientWidth));
    const wanted = shown().flatMap((run) => this.card.series
      .map((series, style) => ({ run, series, style }))
      .filter(({ series }) => run.tags.includes(series.tag)));
    const byStep = state.range && state.axis === "step";
    const range = byStep ? { from: Math.floor(state.range[0]), to: Math.ceil(state.range[1]) } : {};
    try {
      const curves = await Promise.all(wanted.map(async ({ run, series, style }) => ({ run, series, style,
        data: await ask("scalars", { run: run.name, tag: series.tag, buckets,
          smooth: series.smooth ? state.smooth : 0, ...range }) })));
      if (turn === this.asked) {
        this.curves = curves;
        this.draw();
      }
    } catch (e) {
      this.readout.textContent = "This curve could not be read: " + e.message;
    }
  }

  x(data) {
    return state.axis === "step" ? data.steps : data.walls.map((w) => (w - data.walls[0]) / 3600);
  }

  draw() {
    const key = JSON.stringify(this.curves.map((c) => [c.run.name, c.series.tag]));
    const tables = this.curves.map((c) => {
      const x = this.x(c.data);
      return [x, c.data.low, c.data.high, c.data.smooth];
    });
    const data = tables.length ? uPlot.join(tables) : [[], []];
    if (!this.uplot || this.key0 !== key) {
      this.uplot?.destroy();
      this.key0 = key;
      this.uplot = new uPlot(this.options(), data, this.plot);
    } else {
      this.uplot.setData(data, false);
    }
    this.frame(data[0]);
  }

  /** The visible part of the axis. */
  frame(x) {
    const [min, max] = state.range ?? [x[0] ?? 0, x[x.length - 1] ?? 1];
    this.uplot.setScale("x", { min, max: max > min ? max : min + 1 });
    Object.assign(this.plot.dataset, { min, max });
  }

  options() {
    const series = [{}];
    const bands = [];
    for (const c of this.curves) {
      const line = colour(c.run.name);
      const n = series.length;
      const raw = { stroke: line + (c.series.points ? "00" : "44"), width: 1, points: { show: false }, spanGaps: true };
      series.push(raw, raw, { stroke: line, width: c.series.smooth ? 2 : 1.5, dash: DASHES[c.style % 4],
        spanGaps: true, points: { show: c.series.points === true, size: 5 } });
      bands.push({ series: [n + 1, n], fill: line + "22" });
    }
    const axis = { stroke: css("--dim"), grid: { stroke: css("--grid"), width: 1 }, ticks: { stroke: css("--grid") },
      font: "12px system-ui, 'DejaVu Sans', sans-serif" };
    return { width: Math.max(50, this.plot.clientWidth), height: this.plot.clientHeight, series, bands,
      legend: { show: false },
      cursor: { sync: { key: "board" }, drag: { x: true, y: false, setScale: false },
        bind: { dblclick: () => () => this.owner.zoom(null) } },
      scales: { x: { time: false }, y: { distr: state.log ? 3 : 1, range: () => this.heights() } },
      axes: [{ ...axis, label: state.axis === "step" ? "step" : "hours", labelSize: 18, labelFont: axis.font, size: 36,
        values: (u, all) => all.map(short) },
      { ...axis, size: 64, values: (u, all) => all.map((v) => v === null ? "" : short(v)) }],
      hooks: { setSelect: [(u) => this.dragged(u)], draw: [(u) => this.marks(u)],
        setCursor: [(u) => this.read(u)] } };
  }

  /** The heights that are shown: all, or without the outermost hundredths. */
  heights() {
    const seen = [];
    for (const c of this.curves) {
      const x = this.x(c.data);
      for (let i = 0; i < x.length; i++) {
        if (!state.range || (x[i] >= state.range[0] && x[i] <= state.range[1])) {
          for (const v of [c.data.low[i], c.data.high[i]]) {
            if (v !== null && (!state.log || v > 0)) {
              seen.push(v);
            }
          }
        }
      }
    }
    if (seen.length === 0) {
      return [state.log ? 0.1 : 0, 1];
    }
    seen.sort((a, b) => a - b);
    const cut = state.outliers && seen.length >= 40 ? Math.ceil(seen.length / 50) : 0;
    const low = seen[cut];
    const high = seen[seen.length - 1 - cut];
    if (state.log) {
      return [low / 1.1, high * 1.1];
    }
    const room = (high - low) * 0.06 || Math.abs(high) * 0.1 || 1;
    return [low - room, high + room];
  }

  /** Someone dragged over a chart. */
  dragged(u) {
    const { left, width } = u.select;
    if (width > 4) {
      this.owner.zoom([u.posToVal(left, "x"), u.posToVal(left + width, "x")]);
      u.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
    }
  }

  key(e) {
    if (!this.uplot || e.ctrlKey || e.metaKey || e.altKey) {
      return;
    }
    const { min, max } = this.uplot.scales.x;
    const width = max - min;
    const moves = { ArrowLeft: [-0.2, -0.2], ArrowRight: [0.2, 0.2], "+": [0.2, -0.2], "=": [0.2, -0.2],
      "-": [-0.3, 0.3] };
    if (e.key === "0" || e.key === "Escape") {
      this.owner.zoom(null);
    } else if (moves[e.key]) {
      this.owner.zoom([min + moves[e.key][0] * width, max + moves[e.key][1] * width]);
    } else {
      return;
    }
    e.preventDefault();
  }

  /** Where findings begin, and where there was no number. */
  marks(u) {
    const { left, top, height, width } = u.bbox;
    const context = u.ctx;
    context.save();
    const line = (step, paint, dash) => {
      const x = u.valToPos(step, "x", true);
      if (x >= left && x <= left + width) {
        context.strokeStyle = paint;
        context.lineWidth = devicePixelRatio * 1.5;
        context.setLineDash(dash);
        context.beginPath();
        context.moveTo(x, top);
        context.lineTo(x, top + height);
        context.stroke();
      }
      return x;
    };
    if (state.axis === "step") {
      for (const c of this.curves) {
        c.data.broken.forEach((step) => line(step, css("--error"), []));
      }
      if (this.card.marks) {
        let row = 0;
        for (const run of shown()) {
          for (const f of run.findings.filter((f) => f.severity === "error" || f.severity === "warning")) {
            const x = line(f.step, css("--" + f.severity), [4 * devicePixelRatio, 4 * devicePixelRatio]);
            if (x >= left && x <= left + width && row < 6) {
              const text = shown().length > 1 ? `${run.name}: ${f.title}` : f.title;
              context.font = `${12 * devicePixelRatio}px system-ui, 'DejaVu Sans', sans-serif`;
              context.fillStyle = colour(run.name);
              context.textAlign = "left";
              const rightmost = left + width - context.measureText(text).width - 4 * devicePixelRatio;
              const from = Math.max(left, Math.min(x + 6 * devicePixelRatio, rightmost));
              context.fillText(text, from, top + (14 + 16 * row++) * devicePixelRatio);
            }
          }
        }
      }
    }
    context.restore();
  }

  /** The values under the cursor. */
  read(u) {
    const i = u.cursor.idx;
    if (i === null || i === undefined || u.cursor.left < 0) {
      this.readout.replaceChildren();
      return;
    }
    const x = u.data[0][i];
    const parts = [element("b", "", `${state.axis} ${short(x)}`)];
    this.curves.slice(0, 8).forEach((c, k) => {
      const own = this.x(c.data);
      let near = 0;
      while (near < own.length - 1 && own[near] < x) {
        near++;
      }
      const raw = c.data.low[near] === c.data.high[near] ? short(c.data.low[near])
        : `${short(c.data.low[near])} to ${short(c.data.high[near])}`;
      const dot = element("span", "", " ● ");
      dot.style.color = colour(c.run.name);
      const name = this.card.series.length > 1 ? `${c.run.name} ${c.series.part ?? c.series.tag}` : c.run.name;
      parts.push(dot, `${name} `, element("b", "", c.series.smooth ? short(c.data.smooth[near]) : raw));
      if (c.series.smooth && state.smooth > 0) {
        parts.push(` (${raw})`);
      }
    });
    if (this.curves.length > 8) {
      parts.push(` and ${this.curves.length - 8} more`);
    }
    this.readout.replaceChildren(...parts);
  }
}

/** All cards; those out of sight ask for nothing. */
export class Charts {
  constructor(root) {
    this.root = root;
    this.charts = new Map();
    this.seen = new IntersectionObserver((entries) => entries.forEach((e) => {
      const chart = [...this.charts.values()].find((c) => c.root === e.target);
      if (chart) {
        chart.visible = e.isIntersecting;
        if (chart.visible && chart.stale !== false) {
          chart.update();
        }
      }
    }), { rootMargin: "300px" });
  }

  show() {
    const tags = [...new Set(shown().flatMap((run) => run.tags))];
    const wanted = cards(tags);
    const keys = wanted.map((c) => c.title + c.series.map((s) => s.tag));
    for (const [key, chart] of this.charts) {
      if (!keys.includes(key)) {
        this.seen.unobserve(chart.root);
        chart.uplot?.destroy();
        chart.root.remove();
        this.charts.delete(key);
      }
    }
    wanted.forEach((card, i) => {
      let chart = this.charts.get(keys[i]);
      if (!chart) {
        chart = new Chart(this, card);
        this.charts.set(keys[i], chart);
        this.root.insertBefore(chart.root, this.root.children[i] ?? null);
        this.seen.observe(chart.root);
      }
      chart.update();
    });
  }

  /** Shows a range of the axis in all charts, null for all of it. */
  zoom(range) {
    state.range = range;
    document.getElementById("reset").disabled = range === null;
    this.charts.forEach((chart) => {
      if (chart.uplot && range) {
        chart.frame(chart.uplot.data[0]); // at once, then with the buckets of this range
      }
      chart.update();
    });
  }

  rescale() {
    this.charts.forEach((chart) => chart.uplot && chart.frame(chart.uplot.data[0]));
  }

  /** Draws everything anew: colours or axes are others. */
  rebuild() {
    this.charts.forEach((chart) => {
      chart.key0 = null;
      chart.update();
    });
  }
}
