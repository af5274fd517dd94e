// One picture large, and two of a prompt, of any steps and runs, under a wipe.
import { dialog, element } from "../app/dom.js";

/**
 * Shows items[{src, run, words, step}] from an index on: left and right lead to the run's other steps, up and down to other
 * runs; another picture lies under the wipe.
 */
export function enlarge(title, items, index) {
  let shown = index;
  let other = Math.max(0, items.findIndex((item) => item.run === items[index].run));
  const over = element("img", "over");
  const under = element("img", "under");
  const words = element("p", "hint");
  const wipe = element("input");
  Object.assign(wipe, { type: "range", min: 0, max: 100, value: 100 });
  wipe.setAttribute("aria-label", "Wipe between the two pictures");
  const tell = () => {
    over.src = items[shown].src;
    over.alt = items[shown].words;
    under.src = items[other].src;
    under.alt = wipe.value < 100 ? items[other].words : "";
    over.style.clipPath = `inset(0 ${100 - wipe.value}% 0 0)`;
    words.textContent = `${items[shown].words}${wipe.value < 100 ? " on the left, " + items[other].words + " on the right" : ""}`;
  };
  wipe.addEventListener("input", tell);
  const against = element("select", "", ...[...new Set(items.map((item) => item.run))].map((run) => {
    const group = element("optgroup", "", ...items.flatMap((item, i) => {
      const option = element("option", "", "step " + item.step);
      option.value = i;
      option.selected = i === other;
      return item.run === run ? [option] : [];
    }));
    group.label = run;
    return group;
  }));
  against.setAttribute("aria-label", "Compare with");
  against.addEventListener("change", () => {
    other = Number(against.value);
    wipe.value = Math.min(wipe.value, 50);
    tell();
  });
  const box = dialog(title, element("div", "wipe", under, over), words,
    items.length > 1 ? element("div", "row", element("label", "inline", "Wipe ", wipe), element("label", "inline", "against ", against)) : null);
  box.addEventListener("keydown", (e) => {
    if (e.target !== wipe && e.target !== against) {
      const next = neighbour(items, shown, e.key);
      if (next !== undefined) {
        e.preventDefault();
        shown = next;
        tell();
      }
    }
  });
  tell();
}

/** Where an arrow key leads from an item; undefined where nowhere. */
function neighbour(items, at, key) {
  const { run, step } = items[at];
  if (key === "ArrowLeft" || key === "ArrowRight") {
    const next = at + (key === "ArrowLeft" ? -1 : 1);
    return items[next]?.run === run ? next : undefined;
  }
  if (key === "ArrowUp" || key === "ArrowDown") {
    const runs = [...new Set(items.map((item) => item.run))];
    const other = runs[runs.indexOf(run) + (key === "ArrowUp" ? -1 : 1)];
    const own = items.map((item, i) => [Math.abs(item.step - step), i]).filter(([, i]) => items[i].run === other);
    return own.sort(([a], [b]) => a - b)[0]?.[1];
  }
  return undefined;
}
