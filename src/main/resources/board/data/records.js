// Records: the ones of a step, and what a record is.
import { dialog, element } from "../app/dom.js";
import { loss } from "../app/format.js";
import { ask } from "../app/server.js";
import { tokens } from "./tokens.js";

const opened = new Set(); // stay so when the table is made anew

/** A table of records that open on demand. */
export function recordTable(run, records, more = []) {
  return element("div", "", ...records.map((r) => {
    const body = element("div", "record");
    const line = element("details", "", element("summary", "", element("b", "", loss(r.last)), " ",
      element("span", "wide", r.record.split("/").pop()),
      element("span", "hint", ...more.map((of) => "  " + of(r)))), body);
    const key = run.name + "\n" + r.record;
    line.addEventListener("toggle", () => {
      if (line.open) {
        opened.add(key);
        if (!body.firstChild) { fill(body, run, r.record); }
      } else {
        opened.delete(key);
      }
    });
    line.open = opened.has(key);
    return line;
  }));
}

async function fill(body, run, record) {
  try {
    const content = await ask("record", { run: run.name, record });
    if (content.picture) {
      const image = element("img");
      image.src = "api/picture?" + new URLSearchParams({ run: run.name, record });
      image.alt = content.caption || record;
      body.append(image, element("p", "", content.caption || "no caption"));
    } else if (content.tokens) {
      body.append(tokens(content.tokens));
    } else {
      body.append(content.why ? element("p", "hint", content.why) : pretty(content.text));
    }
    body.append(element("p", "hint", record));
  } catch (e) {
    body.append(element("p", "error", e.message));
  }
}

/** A record of JSON by its fields, anything else as it stands. */
function pretty(text) {
  let shown = text;
  try {
    shown = JSON.stringify(JSON.parse(text), null, 2).replaceAll("\\n", "\n");
  } catch {
    // no JSON
  }
  return element("pre", "", shown);
}

/** The records of a training step, the hardest first. */
export async function records(run, step) {
  try {
    const answer = await ask("step", { run: run.name, step });
    dialog(`${run.name}: records of step ${step}`, answer.records.length ? recordTable(run, answer.records)
      : element("p", "hint", "Its losses of single records are not kept (logs/record_losses.jsonl)."));
  } catch (e) {
    dialog(`Records of step ${step}`, element("p", "error", e.message));
  }
}
