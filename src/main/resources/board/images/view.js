// Pictures: a row for each prompt, a column for each step, run by run; each of one seed through all steps.
import { element, keep, none } from "../app/dom.js";
import { colour } from "../app/colour.js";
import { ask } from "../app/server.js";
import { shown } from "../runs/store.js";
import { enlarge } from "./enlarge.js";

const MOST_COLUMNS = 8;

const address = (run, tag, index) => "api/image?" + new URLSearchParams({ run: run.name, tag, index });

/** So many of a list's places, the first and the last among them. */
function spread(n) {
  return n <= MOST_COLUMNS ? [...Array(n).keys()]
    : [...Array(MOST_COLUMNS).keys()].map((i) => Math.round(i * (n - 1) / (MOST_COLUMNS - 1)));
}

export async function images(root) {
  const runs = shown().filter((run) => Object.keys(run.images).length > 0);
  await keep(root, JSON.stringify(runs.map((run) => [run.name, run.images])), async () => {
    const all = await Promise.all(runs.map(async (run) => ({ run, tags: await ask("images", { run: run.name }) })));
    const tags = [...new Set(all.flatMap(({ tags }) => Object.keys(tags)))].sort();
    if (tags.length === 0) {
      root.replaceChildren(none("images", "sample_steps and sample_prompts draw some while training."));
      return;
    }
    const scrolled = new Map([...root.querySelectorAll(".scroll")].map((e) => [e.dataset.tag, e.scrollLeft]));
    root.replaceChildren(...tags.map((tag) => prompt(tag, all.filter(({ tags }) => tags[tag]), scrolled)));
  });
}

function prompt(tag, having, scrolled) {
  const title = tag.replace(/^samples\/\d+: /, "");
  const strips = having.map(({ run, tags }) => {
    const steps = tags[tag];
    const items = steps.map((step, index) => ({ src: address(run, tag, index), words: `${run.name}, step ${step}` }));
    const figures = spread(steps.length).map((index) => {
      const image = element("img");
      Object.assign(image, { src: items[index].src, alt: `${title}, ${items[index].words}`, loading: "lazy" });
      const open = element("button", "picture", image);
      open.type = "button";
      open.addEventListener("click", () => enlarge(title, items, index));
      return element("figure", "", open, element("figcaption", "", "step " + steps[index]));
    });
    const swatch = element("span", "swatch");
    swatch.style.background = colour(run.name);
    const scroll = element("div", "scroll strip", ...figures);
    scroll.dataset.tag = run.name + "\n" + tag;
    requestAnimationFrame(() => { scroll.scrollLeft = scrolled.get(scroll.dataset.tag) ?? 0; });
    return element("div", "strip-of", element("div", "strip-name", swatch, run.name,
      element("span", "hint", steps.length > MOST_COLUMNS ? ` ${MOST_COLUMNS} of ${steps.length} steps` : "")), scroll);
  });
  return element("article", "card", element("h3", "", title), ...strips);
}
