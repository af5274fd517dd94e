// Which charts there are: the loss first, a chart for each kind of task, then the rest by what they are about.

const BAND = /^(.*)\/(t\d+-\d+)$/; // losses of a band of timesteps
const SECTIONS = [
  ["Quality", /loss|accuracy|perplexity|reward|eval|val|metric|entropy|swapped|probe|memori/i],
  ["Optimizer", /^(train\/)?(lr|learning_rate|grad_norm|norm|optimizer|d\*lr|epoch)|lr\//i],
  ["Adapter", /^adapter\//],
  ["Speed and memory", /^(perf|memory|cpu|gpu|disk|train\/train_|train\/total_flos)/i],
  ["Other", /./],
];
const TASKS = { llm: "language models", sd: "images" };
const DASH = { loss: [], validation: [7, 4], probe: [2, 3] };

/** Measured on the same records each time. */
const MEASURED = /^(Loss\/(val|probe)|eval[/_]loss|val[/_]loss)$/;

/** The cards of these runs, in order: {title, section, series: [{tag, smooth, points, dash, label}]} by key. */
export function cards(runs) {
  const made = [];
  const lossOf = new Set();
  for (const [task, words] of Object.entries(TASKS)) {
    const own = runs.filter((run) => run.task === task && run.loss_tag);
    if (own.length === 0) {
      continue;
    }
    const both = runs.some((run) => run.task && run.task !== task);
    own.forEach((run) => [run.loss_tag, run.validation_tag, "Loss/probe"].forEach((tag) => tag && lossOf.add(tag)));
    made.push({ key: "loss " + task, title: both ? `Loss of ${words}` : "Loss", section: "Loss", wide: true, marks: true,
      runs: (run) => run.task === task,
      series: (run) => [
        { tag: run.loss_tag, smooth: true, dash: DASH.loss, label: "training" },
        { tag: run.validation_tag, points: true, dash: DASH.validation, label: "validation" },
        { tag: "Loss/probe", points: true, dash: DASH.probe, label: "probe" },
      ].filter((s) => s.tag && run.tags.includes(s.tag)) });
  }
  const tags = [...new Set(runs.flatMap((run) => run.tags))].sort();
  const bands = new Map();
  for (const tag of tags) {
    const band = tag.match(BAND);
    if (band) {
      bands.set(band[1], [...(bands.get(band[1]) ?? []), { tag, part: band[2] }]);
    }
  }
  const order = (s) => +s.part.match(/\d+/)[0];
  for (const [name, parts] of bands) {
    parts.sort((a, b) => order(a) - order(b));
    made.push(card(name + " by timesteps", "Quality", (run) => parts.filter((s) => run.tags.includes(s.tag))
      .map((s) => ({ tag: s.tag, points: true, label: s.part, dash: [[], [8, 4], [3, 3], [10, 3, 2, 3]][parts.indexOf(s) % 4] }))));
  }
  for (const tag of tags) {
    if (BAND.test(tag) || lossOf.has(tag)) {
      continue;
    }
    const section = SECTIONS.find(([, pattern]) => pattern.test(tag))[0];
    const measured = MEASURED.test(tag);
    made.push(card(tag, section, (run) => run.tags.includes(tag)
      ? [{ tag, smooth: /loss/i.test(tag) && !measured, points: measured, dash: [], label: "" }] : []));
  }
  const place = (c) => ["Loss", ...SECTIONS.map(([name]) => name)].indexOf(c.section);
  return made.map((c, i) => [c, i]).sort(([a, i], [b, j]) => place(a) - place(b) || i - j).map(([c]) => c);
}

function card(title, section, series) {
  return { key: title, title, section, runs: () => true, series };
}

/** Values that were written once: {tag, values: [[run, value]]}. */
export function figures(runs) {
  const tags = [...new Set(runs.flatMap((run) => Object.keys(run.single)))].sort();
  const curves = new Set(runs.flatMap((run) => run.tags));
  return tags.filter((tag) => !curves.has(tag))
    .map((tag) => ({ tag, values: runs.filter((run) => tag in run.single).map((run) => [run, run.single[tag]]) }));
}
