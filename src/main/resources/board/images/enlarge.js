// One picture large, and two of a strip under a wipe.
import { dialog, element, select } from "../app/dom.js";

/** Shows items[{src, words}] from an index on; arrow keys lead on, the other picture lies under the wipe. */
export function enlarge(title, items, index) {
  let shown = index;
  let other = 0;
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
    under.alt = "";
    over.style.clipPath = `inset(0 ${100 - wipe.value}% 0 0)`;
    words.textContent = `${items[shown].words}${wipe.value < 100 ? " on the left, " + items[other].words + " on the right" : ""}`;
  };
  wipe.addEventListener("input", tell);
  const against = select("Compare with", items.map((item, i) => [String(i), item.words]), "0", (i) => {
    other = Number(i);
    wipe.value = Math.min(wipe.value, 50);
    tell();
  });
  const box = dialog(title, element("div", "wipe", under, over), words,
    items.length > 1 ? element("div", "row", element("label", "", "Wipe ", wipe), element("label", "", "against ", against)) : null);
  box.addEventListener("keydown", (e) => {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[e.key];
    if (by && e.target !== wipe) {
      shown = Math.max(0, Math.min(items.length - 1, shown + by));
      tell();
    }
  });
  tell();
}
