// The page: which runs there are, which are shown, and what is asked anew when something was read.
import { Charts } from "./charts.js";
import { layers } from "./layers.js";
import { pictures, texts, settings } from "./panels.js";

const COLOURS = ["#2f6fde", "#d9541e", "#1d9a6c", "#b23bb5", "#c29200", "#0d93b5", "#d1345b", "#6a5acd",
  "#5d8a00", "#8a5a3c", "#e07b91", "#4d6b8a"];

const at = (id) => document.getElementById(id);

/** All that the parts of the page share. */
export const state = {
  runs: [],
  hidden: new Set(),
  view: "curves",
  smooth: 0.85,
  outliers: true,
  log: false,
  axis: "step",
  range: null, // [first, last step] that is shown, null for all
};

const colours = new Map();

export function colour(name) {
  if (!colours.has(name)) {
    colours.set(name, COLOURS[colours.size % COLOURS.length]);
  }
  return colours.get(name);
}

export const shown = () => state.runs.filter((run) => !state.hidden.has(run.name));

/** An element with classes, text and children. */
export function element(tag, className, ...children) {
  const made = document.createElement(tag);
  made.className = className ?? "";
  made.append(...children.filter((c) => c !== null && c !== undefined));
  return made;
}

/** Asks the server; addresses are relative, so that the page works below any path. */
export async function ask(what, query = {}) {
  const response = await fetch("api/" + what + "?" + new URLSearchParams(query));
  if (!response.ok) {
    throw new Error(await response.text());
  }
  return response.json();
}

const charts = new Charts(at("charts"));
const views = { curves: () => charts.show(), layers: () => layers(at("layers")), pictures: () => pictures(at("pictures")),
  texts: () => texts(at("texts")), settings: () => settings(at("settings")) };

function draw() {
  for (const view of Object.keys(views)) {
    at(view).hidden = view !== state.view;
    document.querySelector(`[data-view=${view}]`).setAttribute("aria-current", String(view === state.view));
  }
  at("empty").hidden = state.runs.length > 0;
  if (state.runs.length === 0) {
    at(state.view).hidden = true;
    return;
  }
  views[state.view]();
}

function runList() {
  const filter = at("filter").value.toLowerCase();
  at("runs-count").textContent = state.runs.length ? `(${shown().length} of ${state.runs.length})` : "";
  at("runs").replaceChildren(...state.runs
    .filter((run) => run.name.toLowerCase().includes(filter))
    .map((run) => {
      const box = element("input");
      box.type = "checkbox";
      box.checked = !state.hidden.has(run.name);
      box.addEventListener("change", () => {
        box.checked ? state.hidden.delete(run.name) : state.hidden.add(run.name);
        runList();
        findings();
        draw();
      });
      const swatch = element("span", "swatch");
      swatch.style.background = colour(run.name);
      const name = element("span", "name", run.name);
      if (run.verdict) {
        name.append(element("span", "verdict " + run.severity, run.verdict));
      }
      run.damage.forEach((d) => name.append(element("span", "damage", d)));
      return element("li", "", element("label", "", box, swatch, name));
    }));
}

function findings() {
  const all = shown().flatMap((run) => run.findings.filter((f) => f.severity !== "good")
    .map((f) => ({ run: run.name, ...f })));
  const worst = ["error", "warning", "note", "good"];
  all.sort((a, b) => worst.indexOf(a.severity) - worst.indexOf(b.severity));
  at("findings").replaceChildren(...all.slice(0, 6).map((f) => element("div", "finding " + f.severity,
    element("p", "head " + f.severity, `${f.run}: ${f.title}, from step ${f.step}`),
    element("p", "", f.evidence[0].toUpperCase() + f.evidence.slice(1) + "."),
    element("p", "", f.advice + "."))));
  if (all.length > 6) {
    at("findings").append(element("p", "hint", `and ${all.length - 6} more: show fewer runs to see them`));
  }
}

function status() {
  const unread = state.runs.filter((run) => !run.complete);
  if (unread.length > 0) {
    const read = state.runs.reduce((sum, run) => sum + run.read, 0);
    const bytes = state.runs.reduce((sum, run) => sum + run.bytes, 0);
    at("status").textContent = `reading… ${Math.floor(100 * read / Math.max(1, bytes))} %`;
  } else {
    const points = state.runs.reduce((sum, run) => sum + run.points, 0);
    at("status").textContent = state.runs.length ? `${points.toLocaleString("en")} points` : "";
  }
}

async function refresh() {
  try {
    state.runs = await ask("runs");
    at("empty").textContent = "No run yet. A run appears here when training writes its first event file into a "
      + "folder below the one that the board was started with: lora-native train -c my-run.yaml";
    at("empty").classList.remove("error");
    runList();
    findings();
    status();
    draw();
  } catch (e) {
    at("status").textContent = "The board does not answer; is it still running? " + e.message;
  }
}

let waiting = false;

/** At most one refresh a second, however much is read. */
function changed() {
  if (!waiting) {
    waiting = true;
    setTimeout(() => { waiting = false; refresh(); }, state.runs.some((run) => !run.complete) ? 300 : 1000);
  }
}

function controls() {
  const smooth = () => {
    state.smooth = at("smooth").value / 100;
    at("smooth-value").textContent = state.smooth.toFixed(2);
  };
  smooth();
  let pending;
  at("smooth").addEventListener("input", () => {
    smooth();
    clearTimeout(pending);
    pending = setTimeout(draw, 120);
  });
  at("outliers").addEventListener("change", (e) => { state.outliers = e.target.checked; charts.rescale(); });
  at("log").addEventListener("change", (e) => { state.log = e.target.checked; charts.rebuild(); });
  at("axis").addEventListener("change", (e) => { state.axis = e.target.value; state.range = null; charts.rebuild(); });
  at("reset").addEventListener("click", () => charts.zoom(null));
  at("filter").addEventListener("input", runList);
  at("all").addEventListener("click", () => {
    state.hidden = shown().length === state.runs.length ? new Set(state.runs.map((run) => run.name)) : new Set();
    runList();
    findings();
    draw();
  });
  document.querySelectorAll("[data-view]").forEach((button) => button.addEventListener("click", () => {
    state.view = button.dataset.view;
    draw();
  }));
  if (matchMedia("(max-width: 760px)").matches) {
    at("runs-box").open = false;
  }
}

function theme() {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const apply = () => {
    document.documentElement.dataset.theme = localStorage.getItem("theme") ?? (dark.matches ? "dark" : "light");
    charts.rebuild();
    if (state.view === "layers") {
      draw();
    }
  };
  apply();
  dark.addEventListener("change", apply);
  at("theme").addEventListener("click", () => {
    localStorage.setItem("theme", document.documentElement.dataset.theme === "dark" ? "light" : "dark");
    apply();
  });
}

addEventListener("DOMContentLoaded", () => {
  controls();
  theme();
  refresh();
  const events = new EventSource("api/events");
  events.onmessage = changed;
  events.onerror = () => { at("status").textContent = "The board does not answer; trying again…"; };
  events.onopen = changed;
});
