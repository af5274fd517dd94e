// What is looked at, and its place in the address: a reload or a link shows the same.

export const state = {
  view: "charts",
  filter: "",
  hidden: null, // names, or null as long as nobody chose: then the newest are shown
  sort: "",
  up: true,
  group: "",
  smooth: 0.85,
  robust: true,
  log: false,
  axis: "step",
  range: null, // [first, last] of the axis that is shown, null for all
  seen: null, // what an address says of runs that are not read yet
};

const PLAIN = { view: "charts", filter: "", sort: "", group: "", axis: "step" };
let names = () => [];

/** Writes the state into the address, without a new entry of the history. */
export function remember() {
  const q = new URLSearchParams();
  for (const [key, usual] of Object.entries(PLAIN)) {
    if (state[key] !== usual) {
      q.set(key, state[key]);
    }
  }
  if (!state.up) { q.set("down", "1"); }
  if (state.smooth !== 0.85) { q.set("smooth", state.smooth); }
  if (!state.robust) { q.set("all", "1"); }
  if (state.log) { q.set("log", "1"); }
  if (state.range) { q.set("range", state.range.map((x) => +x.toPrecision(8)).join("~")); }
  if (state.hidden) {
    const all = names();
    const shown = all.filter((n) => !state.hidden.has(n));
    const few = shown.length <= state.hidden.size;
    q.set("only", few ? "show" : "hide");
    (few ? shown : [...state.hidden]).forEach((n) => q.append("run", n));
  }
  const address = q.size ? "#" + q : location.pathname + location.search;
  history.replaceState(null, "", address);
}

/** Reads the address; what it says of runs holds once their names are known. */
export function recall(namesOfRuns) {
  names = namesOfRuns;
  const q = new URLSearchParams(location.hash.slice(1));
  for (const key of Object.keys(PLAIN)) {
    state[key] = q.get(key) ?? PLAIN[key];
  }
  const smooth = Number(q.get("smooth") ?? 0.85);
  state.smooth = smooth >= 0 && smooth < 1 ? smooth : 0.85;
  state.up = !q.has("down");
  state.robust = !q.has("all");
  state.log = q.has("log");
  const range = (q.get("range") ?? "").split("~").map(Number);
  state.range = range.length === 2 && range[1] > range[0] ? range : null;
  state.seen = q.has("only") ? { show: q.get("only") === "show", runs: new Set(q.getAll("run")) } : null;
}

/** Applies what the address said of runs, now that there are some. */
export function settle() {
  if (state.seen) {
    const { show, runs } = state.seen;
    state.hidden = show ? new Set(names().filter((n) => !runs.has(n))) : runs;
    state.seen = null;
  }
}
