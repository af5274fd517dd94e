// The queue: what runs and waits, what it printed. Entries are changed in place: one that is open stays so.
import { button, element } from "../app/dom.js";
import { act, ask } from "../app/server.js";

const entries = new Map();

function entry(root, job, readOnly) {
  const state = element("span");
  const words = element("span");
  const out = button("Take out", async () => {
    await act("cancel", { id: job.id });
    queue(root, readOnly);
  });
  const output = element("pre");
  const made = element("details", "job", element("summary", "", state, " ", words), element("p", "hint", job.command), output);
  return { root: element("div", "job-line", made, readOnly ? null : out), state, words, out, output };
}

function update(e, job) {
  e.state.className = "state " + job.state;
  e.state.textContent = job.state;
  e.words.textContent = job.title + (job.state === "failed" && job.exit > 0 ? ` (exit code ${job.exit})` : "");
  e.out.hidden = job.state !== "waiting";
  const text = job.output || "nothing printed yet";
  if (e.output.textContent !== text) {
    const end = e.output.scrollTop + e.output.clientHeight >= e.output.scrollHeight - 4;
    e.output.textContent = text;
    if (end) { e.output.scrollTop = e.output.scrollHeight; } // as a terminal does
  }
}

/** Brings it up to date. */
export async function queue(root, readOnly) {
  const jobs = await ask("jobs");
  for (const [id, e] of entries) {
    if (!jobs.some((job) => job.id === id)) {
      e.root.remove();
      entries.delete(id);
    }
  }
  root.querySelector(":scope > .hint")?.remove();
  if (jobs.length === 0) {
    root.append(element("p", "hint", "Nothing waits. Runs that are added here train one after the other, also when this page is "
      + "closed; a board that is started again goes on with them."));
  }
  for (const job of jobs) {
    if (!entries.has(job.id)) {
      const e = entry(root, job, readOnly);
      entries.set(job.id, e);
      root.append(e.root);
    }
    update(entries.get(job.id), job);
  }
}
