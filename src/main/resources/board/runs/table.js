// The table of runs: sorted, filtered, grouped by a setting.
import { breakable, button, element, keep, select } from "../app/dom.js";
import { colour } from "../app/colour.js";
import { duration, loss, short, value } from "../app/format.js";
import { remember, state } from "../app/state.js";
import { all, differing, fits } from "./store.js";
import { details } from "./details.js";
import { compare } from "./compare.js";

const MOST_ROWS = 300;
const COLUMNS = [
  ["run", (r) => r.name], ["state", (r) => r.state], ["step", (r) => r.step], ["left", (r) => r.eta],
  ["best", (r) => r.best], ["at step", (r) => r.best_step], ["loss", (r) => r.loss], ["time", (r) => r.seconds],
  ["verdict", (r) => r.verdict], ["labels", (r) => (r.labels ?? []).join(", ")], ["note", (r) => r.note],
];
const NUMBERS = new Set(["step", "left", "best", "at step", "loss", "time"]);
let most = MOST_ROWS;

/** A column's name may be one of a setting, whose value is told apart by its place. */
function columns(runs) {
  const filled = COLUMNS.filter(([name, of]) => !["left", "labels", "note", "best", "at step"].includes(name)
    || runs.some((r) => of(r) !== undefined && of(r) !== ""));
  return [...filled, ...differing(runs).map((key) => [key, (r) => value(r.settings[key]), true])];
}

function sorted(runs, of) {
  const order = (a, b) => {
    const [x, y] = [of(a), of(b)];
    const missing = (x === undefined || x === "") - (y === undefined || y === "");
    if (missing) { return missing * (state.up ? 1 : -1); } // what is missing stands last either way
    return typeof x === typeof y ? (x < y ? -1 : x > y ? 1 : 0) : typeof x === "number" ? -1 : 1;
  };
  return [...runs].sort((a, b) => ((b.pinned === true) - (a.pinned === true)) || order(a, b) * (state.up ? 1 : -1));
}

export function runs(root) {
  const rows = all().filter((run) => fits(run, state.filter));
  const key = JSON.stringify([rows.map((r) => [r.name, r.version]), state.sort, state.up, state.group, most,
    document.documentElement.dataset.theme]);
  keep(root, key, () => draw(root, rows));
}

function draw(root, rows) {
  const focused = document.activeElement?.dataset?.focus;
  const shownColumns = columns(rows);
  const [, of] = shownColumns.find(([name]) => name === state.sort) ?? [null, (r) => -r.started];
  const ordered = sorted(rows, of);
  const head = element("tr", "", ...shownColumns.map(([name]) => header(name, root)));
  const body = state.group ? grouped(ordered, shownColumns) : ordered.slice(0, most).map((r) => row(r, shownColumns));
  const groups = [["", "no grouping"], ...differing(rows).map((k) => [k, k])];
  const group = select("Group by", groups, state.group, (chosen) => {
    state.group = chosen;
    remember();
    runs(root);
  });
  const left = root.querySelector(".scroll")?.scrollLeft ?? 0;
  root.replaceChildren(element("div", "controls", element("label", "", "Group by ", group),
    element("span", "hint", `${rows.length} runs. The list at the side filters: words, or key=value.`)),
  element("div", "card", element("div", "scroll", element("table", "runs", element("thead", "", head),
    element("tbody", "", ...body)))),
  !state.group && ordered.length > most ? button(`Show ${Math.min(MOST_ROWS, ordered.length - most)} more`, () => {
    most += MOST_ROWS;
    runs(root);
  }) : null ?? "", compare(ordered));
  root.querySelector(".scroll").scrollLeft = left;
  if (focused) {
    root.querySelector(`[data-focus="${CSS.escape(focused)}"]`)?.focus();
  }
}

function header(name, root) {
  const chosen = state.sort === name;
  const made = button(name + (chosen ? (state.up ? " ▲" : " ▼") : ""), () => {
    state.up = chosen ? !state.up : true;
    state.sort = name;
    remember();
    runs(root);
  });
  made.dataset.focus = "sort " + name;
  const cell = element("th", NUMBERS.has(name) ? "number" : "", made);
  cell.setAttribute("aria-sort", chosen ? (state.up ? "ascending" : "descending") : "none");
  return cell;
}

function row(r, shownColumns) {
  const line = element("tr", "", ...shownColumns.map(([name, of, setting]) => cell(r, setting ? "" : name, of(r))));
  return line;
}

function cell(r, name, v) {
  if (name === "run") {
    const swatch = element("span", "swatch");
    swatch.style.background = colour(r.name);
    const open = button("", () => details(r), "link");
    open.append(breakable(r.name));
    open.dataset.focus = "run " + r.name;
    return element("td", "run", element("div", "", swatch, r.pinned ? element("span", "pin", "★") : null, open));
  }
  if (name === "state") {
    return element("td", "", element("span", "state " + r.state, r.state ?? "reading"));
  }
  if (name === "step") {
    const text = r.total ? `${r.step} / ${r.total}` : r.step ?? "";
    return element("td", "number", String(text));
  }
  if (name === "left" || name === "time") {
    return element("td", "number", v === undefined ? "" : duration(v));
  }
  if (name === "best" || name === "loss") {
    return element("td", "number", v === undefined ? "" : loss(v));
  }
  if (name === "verdict") {
    return element("td", r.severity ?? "", v ?? "");
  }
  return typeof v === "number" ? element("td", "number", short(v)) : element("td", "wide", String(v ?? "").slice(0, 120));
}

/** A row for each value of the setting: how many runs, mean and range of their numbers. */
function grouped(rows, shownColumns) {
  const groups = new Map();
  rows.forEach((r) => {
    const v = r.settings[state.group] ?? "–";
    groups.set(v, [...(groups.get(v) ?? []), r]);
  });
  const summary = (of, list, form) => {
    const numbers = list.map(of).filter((v) => typeof v === "number" && Number.isFinite(v));
    if (numbers.length === 0) { return ""; }
    const mean = numbers.reduce((a, b) => a + b, 0) / numbers.length;
    return numbers.length === 1 ? form(mean)
      : `${form(mean)} (${form(Math.min(...numbers))} – ${form(Math.max(...numbers))})`;
  };
  const forms = { best: loss, loss, time: duration, left: duration };
  return [...groups].flatMap(([v, list]) => [
    element("tr", "group", ...shownColumns.map(([name, of, setting]) => name === "run"
      ? element("th", "", `${state.group} = ${v}`, element("span", "hint", ` ${list.length} runs`))
      : element("td", "number", summary(of, list, (!setting && forms[name]) || short)))),
    ...list.slice(0, 50).map((r) => row(r, shownColumns)),
  ]);
}
