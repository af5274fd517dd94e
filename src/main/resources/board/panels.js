// Pictures and texts over time, and the table of settings.
import { ask, colour, element, shown } from "./board.js";

/** A slider over sorted numbers; says which one is chosen. */
function slider(steps, label, chosen) {
  const input = element("input");
  input.type = "range";
  input.min = 0;
  input.max = Math.max(0, steps.length - 1);
  input.value = input.max;
  input.setAttribute("aria-label", "step of " + label);
  const value = element("output");
  const tell = () => {
    value.textContent = "step " + steps[input.value];
    chosen(steps[input.value]);
  };
  input.addEventListener("input", tell);
  tell();
  return element("div", "slider", input, value);
}

/** The index of the last step at or before one; the first if there is none. */
function before(steps, step) {
  let found = 0;
  steps.forEach((s, i) => { found = s <= step ? i : found; });
  return found;
}

/** Draws only what differs from what is there, so that a slider stays where it is. */
export function keep(root, key, make) {
  if (root.dataset.key !== key) {
    root.dataset.key = key;
    make();
  }
}

export const none = (what, how) => element("p", "card", `No ${what} in the runs that are shown. ${how}`);

export async function pictures(root) {
  const runs = shown().filter((run) => run.images.length > 0);
  const key = JSON.stringify(runs.map((run) => [run.name, run.images]));
  keep(root, key, async () => {
    const all = await Promise.all(runs.map(async (run) => ({ run, tags: await ask("images", { run: run.name }) })));
    const tags = [...new Set(all.flatMap(({ tags }) => Object.keys(tags)))];
    root.replaceChildren(...tags.map((tag) => {
      const having = all.filter(({ tags }) => tags[tag]);
      const steps = [...new Set(having.flatMap(({ tags }) => tags[tag]))].sort((a, b) => a - b);
      const frames = having.map(({ run, tags }) => {
        const image = element("img");
        image.alt = `${tag} of ${run.name}`;
        const caption = element("figcaption");
        return { run, own: tags[tag], image, caption };
      });
      const choose = (step) => frames.forEach(({ run, own, image, caption }) => {
        const index = before(own, step);
        image.src = "api/image?" + new URLSearchParams({ run: run.name, tag, index });
        caption.textContent = `${run.name}, step ${own[index]}`;
      });
      return element("div", "card", element("h2", "", tag), slider(steps, tag, choose),
        element("div", "pictures", ...frames.map((f) => element("figure", "", f.image, f.caption))));
    }));
    if (tags.length === 0) {
      root.replaceChildren(none("pictures", "sample_steps and sample_prompts draw some while training."));
    }
  });
}

/** Markdown as runs write it: tables, bold words; everything else as it stands. */
function markdown(text) {
  const lines = text.split("\n");
  const parts = [];
  let rows = [];
  const table = () => {
    if (rows.length > 0) {
      const body = element("table");
      rows.filter((r) => !/^[|\s:-]+$/.test(r)).forEach((r, i) => {
        const cells = r.replace(/^\||\|$/g, "").split("|").map((c) => element(i === 0 ? "th" : "td", "", c.trim()));
        body.append(element("tr", "", ...cells));
      });
      parts.push(element("div", "scroll", body));
      rows = [];
    }
  };
  let plain = [];
  const flush = () => {
    if (plain.join("").trim()) {
      const block = element("div", "text");
      plain.join("\n").trim().split(/\*\*/).forEach((piece, i) =>
        block.append(i % 2 ? element("b", "", piece) : piece));
      parts.push(block);
    }
    plain = [];
  };
  for (const line of lines) {
    if (line.startsWith("|")) {
      flush();
      rows.push(line.trim());
    } else {
      table();
      plain.push(line);
    }
  }
  table();
  flush();
  return parts;
}

export async function texts(root) {
  const runs = shown().filter((run) => run.texts > 0);
  keep(root, JSON.stringify(runs.map((run) => [run.name, run.texts, run.points])), async () => {
    const all = await Promise.all(runs.map(async (run) => ({ run, tags: await ask("texts", { run: run.name }) })));
    const cards = [];
    const order = (tag) => tag.startsWith("samples") ? 0 : tag.startsWith("doctor") ? 1 : 2;
    const tags = [...new Set(all.flatMap(({ tags }) => Object.keys(tags)))]
      .sort((a, b) => order(a) - order(b) || (a < b ? -1 : 1));
    for (const tag of tags) {
      const having = all.filter(({ tags }) => tags[tag]);
      const steps = [...new Set(having.flatMap(({ tags }) => tags[tag].map((t) => t.step)))].sort((a, b) => a - b);
      const places = having.map(({ run, tags }) => {
        const name = element("h2", "", run.name);
        name.style.color = colour(run.name);
        return { own: tags[tag], name, text: element("div") };
      });
      const choose = (step) => places.forEach(({ own, text }) =>
        text.replaceChildren(...markdown(own[before(own.map((t) => t.step), step)].text)));
      cards.push(element("div", "card", element("h2", "", tag), slider(steps, tag, choose),
        ...places.flatMap((p) => [having.length > 1 ? p.name : null, p.text])));
    }
    root.replaceChildren(...cards);
    if (cards.length === 0) {
      root.replaceChildren(none("texts", "sample_steps and sample_prompts write some while training."));
    }
  });
}

