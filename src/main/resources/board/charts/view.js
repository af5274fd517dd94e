// All charts, their controls, and what the doctor found, in one line until someone asks.
import { button, element, keep, select } from "../app/dom.js";
import { colour } from "../app/colour.js";
import { short } from "../app/format.js";
import { remember, state } from "../app/state.js";
import { shown } from "../runs/store.js";
import { records } from "../data/records.js";
import { cards, figures } from "./cards.js";
import { Chart } from "./chart.js";

const charts = new Map();
let parts = null;
let root = null;

const owner = {
  zoom(range) {
    state.range = range;
    remember();
    controls();
    updateAll();
  },
  /** A point of a training loss leads to the records of its step. */
  pick(s, i) {
    if (s.label === "training" && s.run.ours) {
      records(s.run, s.steps[i]);
    }
  },
};

const seen = new IntersectionObserver((entries) => entries.forEach((e) => {
  const chart = [...charts.values()].find((c) => c.root === e.target);
  if (chart) {
    chart.visible = e.isIntersecting;
    if (chart.visible && chart.stale !== false) {
      chart.update(chart.runs);
    }
  }
}), { rootMargin: "200px" });

function build(at) {
  root = at;
  const smooth = element("input");
  Object.assign(smooth, { type: "range", min: 0, max: 99, id: "smooth" });
  const output = element("output");
  const check = (text, id, of) => {
    const box = element("input");
    Object.assign(box, { type: "checkbox", id, checked: state[of] });
    box.addEventListener("change", () => { state[of] = box.checked; remember(); updateAll(); });
    return [box, element("label", "", box, " " + text)];
  };
  const [robust, robustLabel] = check("Cut outliers", "robust", "robust");
  const [log, logLabel] = check("Logarithmic", "log", "log");
  const axis = select("Axis", ["step", "time", "tokens", "samples", "epochs"].map((a) => [a, a]), state.axis, (chosen) => {
    state.axis = chosen;
    state.range = null;
    remember();
    controls();
    updateAll();
  });
  axis.id = "axis";
  const reset = button("Whole range", () => owner.zoom(null));
  reset.id = "reset";
  let pending;
  smooth.addEventListener("input", () => {
    state.smooth = smooth.value / 100;
    output.textContent = state.smooth.toFixed(2);
    clearTimeout(pending);
    pending = setTimeout(() => { remember(); updateAll(); }, 120);
  });
  const findings = element("details");
  findings.id = "findings";
  const grid = element("div");
  grid.id = "grid";
  parts = { smooth, output, robust, log, axis, reset, findings, grid };
  at.replaceChildren(element("div", "controls", element("label", "", "Smoothing ", smooth, output), robustLabel, logLabel,
    element("label", "", "Axis ", axis), reset,
    element("span", "hint wide-only", "Drag to zoom · click a training loss for its records")), findings, grid);
}

function controls() {
  parts.smooth.value = Math.round(state.smooth * 100);
  parts.output.textContent = state.smooth.toFixed(2);
  parts.robust.checked = state.robust;
  parts.log.checked = state.log;
  parts.axis.value = state.axis;
  parts.reset.disabled = state.range === null;
}

/** A line that says what is wrong; the rest on demand, so that the charts stay in sight. */
function drawFindings(runs) {
  const worst = ["error", "warning", "note"];
  const all = runs.flatMap((run) => run.findings.filter((f) => f.severity !== "good").map((f) => ({ run: run.name, ...f })))
    .sort((a, b) => worst.indexOf(a.severity) - worst.indexOf(b.severity));
  keep(parts.findings, JSON.stringify(all), () => {
    parts.findings.hidden = all.length === 0;
    if (all.length === 0) {
      return;
    }
    const count = all.length === 1 ? "1 finding" : `${all.length} findings`;
    parts.findings.replaceChildren(
      element("summary", "", element("b", all[0].severity, count), ` ${all[0].run}: ${all[0].title}`,
        all.length > 1 ? ` and ${all.length - 1} more` : ""),
      ...all.slice(0, 40).map((f) => element("div", "finding " + f.severity,
        element("p", "head", `${f.run}: ${f.title}, from step ${f.step}`),
        element("p", "", f.evidence[0].toUpperCase() + f.evidence.slice(1) + ". " + f.advice + "."))));
  });
}

/** What was written once is a figure, no chart of one point. */
function drawFigures(runs) {
  const all = figures(runs);
  let box = root.querySelector("#figures");
  if (!box) {
    box = element("div", "card");
    box.id = "figures";
    root.append(box);
  }
  keep(box, JSON.stringify(all.map(({ tag, values }) => [tag, values.map(([run, v]) => [run.name, v])])), () => {
    box.hidden = all.length === 0;
    const head = runs.filter((run) => Object.keys(run.single).length > 0).slice(0, 8);
    box.replaceChildren(element("h3", "", "Written once"), element("div", "scroll", element("table", "",
      element("tr", "", element("th", "", "value"), ...head.map((run) => {
        const cell = element("th", "", run.name);
        cell.style.boxShadow = `inset 0 -3px ${colour(run.name)}`;
        return cell;
      })),
      ...all.map(({ tag, values }) => element("tr", "", element("td", "", tag),
        ...head.map((run) => element("td", "number", short(values.find(([r]) => r === run)?.[1]))))))));
  });
}

/** Draws the view. */
export function show(at) {
  if (!parts) {
    build(at);
  }
  controls();
  const runs = shown();
  drawFindings(runs);
  const wanted = cards(runs);
  const keys = new Set(wanted.map((c) => c.key));
  for (const [key, chart] of charts) {
    if (!keys.has(key)) {
      seen.unobserve(chart.root);
      chart.root.remove();
      charts.delete(key);
    }
  }
  let section = "";
  const order = [];
  for (const card of wanted) {
    if (card.section !== section) {
      section = card.section;
      if (section !== "Loss") {
        order.push(heading(section));
      }
    }
    let chart = charts.get(card.key);
    if (!chart) {
      chart = new Chart(owner, card);
      charts.set(card.key, chart);
      seen.observe(chart.root);
    }
    chart.card = card;
    order.push(chart.root);
    chart.update(runs);
  }
  const now = [...parts.grid.children];
  if (order.length !== now.length || order.some((e, i) => e !== now[i])) {
    order.forEach((e, i) => { if (parts.grid.children[i] !== e) { parts.grid.insertBefore(e, parts.grid.children[i] ?? null); } });
    while (parts.grid.children.length > order.length) {
      parts.grid.lastChild.remove();
    }
  }
  drawFigures(runs);
}

const headings = new Map();

function heading(section) {
  if (!headings.has(section)) {
    headings.set(section, element("h2", "section", section));
  }
  return headings.get(section);
}

function updateAll() {
  const runs = shown();
  charts.forEach((chart) => chart.update(runs));
}

/** Draws everything anew: colours or axes are others. */
export function rebuild() {
  if (parts) {
    controls();
    updateAll();
  }
}
