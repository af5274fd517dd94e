// A run by itself: what a person says of it, what can be asked of it, all its settings.
import { button, dialog, element } from "../app/dom.js";
import { colour } from "../app/colour.js";
import { duration } from "../app/format.js";
import { act } from "../app/server.js";
import { facts, find } from "./store.js";

let renewed = () => {};

/** Brings the open one, if one is, up to date. */
export const renew = () => renewed();

/** What can be asked of a run as it is now. */
function actions(run) {
  const asked = (text, what) => button(text, () => act("ask", { run: run.name, what }));
  return run.state === "running" ? [asked("Stop", "stop"), asked("Save now", "save"), asked("Sample now", "sample")]
    : [button("Resume", () => act("resume", { run: run.name }))];
}

const told = (run) => [["folder", run.folder], ["state", run.state + (run.message ? ": " + run.message : "")],
  ["step", run.total ? `${run.step} of ${run.total}` : run.step], ["began", run.started ? new Date(run.started * 1000).toLocaleString() : "–"],
  ["trained for", duration(run.seconds)], ["checkpoints", run.checkpoints.join(", ") || "none"], ...run.damage.map((d) => ["damage", d])];

const table = (pairs) => element("table", "pairs", ...pairs.map(([k, v]) => element("tr", "", element("th", "", k),
  element("td", "", String(v ?? "–")))));

export function details(run) {
  const mark = (what) => act("marks", { run: run.name, ...what });
  const note = element("textarea");
  note.rows = 2;
  note.value = run.note ?? "";
  note.addEventListener("change", () => mark({ note: note.value }));
  const labels = element("input");
  labels.value = (run.labels ?? []).join(", ");
  labels.addEventListener("change", () => mark({ labels: labels.value.split(",").map((l) => l.trim()).filter(Boolean) }));
  const tint = element("input");
  tint.type = "color";
  tint.value = colour(run.name);
  tint.addEventListener("change", () => mark({ colour: tint.value }));
  const pin = element("input");
  pin.type = "checkbox";
  pin.checked = run.pinned === true;
  pin.addEventListener("change", () => mark({ pinned: pin.checked }));
  const doing = element("div", "row");
  const rows = element("div");
  const findings = element("div");
  let state = null;
  renewed = () => {
    const now = find(run.name) ?? run;
    if (!facts.readOnly && now.ours && now.state !== state) {
      state = now.state;
      doing.replaceChildren(...actions(now));
    }
    rows.replaceChildren(table(told(now)));
    findings.replaceChildren(...now.findings.map((f) => element("p", f.severity, `${f.title} from step ${f.step}: ${f.evidence}. ${f.advice}.`)));
  };
  renewed();
  const box = dialog(run.name, doing,
    facts.readOnly ? null : element("div", "form", element("label", "", "Note", note),
      element("label", "", "Labels, by commas", labels), element("label", "inline", "Colour", tint),
      element("label", "inline", pin, "Pinned")),
    rows, findings, element("h3", "", "Settings"), table(Object.entries(run.settings)));
  box.addEventListener("close", () => { renewed = () => {}; });
}