let sorted = { column: null, up: true };

export async function settings(root) {
  const names = new Set(shown().map((run) => run.name));
  const table = await ask("settings");
  const rows = table.runs.filter((row) => names.has(row.name));
  keep(root, JSON.stringify([table.settings, table.metrics, rows, sorted]), () => draw(root, table, rows));
}

function draw(root, table, rows) {
  const columns = [["run", (r) => r.name], ["verdict", (r) => r.verdict],
    ...table.metrics.map((m) => [m, (r) => r.metrics[m]]), ...table.settings.map((s) => [s, (r) => r.settings[s]])];
  const value = (v) => v !== undefined && v !== "" && !isNaN(v) ? Number(v) : v ?? "";
  const chosen = columns.find(([name]) => name === sorted.column);
  if (chosen) {
    const order = (a, b) => typeof a === typeof b ? (a < b ? -1 : a > b ? 1 : 0) : typeof a === "number" ? -1 : 1;
    rows.sort((a, b) => order(value(chosen[1](a)), value(chosen[1](b))) * (sorted.up ? 1 : -1));
  }
  const head = element("tr", "", ...columns.map(([name]) => {
    const button = element("button", "", name + (name === sorted.column ? (sorted.up ? " ▲" : " ▼") : ""));
    button.type = "button";
    button.addEventListener("click", () => {
      sorted = { column: name, up: sorted.column === name ? !sorted.up : true };
      settings(root);
    });
    return element("th", "", button);
  }));
  const body = rows.map((r) => element("tr", "", ...columns.map(([name, of]) => {
    const v = value(of(r));
    const cell = element("td", "", typeof v === "number" ? String(+v.toPrecision(5)) : String(v));
    if (name === "run") {
      cell.style.color = colour(r.name);
    }
    return cell;
  })));
  const plot = element("div");
  plot.id = "parallel";
  root.replaceChildren(
    element("div", "card", element("h2", "", "Settings that differ, and the mean of the last twentieth of each loss"),
      element("div", "scroll", element("table", "", head, ...body))),
    rows.length > 1 ? element("div", "card", element("h2", "", "Parallel coordinates"), plot) : "");
  if (rows.length > 1) {
    parallel(plot, rows, columns.slice(2));
  }
}

/** A word for an axis: the end of a path, not too long. */
function brief(v) {
  const word = String(v ?? "–").split("/").pop();
  return word.length > 16 ? word.slice(0, 15) + "…" : word;
}

/** echarts is large: it is fetched when it is first needed. */
let echartsScript;

export async function echartsLoaded() {
  echartsScript ??= new Promise((done, failed) => {
    const script = element("script");
    script.src = "echarts.js";
    script.onload = done;
    script.onerror = failed;
    document.head.append(script);
  });
  await echartsScript;
}

async function parallel(plot, rows, columns) {
  await echartsLoaded();
  const style = getComputedStyle(document.documentElement);
  const text = style.getPropertyValue("--text").trim();
  const used = columns.filter(([, of]) => rows.some((r) => of(r) !== undefined)).slice(0, 10);
  const axes = used.map(([name, of], dim) => {
    const numeric = rows.every((r) => of(r) === undefined || !isNaN(of(r)));
    const kinds = [...new Set(rows.map((r) => brief(of(r))))].sort();
    const numbers = rows.map((r) => Number(of(r))).filter((v) => !isNaN(v));
    const low = Math.min(...numbers);
    const high = Math.max(...numbers);
    const room = (high - low) * 0.05 || Math.abs(high) * 0.1 || 1;
    return { dim, name, nameTextStyle: { color: text }, axisLabel: { color: text }, axisLine: { lineStyle: { color: text } },
      ...(numeric ? { type: "value", min: low - room, max: high + room,
        axisLabel: { color: text, formatter: (v) => String(+v.toPrecision(3)) } }
        : { type: "category", data: kinds }) };
  });
  const chart = echarts.init(plot);
  chart.setOption({
    animation: false,
    parallelAxis: axes,
    parallel: { left: 60, right: 60, top: 40, bottom: 20 },
    series: rows.map((r) => ({ type: "parallel", lineStyle: { color: colour(r.name), width: 2, opacity: 0.8 },
      name: r.name,
      data: [used.map(([, of], i) => axes[i].type === "category" ? brief(of(r))
        : of(r) === undefined ? "-" : Number(of(r)))] })),
    tooltip: { renderMode: "richText", formatter: (p) => p.seriesName }, // a name is no HTML
  });
  new ResizeObserver(() => chart.resize()).observe(plot);
}
