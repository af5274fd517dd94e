// Scales and their ticks.

/** Places of ticks in a range: 1, 2 or 5 times a power of ten apart; of a log axis decades, with 2 and 5 where few. */
export function ticks(min, max, most, log) {
  return log ? decades(min, max, most) : even(min, max, most);
}

function even(min, max, most) {
  const raw = (max - min) / Math.max(1, most);
  const power = 10 ** Math.floor(Math.log10(raw));
  const steps = [0.1, 0.2, 0.5, 1, 2, 5, 10].map((m) => m * power);
  let i = steps.findIndex((s) => s >= raw * 0.999);
  while (i > 0 && inside(min, max, steps[i]).length < 3) { // one or two say little
    i--;
  }
  return inside(min, max, steps[i] ?? raw);
}

/** The multiples of a step in a range. */
function inside(min, max, step) {
  const made = [];
  for (let i = Math.ceil(min / step - 1e-9); i * step <= max + step * 1e-9 && made.length < 50; i++) {
    made.push(+(i * step).toPrecision(12));
  }
  return made;
}

function decades(min, max, most) {
  const first = Math.floor(Math.log10(min));
  const last = Math.ceil(Math.log10(max));
  const every = Math.max(1, Math.ceil((last - first) / most));
  const parts = last - first <= most / 3 ? [1, 2, 3, 4, 5, 6, 7, 8, 9] : last - first <= most / 2 ? [1, 2, 5] : [1];
  const made = [];
  for (let e = first; e <= last; e += every) {
    parts.forEach((m) => made.push(m * 10 ** e));
  }
  const inside = made.filter((v) => v >= min * 0.9999 && v <= max * 1.0001);
  return inside.length >= 2 ? inside : even(min, max, most).filter((v) => v > 0);
}

/** A function from values to pixels, and back. */
export function scale(min, max, from, to, log) {
  const f = log ? Math.log10 : (x) => x;
  const a = f(min);
  const span = f(max) - a || 1;
  const forth = (v) => from + (f(v) - a) / span * (to - from);
  forth.back = (p) => log ? 10 ** (a + (p - from) / (to - from) * span) : a + (p - from) / (to - from) * span;
  return forth;
}

/**
 * The heights that are shown: the smoothed lines whole, of what lies behind them all but the outermost hundredths;
 * lines that run away are cut, their beginnings never are.
 */
export function heights(series, log, robust) {
  const lines = [];
  const behind = [];
  const starts = [];
  const fine = (v) => v !== null && v !== undefined && (!log || v > 0);
  for (const s of series) {
    let first = true;
    for (let i = s.from; i < s.to; i++) {
      if (fine(s.y[i])) {
        lines.push(s.y[i]);
        if (first) { starts.push(s.y[i]); }
        first = false;
      }
      for (const v of [s.low[i], s.high[i]]) {
        if (fine(v)) { behind.push(v); }
      }
    }
  }
  const all = lines.length ? lines : behind;
  if (all.length === 0) {
    return log ? [0.1, 1] : [0, 1];
  }
  const sorted = Float64Array.from(robust ? all : behind).sort();
  const at = (q) => sorted[Math.min(sorted.length - 1, Math.max(0, Math.round(q * (sorted.length - 1))))];
  let low = sorted[0];
  let high = sorted[sorted.length - 1];
  if (robust && sorted.length > 20) {
    const usual = at(0.9) - at(0.05) || Math.abs(at(0.9)) || 1;
    if (high > at(0.95) + 4 * usual) { high = at(0.95) + usual; }
    if (low < at(0.05) - 4 * usual) { low = at(0.05) - usual; }
    const noise = Float64Array.from(behind).sort();
    const cut = (q) => noise[Math.round(q * (noise.length - 1))];
    high = Math.max(high, Math.min(cut(0.98), high + usual));
    low = Math.min(low, Math.max(cut(0.02), low - usual));
    for (const v of starts) {
      high = Math.max(high, v);
      low = Math.min(low, v);
    }
  }
  if (log) {
    return low === high ? [low / 2, high * 2] : [low / 1.05, high * 1.05];
  }
  const room = (high - low) * 0.05 || Math.abs(high) * 0.1 || 1;
  const floor = low >= 0 ? 0 : -Infinity; // what is never negative is not shown as if it could be
  return [Math.max(floor, low - room), high + room];
}
