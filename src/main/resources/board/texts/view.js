// Texts: what runs wrote, at a step that one slider chooses for all, and what changed since another step.
import { element, keep, none } from "../app/dom.js";
import { colour } from "../app/colour.js";
import { ask } from "../app/server.js";
import { shown } from "../runs/store.js";
import { markdown } from "./markdown.js";
import { shownDiff } from "./diff.js";

const chosen = new Map(); // by tag: step, or nothing for the newest
const compared = new Set(); // tags whose texts are shown as a difference
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
  const runs = shown().filter((run) => Object.keys(run.texts).length > 0).slice(0, 24);
  await keep(root, JSON.stringify(runs.map((run) => [run.name, run.texts])), async () => {
    const all = await Promise.all(runs.map(async (run) => ({ run, tags: await textsOf(run) })));
    const tags = [...new Set(all.flatMap(({ tags }) => Object.keys(tags)))].sort((a, b) => order(a) - order(b) || (a < b ? -1 : 1));
    const focused = document.activeElement?.dataset?.tag;
    root.replaceChildren(...tags.map((tag) => card(tag, all.filter(({ tags }) => tags[tag]))));
    if (tags.length === 0) {
      root.replaceChildren(none("texts", "sample_steps and sample_prompts write some while training."));
    }
    if (focused) {
      root.querySelector(`[data-tag="${CSS.escape(focused)}"]`)?.focus();
    }
  });
}

function card(tag, having) {
  const steps = [...new Set(having.flatMap(({ tags }) => tags[tag].map((t) => t.step)))].sort((a, b) => a - b);
  const body = element("div", "columns");
  const output = element("output");
  const input = element("input");
  const index = chosen.has(tag) ? Math.max(0, steps.findLastIndex((s) => s <= chosen.get(tag))) : steps.length - 1;
  Object.assign(input, { type: "range", min: 0, max: steps.length - 1, value: index });
  input.dataset.tag = tag;
  input.setAttribute("aria-label", "Step of " + tag);
  const changes = element("input");
  changes.type = "checkbox";
  changes.checked = compared.has(tag);
  const tell = () => {
    const step = steps[input.value];
    output.textContent = "step " + step;
    body.replaceChildren(...having.map(({ run, tags }) => {
      const own = tags[tag];
      const at = own.findLastIndex((t) => t.step <= step);
      const name = element("div", "strip-name", swatch(run), run.name);
      if (at < 0) {
        return element("div", "", name, element("p", "hint", "nothing yet at this step"));
      }
      const other = own[at].step === step ? "" : ` (of step ${own[at].step})`;
      const text = changes.checked && own.length > 1
        ? [element("p", "hint", `since step ${own[0].step}`), shownDiff(own[0].text, own[at].text)] : markdown(own[at].text);
      return element("div", "", element("div", "", name, element("span", "hint", other)), ...text);
    }));
  };
  input.addEventListener("input", () => {
    if (Number(input.value) === steps.length - 1) { chosen.delete(tag); } else { chosen.set(tag, steps[input.value]); }
    tell();
  });
  changes.addEventListener("change", () => {
    if (changes.checked) { compared.add(tag); } else { compared.delete(tag); }
    tell();
  });
  tell();
  return element("article", "card", element("h3", "", tag), steps.length > 1 ? element("div", "slider", input, output,
    element("label", "", changes, " changes")) : null, body);
}

function swatch(run) {
  const made = element("span", "swatch");
  made.style.background = colour(run.name);
  return made;
}
