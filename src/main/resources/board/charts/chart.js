// One chart: what it shows, and what pointer and keys do with it.
import { button, css, element } from "../app/dom.js";
import { colour } from "../app/colour.js";
import { short } from "../app/format.js";
import { state } from "../app/state.js";
import { buckets, curves } from "./curves.js";
import { save } from "./save.js";
import { layout, paint } from "./paint.js";
import { Screen } from "./painter.js";
import { heights } from "./ticks.js";
import { nearest, Reader } from "./read.js";

const AXES = { step: "step", time: "hours of training", tokens: "tokens", samples: "samples", epochs: "epochs" };

export class Chart {
  /** `owner` zooms all charts: zoom(range), pick(run, step). */
  constructor(owner, card) {
    this.owner = owner;
    this.card = card;
    this.runs = [];
    this.turn = 0;
    this.model = null;
    this.strong = null;
    this.canvas = element("canvas");
    this.canvas.setAttribute("aria-hidden", "true");
    this.tip = element("div", "tip");
    this.select = element("div", "select");
    this.plot = element("div", "plot", this.canvas, this.select, this.tip);
    this.plot.tabIndex = 0;
    this.plot.setAttribute("role", "application");
    this.plot.setAttribute("aria-label", `${card.title}, a chart. Left and right read values, up and down change the curve, `
      + "plus and minus zoom, shift with arrows moves, 0 shows all.");
    this.voice = element("div", "unseen");
    this.voice.setAttribute("aria-live", "polite");
    this.note = element("span", "hint");
    const menu = element("span", "menu", ...["PNG", "SVG", "CSV"].map((kind) => {
      const b = button(kind, () => save(this, kind), "quiet");
      b.setAttribute("aria-label", `Save ${card.title} as ${kind}`);
      return b;
    }));
    this.root = element("article", card.wide ? "card wide" : "card",
      element("div", "card-head", element("h3", "", card.title), this.note, menu), this.plot, this.voice);
    this.reader = new Reader(this);
    new ResizeObserver(() => this.paint()).observe(this.plot);
  }

  /** Shows these runs: asks for what is not there, then draws. */
  async update(runs) {
    this.runs = runs;
    if (!this.visible) {
      this.stale = true;
      return;
    }
    this.stale = false;
    const turn = ++this.turn;
    const wants = runs.filter(this.card.runs).flatMap((run) => this.card.series(run).map((s) => ({ run, ...s })));
    const each = buckets(wants.length, this.plot.clientWidth);
    wants.forEach((w) => { w.buckets = each; w.smooth = w.smooth === true && state.smooth > 0; });
    try {
      const got = await curves(wants);
      if (turn === this.turn) {
        this.show(wants, got);
      }
    } catch (e) {
      this.note.textContent = "could not be read: " + e.message;
    }
  }

  show(wants, got) {
    const series = [];
    wants.forEach((w, i) => {
      const c = got[i];
      if (c.x.some((x) => x !== null)) {
        series.push({ run: w.run, tag: w.tag, label: w.label, points: w.points, dash: w.dash, colour: colour(w.run.name),
          x: c.x, steps: c.steps, low: c.low, high: c.high, y: c.y, from: 0, to: c.x.length, broken: this.places(c),
          flat: c.level === 0, band: w.smooth || c.level > 0 });
      }
    });
    const missing = wants.length - series.length;
    this.note.textContent = missing && state.axis !== "step" ? `${missing} without ${AXES[state.axis]}` : "";
    const ends = series.flatMap((s) => [s.x[0], s.x[s.to - 1]]).filter((x) => x !== null);
    const [first, last] = state.range ?? [Math.min(...ends), Math.max(...ends)];
    const fine = Number.isFinite(first) && Number.isFinite(last);
    const x = fine ? [first, last > first ? last : first + 1] : [0, 1];
    const y = heights(series, state.log, state.robust);
    this.model = { series, x, y, log: state.log, axis: AXES[state.axis], marks: this.card.marks ? marks(series, wants) : [] };
    this.strong = null;
    Object.assign(this.plot.dataset, { min: x[0], max: x[1], low: y[0], high: y[1], curves: series.length });
    this.paint();
  }

  /** Where there began to be no number, on the axis. */
  places(c) {
    const beginnings = c.broken.filter((step, i) => i === 0 || step > c.broken[i - 1] + 2);
    return beginnings.map((step) => c.x[c.steps.findIndex((s) => s >= step)]).filter((x) => x !== undefined && x !== null);
  }

  look() {
    return { grid: css("--grid"), dim: css("--dim"), card: css("--card"), error: css("--error"), warning: css("--warning"),
      note: css("--note") };
  }

  paint() {
    const { clientWidth: width, clientHeight: height } = this.plot;
    if (!this.model || width < 10) {
      return;
    }
    this.at = layout(this.model, width, height);
    const screen = new Screen(this.canvas, width, height);
    paint(screen, this.model, this.at, this.look(), this.strong);
    this.reader.draw(screen);
  }

  /** The curve and point nearest to a place on the chart. */
  nearest(px, py) {
    return nearest(this.model, this.at, px, py);
  }

  /** What a point is, in words. */
  words(s, i) {
    const raw = s.low[i] === s.high[i] ? short(s.low[i]) : `${short(s.low[i])} to ${short(s.high[i])}`;
    const where = state.axis === "step" ? `step ${short(s.steps[i])}`
      : `${short(s.x[i])} ${AXES[state.axis]}, step ${short(s.steps[i])}`;
    return { name: s.run.name + (s.label ? ` (${s.label})` : ""), where, value: short(s.y[i]), raw: s.band ? raw : "" };
  }
}

/** Findings, checkpoints and the best value; those of many runs would hide the curves. */
function marks(series, wants) {
  const runs = [...new Set(wants.map((w) => w.run))];
  if (runs.length > 12) {
    return [];
  }
  const made = [];
  for (const run of runs) {
    const own = series.filter((s) => s.run === run);
    const train = own.find((s) => s.label === "training") ?? own[0];
    if (!train) {
      continue;
    }
    const place = (step) => {
      const i = train.steps.findIndex((s) => s >= step);
      return i < 0 ? null : state.axis === "step" ? step : train.x[i];
    };
    run.checkpoints.forEach((step) => made.push({ kind: "checkpoint", x: place(step), colour: train.colour,
      words: `${run.name}: checkpoint ${step}` }));
    for (const f of run.findings.filter((f) => f.severity === "error" || f.severity === "warning")) {
      made.push({ kind: f.severity, x: place(f.step), words: `${run.name}: ${f.title} from step ${f.step}` });
    }
    if (run.best_step !== undefined && own.some((s) => s.label === "validation")) {
      made.push({ kind: "best", x: place(run.best_step), y: run.best, colour: train.colour,
        words: `${run.name}: lowest validation loss ${short(run.best)} at step ${run.best_step}` });
    }
  }
  return made.filter((m) => m.x !== null);
}
