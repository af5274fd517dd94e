// Reading a chart: the nearest curve under the pointer, drags that zoom, and the same by keys, spoken.
import { element } from "../app/dom.js";
import { state } from "../app/state.js";

const MOST_LINES = 8;

/** The point of each curve nearest to x, by how far it is from the pointer; the nearest first. */
export function nearest(model, at, px, py) {
  const wanted = at.x.back(px);
  const found = [];
  for (const s of model.series) {
    let a = s.from;
    let b = s.to - 1;
    while (a < b) {
      const middle = (a + b) >> 1;
      if (s.x[middle] < wanted) { a = middle + 1; } else { b = middle; }
    }
    const i = a > s.from && wanted - s.x[a - 1] < s.x[a] - wanted ? a - 1 : a;
    const v = s.y[i];
    if (v !== null && v !== undefined && (!model.log || v > 0)) {
      found.push({ s, i, far: Math.hypot((at.x(s.x[i]) - px) * 0.5, at.y(v) - py) });
    }
  }
  return found.sort((one, other) => one.far - other.far);
}

export class Reader {
  constructor(chart) {
    this.chart = chart;
    this.point = null;
    const { plot } = chart;
    plot.addEventListener("pointermove", (e) => this.move(e));
    plot.addEventListener("pointerleave", () => this.leave());
    plot.addEventListener("pointerdown", (e) => this.down(e));
    plot.addEventListener("pointerup", (e) => this.up(e));
    plot.addEventListener("pointercancel", () => { this.from = null; });
    plot.addEventListener("dblclick", () => chart.owner.zoom(null));
    plot.addEventListener("keydown", (e) => this.key(e));
    plot.addEventListener("blur", () => this.leave());
  }

  place(e) {
    const box = this.chart.plot.getBoundingClientRect();
    return [e.clientX - box.left, e.clientY - box.top];
  }

  move(e) {
    const { chart } = this;
    if (!chart.at) {
      return;
    }
    const [px, py] = this.place(e);
    if (this.from !== null && this.from !== undefined) {
      const left = Math.min(px, this.from);
      Object.assign(chart.select.style, { display: "block", left: left + "px", width: Math.abs(px - this.from) + "px" });
      return;
    }
    const mark = py < 18 || py > chart.at.area.y + chart.at.area.height - 6
      ? chart.model.marks.find((m) => Math.abs(chart.at.x(m.x) - px) < 7) : null;
    if (mark) {
      this.tell(px, py, [element("div", "", mark.words)]);
      return;
    }
    const all = chart.nearest(px, py);
    this.choose(all[0] ?? null);
    this.tell(px, py, this.lines(all));
  }

  lines(all) {
    const { chart } = this;
    if (all.length === 0) {
      return [];
    }
    const lines = [element("div", "tip-head", chart.words(all[0].s, all[0].i).where)];
    all.slice(0, MOST_LINES).forEach(({ s, i }, k) => {
      const w = chart.words(s, i);
      const dot = element("span", "swatch");
      dot.style.background = s.colour;
      lines.push(element("div", k ? "tip-line" : "tip-line first", dot, element("span", "tip-name", w.name),
        element("b", "", w.value), k === 0 && w.raw && w.raw !== w.value ? element("span", "hint", w.raw) : null));
    });
    if (all.length > MOST_LINES) {
      lines.push(element("div", "hint", `and ${all.length - MOST_LINES} further away`));
    }
    return lines;
  }

  tell(px, py, lines) {
    const { tip, plot } = this.chart;
    tip.replaceChildren(...lines);
    tip.style.display = lines.length ? "block" : "none";
    const width = tip.offsetWidth;
    const left = px + 16 + width < plot.clientWidth ? px + 16 : Math.max(0, px - 16 - width);
    tip.style.transform = `translate(${left}px, ${Math.max(0, Math.min(py - 20, plot.clientHeight - tip.offsetHeight))}px)`;
  }

  choose(found) {
    this.point = found;
    const strong = found?.s ?? null;
    this.chart.strong = this.chart.model?.series.length > 1 ? strong : null;
    this.chart.paint();
  }

  leave() {
    this.chart.tip.style.display = "none";
    this.from = null;
    this.chart.select.style.display = "none";
    if (this.point) {
      this.choose(null);
    }
  }

  down(e) {
    if (e.button === 0 && this.chart.at && e.pointerType !== "touch") {
      [this.from] = this.place(e);
      this.chart.plot.setPointerCapture(e.pointerId);
      this.chart.tip.style.display = "none";
    }
  }

  up(e) {
    const { chart } = this;
    if (this.from === null || this.from === undefined) {
      return;
    }
    const [px] = this.place(e);
    const [a, b] = [Math.min(px, this.from), Math.max(px, this.from)];
    this.from = null;
    chart.select.style.display = "none";
    if (b - a > 6) {
      chart.owner.zoom([chart.at.x.back(Math.max(a, chart.at.area.x)), chart.at.x.back(b)]);
    } else if (this.point) {
      chart.owner.pick(this.point.s, this.point.i);
    }
  }

  /** Marks the point that is read. */
  draw(screen) {
    if (this.point && this.point.s.y[this.point.i] !== null) {
      const { s, i } = this.point;
      const x = this.chart.at.x(s.x[i]);
      const { area } = this.chart.at;
      screen.line([[[x, area.y], [x, area.y + area.height]]], { colour: s.colour, alpha: 0.4 });
      screen.dot(x, this.chart.at.y(s.y[i]), 4.5, s.colour);
    }
  }

  key(e) {
    const { chart } = this;
    if (!chart.model || e.ctrlKey || e.metaKey || e.altKey) {
      return;
    }
    const [min, max] = chart.model.x;
    const width = max - min;
    const zooms = { "+": [0.2, -0.2], "=": [0.2, -0.2], "-": [-0.3, 0.3] };
    const moves = { ArrowLeft: -0.2, ArrowRight: 0.2 };
    if (e.key === "0" || e.key === "Escape") {
      chart.owner.zoom(null);
    } else if (zooms[e.key]) {
      chart.owner.zoom([min + zooms[e.key][0] * width, max + zooms[e.key][1] * width]);
    } else if (e.shiftKey && moves[e.key]) {
      chart.owner.zoom([min + moves[e.key] * width, max + moves[e.key] * width]);
    } else if (e.key.startsWith("Arrow")) {
      this.walk(e.key);
    } else if (e.key === "Enter" && this.point) {
      chart.owner.pick(this.point.s, this.point.i);
    } else {
      return;
    }
    e.preventDefault();
  }

  /** From point to point, from curve to curve. */
  walk(key) {
    const { series } = this.chart.model;
    if (series.length === 0) {
      return;
    }
    let { s, i } = this.point ?? { s: series[0], i: series[0].to };
    if (!series.includes(s)) {
      s = series.find((o) => o.run === s.run && o.tag === s.tag) ?? series[0];
    }
    if (key === "ArrowUp" || key === "ArrowDown") {
      const x = s.x[Math.min(i, s.to - 1)];
      s = series[(series.indexOf(s) + (key === "ArrowUp" ? series.length - 1 : 1)) % series.length];
      i = Math.max(0, s.x.findIndex((v) => v >= x));
    } else {
      i = Math.max(s.from, Math.min(s.to - 1, i + (key === "ArrowLeft" ? -1 : 1)));
    }
    this.choose({ s, i });
    const w = this.chart.words(s, i);
    this.chart.voice.textContent = `${w.name}, ${w.where}: ${w.value}`;
    this.tell(this.chart.at.x(s.x[i]), 30, this.lines([{ s, i }]));
  }
}
