// The runs that the board knows. After the first answer only rows that changed are asked for.
import { ask } from "../app/server.js";
import { arrange } from "../app/colour.js";
import { settle, state } from "../app/state.js";

const MOST_AT_FIRST = 100;
const rows = new Map();
let cursor = 0;
let count = 0;
let automatic = new Set();
export const facts = { readOnly: true, root: "" };

/** All of them, by name. */
export const all = () => [...rows.values()].sort((a, b) => a.name < b.name ? -1 : 1);

export const find = (name) => rows.get(name);

export const isShown = (name) => !(state.hidden ?? automatic).has(name);

/** Those that are shown; pinned ones first. */
export const shown = () => all().filter((run) => isShown(run.name));

/** Asks for what is new; returns the names of rows that changed. */
export async function refresh() {
  const answer = await ask("runs", cursor ? { since: cursor } : {});
  facts.readOnly = answer.read_only;
  facts.root = answer.root;
  const changed = new Set();
  if (answer.whole || answer.now < cursor) {
    rows.clear();
  }
  for (const row of answer.runs) {
    row.version = ++count; // curves that were asked for before are older than it
    row.before = rows.get(row.name)?.state;
    rows.set(row.name, { tags: [], single: {}, images: {}, texts: {}, findings: [], damage: [], settings: {}, metrics: {},
      checkpoints: [], ...row });
    changed.add(row.name);
  }
  for (const name of answer.gone) {
    rows.delete(name);
    changed.add(name);
  }
  cursor = answer.now;
  if (changed.size) {
    arrange(rows.values());
    settle();
    newest();
  }
  return changed;
}

/** Of very many runs the newest are shown until someone chooses. */
function newest() {
  const old = [...rows.values()].sort((a, b) => b.started - a.started).slice(MOST_AT_FIRST);
  automatic = new Set(old.map((run) => run.name));
}

/** Shows or hides runs by name. */
export function show(names, visible) {
  state.hidden = new Set(state.hidden ?? automatic);
  names.forEach((name) => visible ? state.hidden.delete(name) : state.hidden.add(name));
}

/** Whether a run fits a filter: words, each in its name, tags or state, or as key=value among its settings. */
export function fits(run, filter) {
  return filter.toLowerCase().split(/\s+/).filter(Boolean).every((word) => {
    const [key, ...rest] = word.split("=");
    if (rest.length) {
      return String(run.settings[key] ?? run[key] ?? "").toLowerCase() === rest.join("=");
    }
    return [run.name, run.state, run.verdict, run.note, ...(run.labels ?? [])]
      .some((text) => String(text ?? "").toLowerCase().includes(word));
  });
}

/** Settings that differ between runs. */
export function differing(runs) {
  const values = new Map();
  runs.forEach((run) => Object.entries(run.settings).forEach(([key, v]) =>
    values.set(key, (values.get(key) ?? new Map()).set(v, 1))));
  const lacking = ([key]) => runs.some((run) => run.settings[key] === undefined);
  const sorted = [...values].sort(([a], [b]) => a < b ? -1 : 1);
  const other = sorted.filter(([, of]) => of.size > 1); // first those that all name, and differently
  const alone = sorted.filter((entry) => entry[1].size === 1 && lacking(entry));
  return [...other.filter((e) => !lacking(e)), ...other.filter(lacking), ...alone].map(([key]) => key);
}
