// The page: views, what is new, light and dark.
import { element } from "./app/dom.js";
import { recall, remember, state } from "./app/state.js";
import { say } from "./app/server.js";
import { all, facts, refresh as refreshRuns } from "./runs/store.js";
import * as list from "./runs/list.js";
import * as charts from "./charts/view.js";
import { runs } from "./runs/table.js";
import { images } from "./images/view.js";
import { texts } from "./texts/view.js";
import { data } from "./data/view.js";
import { machine } from "./machine/view.js";
import { layers } from "./layers/view.js";
import { renew } from "./runs/details.js";
import { start } from "./actions/start.js";
import * as notify from "./actions/notify.js";

const at = (id) => document.getElementById(id);
const views = { charts: charts.show, runs, images, texts, data, machine, layers, start };
const ALONE = new Set(["start"]); // needs no run

function draw() {
  if (!views[state.view]) {
    state.view = "charts";
  }
  const empty = all().length === 0 && !ALONE.has(state.view);
  for (const view of Object.keys(views)) {
    at(view).hidden = view !== state.view || empty;
    document.querySelector(`nav [data-view=${view}]`).setAttribute("aria-current", String(view === state.view));
  }
  if (document.body.dataset.view !== state.view) {
    document.body.dataset.view = state.view;
    const button = document.querySelector(`nav [data-view=${state.view}]`);
    const nav = button.parentElement;
    const [tab, bar] = [button.getBoundingClientRect(), nav.getBoundingClientRect()];
    nav.scrollLeft += tab.left + tab.width / 2 - bar.left - bar.width / 2; // on a narrow screen
  }
  at("empty").hidden = !empty || !loaded;
  if (!empty) {
    views[state.view](at(state.view));
  }
}

let loaded = false;

function status() {
  const runs = all();
  const unread = runs.filter((run) => run.complete === false);
  if (unread.length > 0) {
    const sum = (what) => runs.reduce((n, run) => n + (run[what] ?? 0), 0);
    at("status").textContent = `reading… ${Math.floor(100 * sum("read") / Math.max(1, sum("bytes")))} %`;
  } else {
    const running = runs.filter((run) => run.state === "running").length;
    at("status").textContent = running ? `${running} running` : "";
  }
}

function emptyPage() {
  at("empty").replaceChildren(element("h2", "", "No run yet"),
    element("p", "", "A run appears here when training writes its first event file into a folder below the one that the "
      + "board was started with: lora-native train -c my-run.yaml"),
    element("p", "hint", facts.readOnly ? "" : "Or start one from here: the view Start."));
}

async function refresh() {
  let changed;
  try {
    changed = await refreshRuns();
  } catch (e) {
    at("status").textContent = "The board does not answer; is it still running?";
    return;
  }
  const first = !loaded;
  loaded = true;
  if (changed.size || first) {
    emptyPage();
    list.draw();
    status();
    notify.look(changed);
    renew();
    draw();
  }
}

let waiting = false;
let again = false;

/** At most one refresh a second, however much is read; what changes during one is asked for by the next. */
function changed() {
  if (waiting) {
    again = true;
    return;
  }
  waiting = true;
  const soon = all().some((run) => run.complete === false);
  setTimeout(async () => {
    again = false;
    try {
      await refresh();
    } finally {
      waiting = false;
      if (again) {
        changed();
      }
    }
  }, soon || !loaded ? 250 : 1000);
}

function theme() {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const apply = (again) => {
    document.documentElement.dataset.theme = localStorage.getItem("theme") ?? (dark.matches ? "dark" : "light");
    if (again) {
      charts.rebuild();
      list.draw();
      draw();
    }
  };
  apply(false);
  dark.addEventListener("change", () => apply(true));
  at("theme").addEventListener("click", () => {
    localStorage.setItem("theme", document.documentElement.dataset.theme === "dark" ? "light" : "dark");
    apply(true);
  });
}

theme();
recall(() => all().map((run) => run.name));
list.start(draw);
notify.start(at("bell"), say);
document.querySelectorAll("nav [data-view]").forEach((button) => button.addEventListener("click", () => {
  state.view = button.dataset.view;
  remember();
  draw();
}));
addEventListener("hashchange", () => {
  recall(() => all().map((run) => run.name));
  at("filter").value = state.filter;
  list.draw();
  charts.rebuild();
  draw();
});
addEventListener("board:view", (e) => { // a link from one view into another
  state.view = e.detail;
  remember();
  draw();
});
if (matchMedia("(max-width: 760px)").matches) {
  at("list-box").open = false;
}
refresh();
const SILENCE = 5000; // ms: some proxies hold events back
let heard = Date.now();
const hear = () => {
  heard = Date.now();
  changed();
};
const events = new EventSource("api/events");
events.onmessage = hear;
events.onopen = hear;
setInterval(() => {
  if (!document.hidden && Date.now() - heard >= SILENCE) {
    changed();
  }
}, SILENCE);
events.onerror = () => { at("status").textContent = "The board does not answer; trying again…"; };
