// Data: the hardest records of each run, and those that were met again and not learnt.
import { breakable, element, keep, none } from "../app/dom.js";
import { loss } from "../app/format.js";
import { ask } from "../app/server.js";
import { shown } from "../runs/store.js";
import { recordTable } from "./records.js";

const FEW = 6;

export async function data(root) {
  const runs = shown().filter((run) => run.ours).slice(0, FEW);
  await keep(root, JSON.stringify(runs.map((run) => [run.name, run.records_at, run.state])), async (late) => {
    const all = await Promise.all(runs.map(async (run) => ({ run, of: await ask("records", { run: run.name }) })));
    if (late()) {
      return;
    }
    const cards = all.filter(({ of }) => of.count > 0).map(({ run, of }) => element("article", "card",
      element("h3", "", breakable(run.name)), element("p", "hint", `${of.count === 1 ? "1 record" : of.count + " records"} met, ${of.again} more than once`),
      element("h4", "", "Hardest when last met"),
      recordTable(run, of.hardest, [(r) => `mean ${loss(r.mean)}`, (r) => `met ${r.count}×, last at step ${r.last_step}`]),
      element("h4", "", "Met again and not learnt"),
      of.never.length ? recordTable(run, of.never, [(r) => `mean ${loss(r.mean)}`, (r) => `met ${r.count}×`])
        : element("p", "hint", of.again ? "None." : "No record was met twice yet.")));
    root.replaceChildren(...(cards.length ? cards : [none("losses of records", "Training writes logs/records.jsonl.")]));
  });
}
