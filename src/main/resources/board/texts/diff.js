// What differs between two texts, word by word.
import { element } from "../app/dom.js";

const MOST = 1500;

/** Pieces of `now`, told apart by whether `before` has them: [[text, "same" | "new" | "gone"]]. */
export function diff(before, now) {
  const a = before.split(/(?<=\s)/).slice(0, MOST);
  const b = now.split(/(?<=\s)/).slice(0, MOST);
  const long = Array.from({ length: a.length + 1 }, () => new Uint16Array(b.length + 1));
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      long[i][j] = a[i] === b[j] ? long[i + 1][j + 1] + 1 : Math.max(long[i + 1][j], long[i][j + 1]);
    }
  }
  const pieces = [];
  const add = (text, kind) => {
    const last = pieces[pieces.length - 1];
    if (last?.[1] === kind) { last[0] += text; } else { pieces.push([text, kind]); }
  };
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      add(a[i++], "same");
      j++;
    } else if (i < a.length && (j === b.length || long[i + 1][j] >= long[i][j + 1])) {
      add(a[i++], "gone"); // first what was, then what is in its place
    } else {
      add(b[j++], "new");
    }
  }
  return pieces;
}

export function shownDiff(before, now) {
  const made = element("div", "text");
  diff(before, now).forEach(([text, kind]) => made.append(kind === "same" ? text
    : element(kind === "new" ? "ins" : "del", "", text)));
  return made;
}
