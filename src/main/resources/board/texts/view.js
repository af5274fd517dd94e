// Texts: what runs wrote, at a step that one slider chooses for all, and what differs from another text.
import { element, keep, named, none, select } from "../app/dom.js";
import { colour } from "../app/colour.js";
import { ask } from "../app/server.js";
import { shown } from "../runs/store.js";
import { markdown } from "./markdown.js";
import { shownDiff } from "./diff.js";

const MOST_RUNS = 24;
const chosen = new Map(); // by tag: step, or nothing for the newest
const compared = new Map(); // by tag: what its texts are held against
const kept = new Map(); // by run: [version, answer]

async function textsOf(run) {
  const key = JSON.stringify(run.texts);
  if (kept.get(run.name)?.[0] !== key) {
    kept.set(run.name, [key, await ask("texts", { run: run.name })]);
  }
  return kept.get(run.name)[1];
}

const order = (tag) => tag.startsWith("samples") ? 0 : tag.startsWith("doctor") ? 1 : 2;

export async function texts(root) {
  const writing = shown().filter((run) => Object.keys(run.texts).length > 0);
  const runs = writing.slice(0, MOST_RUNS);
  await keep(root, JSON.stringify([writing.length, ...runs.map((run) => [run.name, run.texts, colour(run.name)])]), async (late) => {
    const all = await Promise.all(runs.map(async (run) => ({ run, tags: await textsOf(run) })));
    if (late()) {
      return;
    }
    const tags = [...new Set(all.flatMap(({ tags }) => Object.keys(tags)))].sort((a, b) => order(a) - order(b) || (a < b ? -1 : 1));
    const { tag: focused, part } = document.activeElement?.dataset ?? {};
    root.replaceChildren(writing.length > MOST_RUNS
      ? element("p", "hint", `The first ${MOST_RUNS} of ${writing.length} runs with texts; choose others at the side.`) : "",
    ...tags.map((tag) => card(tag, all.filter(({ tags }) => tags[tag]))));
    if (tags.length === 0) {
      root.replaceChildren(none("texts", "sample_steps and sample_prompts write some while training."));
    }
    if (focused) {
      root.querySelector(`[data-tag="${CSS.escape(focused)}"][data-part="${part}"]`)?.focus();
    }
  });
}

/** The newest of a run's texts at or before a step; -1 for none. */
const newest = (own, step) => own.findLastIndex((t) => t.step <= step);

/** What a text is held against: {text, words}, or nothing. */
function against(what, tag, having, run, own, at) {
  if (what === "first" || what === "before") {
    const i = what === "first" ? 0 : at - 1;
    return i >= 0 && i !== at ? { text: own[i].text, words: `changes since step ${own[i].step}` } : null;
  }
  const other = having.find((h) => "run:" + h.run.name === what);
  if (!other || other.run.name === run.name) {
    return null;
  }
  const i = newest(other.tags[tag], own[at].step);
  return i < 0 ? null : { text: other.tags[tag][i].text, words: `other than ${what.slice(4)} at step ${other.tags[tag][i].step}` };
}

function card(tag, having) {
  const steps = [...new Set(having.flatMap(({ tags }) => tags[tag].map((t) => t.step)))].sort((a, b) => a - b);
  const body = element("div", "columns");
  const output = element("output");
  const input = element("input");
  const index = chosen.has(tag) ? Math.max(0, steps.findLastIndex((s) => s <= chosen.get(tag))) : steps.length - 1;
  Object.assign(input, { type: "range", min: 0, max: steps.length - 1, value: index });
  Object.assign(input.dataset, { tag, part: "step" });
  input.setAttribute("aria-label", "Step of " + tag);
  const tell = () => {
    const step = steps[input.value];
    output.textContent = "step " + step;
    body.replaceChildren(...having.map(({ run, tags }) => {
      const own = tags[tag];
      const at = newest(own, step);
      if (at < 0) {
        return element("div", "", named(run, colour(run.name)), element("p", "hint", "nothing yet at this step"));
      }
      const other = own[at].step === step ? "" : ` (of step ${own[at].step})`;
      const base = against(compared.get(tag), tag, having, run, own, at);
      const text = base ? [element("p", "hint", base.words), shownDiff(base.text, own[at].text)] : markdown(own[at].text);
      return element("div", "", named(run, colour(run.name), element("span", "hint", other)), ...text);
    }));
  };
  input.addEventListener("input", () => {
    if (Number(input.value) === steps.length - 1) { chosen.delete(tag); } else { chosen.set(tag, steps[input.value]); }
    tell();
  });
  const bases = [["", "no comparison"], ...steps.length > 1 ? [["first", "its first text"], ["before", "the text before it"]] : [],
    ...having.length > 1 ? having.map(({ run }) => ["run:" + run.name, run.name]) : []];
  const base = select("Compare " + tag + " with", bases, compared.get(tag) ?? "", (what) => {
    compared.set(tag, what);
    tell();
  });
  Object.assign(base.dataset, { tag, part: "base" });
  tell();
  return element("article", "card", element("h3", "", tag), element("div", "slider",
    ...steps.length > 1 ? [input, output] : [], bases.length > 1 ? element("label", "inline", "Compare with ", base) : null), body);
}
