// Curves that were asked for, kept: of one that grows only the buckets that are new travel.
import { post } from "../app/server.js";
import { state } from "../app/state.js";

const MOST_POINTS = 60000; // of a chart, whatever the number of its curves
const MOST_AT_ONCE = 400;
let kept = new Map();
let setting = "";
let waiting = [];

/** How many buckets each of n curves gets. */
export function buckets(n, width) {
  const most = Math.min(1000, Math.max(60, Math.min(width, MOST_POINTS / Math.max(1, n))));
  return 2 ** Math.round(Math.log2(most)); // so that a window a little wider asks for nothing
}

const key = (w) => [w.run.name, w.tag, w.smooth, w.buckets].join("\u0000");

/** The curves of wants ({run, tag, smooth, buckets}), asked for where they are older than their run. */
export async function curves(wants) {
  const now = JSON.stringify([state.axis, state.smooth, state.range]);
  if (now !== setting) {
    setting = now;
    kept = new Map();
  }
  const stale = wants.filter((w) => (kept.get(key(w))?.version ?? -1) < w.run.version);
  if (stale.length) {
    await new Promise((done, failed) => {
      if (waiting.length === 0) {
        setTimeout(flush, 20); // all charts that are drawn now ask together
      }
      waiting.push({ stale, done, failed, setting: now });
    });
  }
  return wants.map((w) => kept.get(key(w)) ?? EMPTY);
}

const EMPTY = { x: [], steps: [], low: [], high: [], y: [], broken: [], count: 0 };

async function flush() {
  const batch = waiting;
  waiting = [];
  const groups = new Map();
  for (const one of batch) {
    for (const want of one.stale) {
      groups.set(want.buckets, (groups.get(want.buckets) ?? new Map()).set(key(want), want));
    }
  }
  try {
    for (const [buckets, wants] of groups) {
      const list = [...wants.values()];
      for (let i = 0; i < list.length; i += MOST_AT_ONCE) {
        await load(list.slice(i, i + MOST_AT_ONCE), buckets, batch[0].setting);
      }
    }
    batch.forEach((one) => one.done());
  } catch (e) {
    batch.forEach((one) => one.failed(e));
  }
}

async function load(wants, buckets, of) {
  const range = state.range ? { from: state.range[0], to: state.range[1] } : {};
  const answer = await post("curves", { axis: state.axis, smooth: state.smooth, buckets, ...range,
    curves: wants.map((w) => {
      const old = kept.get(key(w));
      return { run: w.run.name, tag: w.tag, smooth: w.smooth,
        ...(old ? { level: old.level, rewinds: old.rewinds, have: Math.max(0, old.x.length - 1) } : {}) };
    }) });
  if (of !== setting) {
    return; // someone zoomed meanwhile
  }
  answer.curves.forEach((c, i) => kept.set(key(wants[i]), merged(kept.get(key(wants[i])), c, wants[i].run.version)));
}

/** What is there, and then what came. */
function merged(old, c, version) {
  if (!c.x) {
    return { ...EMPTY, version };
  }
  const first = c.first && old ? c.first : 0;
  const then = (before, more) => first ? before.slice(0, first).concat(more) : more;
  const high = c.high ?? c.low;
  const steps = c.steps ?? c.x;
  const made = { version, level: c.level, rewinds: c.rewinds, count: c.count,
    x: then(old?.x, c.x), steps: then(old?.steps, steps), low: then(old?.low, c.low), high: then(old?.high, high),
    y: then(old?.y, c.smooth ?? c.low) };
  made.broken = [...new Set([...(first ? old.broken : []), ...c.broken])].slice(0, 40);
  return made;
}
