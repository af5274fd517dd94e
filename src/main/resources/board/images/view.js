// Pictures: a block for each prompt, a row for each run, a column for each step; each of one seed through all of them.
import { element, keep, named, none } from "../app/dom.js";
import { colour } from "../app/colour.js";
import { ask } from "../app/server.js";
import { shown } from "../runs/store.js";
import { enlarge } from "./enlarge.js";

const MOST_COLUMNS = 8;
const MOST_RUNS = 24;

const address = (run, tag, index) => "api/image?" + new URLSearchParams({ run: run.name, tag, index });

/** So many of a list, the first and the last among them. */
function spread(list) {
  const n = list.length;
  return n <= MOST_COLUMNS ? list
    : [...Array(MOST_COLUMNS).keys()].map((i) => list[Math.round(i * (n - 1) / (MOST_COLUMNS - 1))]);
}

export async function images(root) {
  const drawing = shown().filter((run) => Object.keys(run.images).length > 0);
  const runs = drawing.slice(0, MOST_RUNS);
  await keep(root, JSON.stringify([drawing.length, runs.map((run) => [run.name, run.images, colour(run.name)])]), async (late) => {
    const all = await Promise.all(runs.map(async (run) => ({ run, tags: await ask("images", { run: run.name }) })));
    if (late()) {
      return;
    }
    const tags = [...new Set(all.flatMap(({ tags }) => Object.keys(tags)))].sort();
    if (tags.length === 0) {
      root.replaceChildren(none("images", "sample_steps and sample_prompts draw some while training."));
      return;
    }
    const scrolled = new Map([...root.querySelectorAll(".scroll")].map((e) => [e.dataset.tag, e.scrollLeft]));
    root.replaceChildren(drawing.length > MOST_RUNS
      ? element("p", "hint", `The first ${MOST_RUNS} of ${drawing.length} runs with pictures; choose others at the side.`) : "",
    ...tags.map((tag) => prompt(tag, all.filter(({ tags }) => tags[tag]))));
    root.querySelectorAll(".scroll").forEach((e) => { e.scrollLeft = scrolled.get(e.dataset.tag) ?? 0; });
  });
}

function prompt(tag, having) {
  const title = tag.replace(/^samples\/\d+: /, "");
  const items = having.flatMap(({ run, tags }) => tags[tag].map((step, index) =>
    ({ run: run.name, step, src: address(run, tag, index), words: `${run.name}, step ${step}` })));
  const union = [...new Set(items.map((item) => item.step))].sort((a, b) => a - b);
  const columns = spread(union);
  const rows = having.map(({ run }) => {
    const own = items.filter((item) => item.run === run.name);
    const common = own.filter((item) => columns.includes(item.step)).length;
    const apart = common < Math.min(columns.length, own.length) / 2; // its steps are others: a row of its own
    const places = apart ? spread(own) : columns.map((step) => own.find((item) => item.step === step));
    const left = own.length - places.filter(Boolean).length;
    return element("div", "strip-of", named(run, colour(run.name),
      element("span", "hint", left ? ` ${own.length - left} of ${own.length} steps` : "")),
    element("div", "strip", ...places.map((item) => item ? figure(title, items, item) : element("figure", "gap"))));
  });
  const scroll = element("div", "scroll", ...rows);
  scroll.dataset.tag = tag;
  return element("article", "card", element("h3", "", title), scroll);
}

function figure(title, items, item) {
  const image = element("img");
  Object.assign(image, { src: item.src, alt: `${title}, ${item.words}`, loading: "lazy" });
  const open = element("button", "picture", image);
  open.type = "button";
  open.addEventListener("click", () => enlarge(title, items, items.indexOf(item)));
  return element("figure", "", open, element("figcaption", "", "step " + item.step));
}
