// Starting runs: a form made of the catalogue of settings, and the queue.
import { button, element, select } from "../app/dom.js";
import { act, ask, post } from "../app/server.js";
import { queue } from "./queue.js";
import { all, facts } from "../runs/store.js";

const FIRST = ["task_type", "base_model", "metadata_path", "output_dir", "learning_rate", "lora_rank", "epochs", "max_steps",
  "batch_size", "validation_fraction", "eval_steps", "save_steps", "sample_steps", "sample_prompts"];
let fields = null;
let values = {};
let parts = null;
let pending;
let checks = 0;
const opened = new Set(); // titles of sections

export async function start(root) {
  if (!parts) {
    parts = { form: element("div"), queue: element("div") };
    root.replaceChildren(element("article", "card", element("h2", "", "Start a run"), parts.form),
      element("article", "card", element("h2", "", "Queue"), parts.queue));
    fields = await ask("form");
    values = { output_dir: facts.root + "/" };
    drawForm();
  }
  queue(parts.queue, facts.readOnly);
}

function task() {
  return ["sd", "text-to-image"].includes(values.task_type) ? "sd" : "llm";
}

function drawForm() {
  if (facts.readOnly) {
    parts.form.replaceChildren(element("p", "hint", "This board was started with --read-only."));
    return;
  }
  const own = fields.filter((f) => task() in f.defaults);
  const first = FIRST.map((name) => own.find((f) => f.name === name)).filter(Boolean);
  const rest = own.filter((f) => !FIRST.includes(f.name));
  const sections = [...new Set(rest.map((f) => f.section))];
  parts.problem = element("p", "problem");
  parts.problem.setAttribute("role", "status");
  parts.go = button("Add to the queue", async () => {
    if (await act("start", { settings: cleaned() })) {
      queue(parts.queue, false);
    }
  }, "strong");
  const from = select("Settings of", [["", "the defaults"], ...all().filter((r) => r.ours).map((r) => [r.name, r.name])], "", (name) => {
    const run = all().find((r) => r.name === name);
    values = { output_dir: facts.root + "/", ...settingsOf(run) };
    drawForm();
  });
  parts.form.replaceChildren(element("label", "inline", "Begin with ", from), element("div", "fields", ...first.map(field)),
    ...sections.map((s) => section(s, rest.filter((f) => f.section === s))),
    parts.problem, element("div", "row", parts.go));
  check();
}

/** A part of the settings, closed until someone opens it. */
function section(title, own) {
  const made = element("details", "", element("summary", "", title), element("div", "fields", ...own.map(field)));
  made.open = opened.has(title);
  made.addEventListener("toggle", () => made.open ? opened.add(title) : opened.delete(title));
  return made;
}

/** What another run has set, where it is no default. */
function settingsOf(run) {
  const set = {};
  for (const f of fields) {
    const v = run?.settings[f.name];
    if (v !== undefined && v !== "" && v !== "[]" && v !== String(f.defaults[run.task] ?? "")) {
      set[f.name] = v;
    }
  }
  return set;
}

function field(f) {
  const words = f.schema.enum;
  const kind = f.schema.type;
  const set = (v) => {
    values[f.name] = v;
    if (f.name === "task_type") {
      drawForm(); // other settings
      document.getElementById("set-task_type").focus();
    } else { clearTimeout(pending); pending = setTimeout(check, 250); }
  };
  const now = values[f.name] ?? "";
  const usual = f.defaults[task()];
  let control;
  if (words || kind === "boolean") {
    const options = (words ?? ["true", "false"]).map((w) => [String(w), String(w)]);
    control = select(f.name, [["", `default: ${usual}`], ...options], String(now), set);
  } else {
    control = element("input");
    control.value = now;
    control.placeholder = usual || (f.example ? "such as " + f.example : "");
    control.addEventListener("input", () => set(control.value));
  }
  control.id = "set-" + f.name;
  const hint = element("small", "hint", f.meaning);
  hint.title = [f.detail, f.values].filter(Boolean).join("\n");
  return element("label", "", element("span", "", f.name), control, hint);
}

const cleaned = () => Object.fromEntries(Object.entries(values).filter(([name, v]) => v !== ""
  && fields.find((f) => f.name === name && task() in f.defaults)));

/** The reader of configurations itself says what is wrong. */
async function check() {
  const turn = ++checks;
  try {
    const answer = await post("do/check", { settings: cleaned() });
    if (turn !== checks) {
      return; // something else was typed meanwhile
    }
    parts.problem.textContent = answer.problem ?? "";
    parts.go.disabled = Boolean(answer.problem);
  } catch (e) {
    parts.problem.textContent = e.message;
  }
}
