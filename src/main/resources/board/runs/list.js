// The list of runs beside every view: which are shown. Entries are changed in place, so the focus stays.
import { breakable, element } from "../app/dom.js";
import { colour } from "../app/colour.js";
import { loss } from "../app/format.js";
import { remember, state } from "../app/state.js";
import { all, fits, isShown, show, shown } from "./store.js";

const at = (id) => document.getElementById(id);
const entries = new Map();
let redraw = () => {};

function entry(name) {
  const box = element("input");
  box.type = "checkbox";
  box.setAttribute("aria-label", "Show " + name);
  box.addEventListener("change", () => chosen([name], box.checked));
  const swatch = element("span", "swatch");
  const line = element("span", "what");
  const only = element("button", "only quiet", "only");
  only.type = "button";
  only.setAttribute("aria-label", "Show only " + name);
  only.addEventListener("click", (e) => {
    e.preventDefault();
    show(all().map((run) => run.name), false);
    chosen([name], true);
  });
  const label = element("label", "", box, swatch, element("span", "words", breakable(name), line));
  return { root: element("li", "", label, only), box, swatch, line };
}

function chosen(names, visible) {
  show(names, visible);
  remember();
  draw();
  redraw();
}

const matching = () => all().filter((run) => fits(run, state.filter));

/** Brings the list up to date. */
export function draw() {
  const wanted = matching().sort((a, b) => (b.pinned === true) - (a.pinned === true));
  const root = at("list");
  at("list-count").textContent = all().length ? `${shown().length} of ${all().length}` : "";
  const keep = new Set(wanted.map((run) => run.name));
  for (const [name, e] of entries) {
    if (!keep.has(name)) {
      e.root.remove();
      entries.delete(name);
    }
  }
  wanted.forEach((run, i) => {
    if (!entries.has(run.name)) {
      entries.set(run.name, entry(run.name));
    }
    const e = entries.get(run.name);
    e.box.checked = isShown(run.name);
    e.swatch.style.background = colour(run.name);
    const damage = run.damage.length ? "damaged file" : "";
    const text = [run.pinned ? "pinned" : "", run.state === "ended" ? "" : run.state,
      run.best !== undefined ? loss(run.best) : run.loss !== undefined ? loss(run.loss) : "", damage]
      .filter(Boolean).join(" · ");
    if (e.line.textContent !== text) {
      e.line.textContent = text;
    }
    e.line.className = "what " + (run.state === "failed" || damage ? "error" : "");
    e.line.title = run.damage.join("\n");
    if (root.children[i] !== e.root) {
      root.insertBefore(e.root, root.children[i] ?? null);
    }
  });
}

/** Joins the controls; `onChange` draws the view anew. */
export function start(onChange) {
  redraw = onChange;
  at("filter").value = state.filter;
  at("filter").addEventListener("input", () => {
    state.filter = at("filter").value;
    remember();
    draw();
    if (state.view === "runs") {
      redraw();
    }
  });
  at("all").addEventListener("click", () => chosen(matching().map((run) => run.name), true));
  at("none").addEventListener("click", () => chosen(matching().map((run) => run.name), false));
}
