// Starting runs: a form made of the catalogue of settings, and the queue.
import { button, element, select } from "../app/dom.js";
import { act, ask, post } from "../app/server.js";
import { all, facts } from "../runs/store.js";

const FIRST = ["task_type", "base_model", "metadata_path", "output_dir", "learning_rate", "lora_rank", "epochs", "max_steps",
  "batch_size", "validation_fraction", "eval_steps", "save_steps", "sample_steps", "sample_prompts"];
let fields = null;
let values = {};
let parts = null;
let pending;

export async function start(root) {
  if (!parts) {
    parts = { form: element("div"), queue: element("div") };
    root.replaceChildren(element("article", "card", element("h2", "", "Start a run"), parts.form),
      element("article", "card", element("h2", "", "Queue"), parts.queue));
    fields = await ask("form");
    values = { output_dir: facts.root + "/" };
    drawForm();
  }
  drawQueue();
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
      drawQueue();
    }
  }, "strong");
  const from = select("Settings of", [["", "the defaults"], ...all().filter((r) => r.ours).map((r) => [r.name, r.name])], "", (name) => {
    const run = all().find((r) => r.name === name);
    values = { output_dir: facts.root + "/", ...settingsOf(run) };
    drawForm();
  });
  parts.form.replaceChildren(element("label", "inline", "Begin with ", from), element("div", "fields", ...first.map(field)),
    ...sections.map((s) => element("details", "", element("summary", "", s),
      element("div", "fields", ...rest.filter((f) => f.section === s).map(field)))),
    parts.problem, element("div", "row", parts.go));
  check();
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
    if (f.name === "task_type") { drawForm(); } else { clearTimeout(pending); pending = setTimeout(check, 250); }
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
  try {
    const answer = await post("do/check", { settings: cleaned() });
    parts.problem.textContent = answer.problem ?? "";
    parts.go.disabled = Boolean(answer.problem);
  } catch (e) {
    parts.problem.textContent = e.message;
  }
}

async function drawQueue() {
  const jobs = await ask("jobs");
  parts.queue.replaceChildren(...(jobs.length ? jobs.map((job) => element("details", "job",
    element("summary", "", element("span", "state " + job.state, job.state), " ", job.title,
      job.state === "failed" ? ` (exit code ${job.exit})` : ""),
    job.state === "waiting" ? button("Take out", async () => { await act("cancel", { id: job.id }); drawQueue(); }) : null,
    element("pre", "", job.output || "nothing printed yet"))) : [element("p", "hint",
    "Nothing waits. Runs that are added here train one after the other, also when this page is closed.")]));
}
