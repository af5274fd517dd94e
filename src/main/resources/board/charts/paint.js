// A chart: axes, bands, lines, and what is marked on them.
import { short } from "../app/format.js";
import { scale, ticks } from "./ticks.js";

const LEFT = 58;
const RIGHT = 18;
const TOP = 20; // a lane for marks, above the curves
const BOTTOM = 34;

/** Where things lie, for a model of `series`, `x` and `y` (ranges), `log`, `axis` (its name), `marks`. */
export function layout(model, width, height) {
  const area = { x: LEFT, y: TOP, width: Math.max(10, width - LEFT - RIGHT), height: Math.max(10, height - TOP - BOTTOM) };
  return { area, width, height,
    x: scale(...model.x, area.x, area.x + area.width, false),
    y: scale(...model.y, area.y + area.height, area.y, model.log) };
}

/** Paints it; `strong` is the series under the pointer, the others fade. */
export function paint(p, model, at, look, strong = null) {
  const { area } = at;
  const right = area.x + area.width;
  const foot = area.y + area.height;
  for (const v of ticks(...model.y, Math.max(2, area.height / 42), model.log)) {
    const y = at.y(v);
    p.line([[[area.x, y], [right, y]]], { colour: look.grid });
    p.text(area.x - 8, y, short(v), { colour: look.dim, align: "right" });
  }
  for (const v of ticks(...model.x, Math.max(2, area.width / 72), false)) {
    const x = at.x(v);
    p.line([[[x, foot], [x, foot + 4]]], { colour: look.dim });
    p.text(x, foot + 13, short(v), { colour: look.dim, align: "center" });
  }
  p.line([[[area.x, foot], [right, foot]]], { colour: look.dim });
  p.text(right, foot + 27, model.axis, { colour: look.dim, align: "right", size: 11 });
  p.clip(area.x, area.y - 2, area.width, area.height + 4, () => {
    const many = model.series.length > 24;
    for (const s of model.series) {
      const alpha = strong && strong !== s ? 0.25 : 1;
      if (s.band && !many && alpha === 1) {
        band(p, s, at, model.log);
      }
    }
    for (const s of model.series) {
      if (s !== strong) {
        curve(p, s, at, model.log, strong ? 0.25 : many ? 0.75 : 1, many ? 1.25 : 2);
      }
    }
    if (strong) {
      curve(p, strong, at, model.log, 1, 2.5);
    }
    for (const s of model.series) {
      for (const x of s.broken ?? []) {
        p.line([[[at.x(x), area.y], [at.x(x), foot]]], { colour: look.error, width: 1.5, dash: [3, 3] });
      }
    }
  });
  marks(p, model, at, look);
}

/** Lowest to highest value of each bucket, faint. */
function band(p, s, at, log) {
  const up = [];
  const down = [];
  for (let i = s.from; i < s.to; i++) {
    if (s.low[i] !== null && (!log || s.low[i] > 0)) {
      up.push([at.x(s.x[i]), at.y(s.high[i])]);
      down.push([at.x(s.x[i]), at.y(s.low[i])]);
    }
  }
  if (s.flat) {
    p.line([up], { colour: s.colour, width: 1, alpha: 0.28 });
  } else if (up.length > 1) {
    p.shape([...up, ...down.reverse()], { colour: s.colour, alpha: 0.16 });
  }
}

/** The line, with a gap where there is no number. */
function curve(p, s, at, log, alpha, width) {
  const pieces = [];
  let piece = null;
  for (let i = s.from; i < s.to; i++) {
    const v = s.y[i];
    if (v === null || v === undefined || (log && v <= 0)) {
      piece = null;
    } else {
      if (!piece) {
        pieces.push(piece = []);
      }
      piece.push([at.x(s.x[i]), at.y(v)]);
    }
  }
  p.line(pieces.filter((points) => points.length > 1), { colour: s.colour, width, dash: s.dash, alpha });
  const few = s.points && s.to - s.from <= 60;
  for (const points of pieces) {
    if (few || points.length === 1) {
      points.forEach(([x, y]) => p.dot(x, y, 3, s.colour, alpha));
    }
  }
}

/** Findings above, checkpoints on the axis, the best value with a ring. */
function marks(p, model, at, look) {
  const { area } = at;
  const foot = area.y + area.height;
  for (const m of model.marks) {
    const x = at.x(m.x);
    if (x < area.x - 1 || x > area.x + area.width + 1) {
      continue;
    }
    if (m.kind === "checkpoint") {
      p.shape([[x, foot - 5], [x + 4, foot], [x, foot + 5], [x - 4, foot]], { colour: look.card, edge: m.colour });
    } else if (m.kind === "best") {
      const y = at.y(m.y);
      if (y >= area.y && y <= foot) {
        p.shape(star(x, y, 7), { colour: m.colour, edge: look.card });
      }
    } else {
      p.shape([[x - 5, 4], [x + 5, 4], [x, 13]], { colour: look[m.kind] });
      p.line([[[x, 14], [x, foot]]], { colour: look[m.kind], width: 1, dash: [2, 4], alpha: 0.8 });
    }
  }
}

function star(x, y, radius) {
  return Array.from({ length: 10 }, (_, i) => {
    const r = i % 2 ? radius * 0.45 : radius;
    return [x + r * Math.sin(i * Math.PI / 5), y - r * Math.cos(i * Math.PI / 5)];
  });
}
