// A chart as a file.
import { css, element } from "../app/dom.js";
import { layout, paint } from "./paint.js";
import { Svg } from "./painter.js";

const WIDTH = 960;
const HEIGHT = 420;
const LINE = 18;

function svg(chart) {
  const legend = chart.model.series.slice(0, 40);
  const p = new Svg(WIDTH, HEIGHT + 30 + LINE * legend.length, css("--card"));
  const text = css("--text");
  const at = layout(chart.model, WIDTH, HEIGHT);
  paint(p, chart.model, at, chart.look());
  p.text(WIDTH / 2, 9, chart.card.title, { colour: text, align: "center", size: 13 });
  legend.forEach((s, i) => {
    const y = HEIGHT + 18 + LINE * i;
    p.line([[[at.area.x, y], [at.area.x + 26, y]]], { colour: s.colour, width: 2, dash: s.dash });
    p.text(at.area.x + 34, y, s.run.name + (s.label ? ` (${s.label})` : ""), { colour: text });
  });
  return p.end();
}

/** A line for each bucket that is shown. */
function csv(chart) {
  const quoted = (text) => `"${String(text).replaceAll('"', '""')}"`;
  const lines = [`run,tag,step,${quoted(chart.model.axis)},value,lowest,highest`];
  for (const s of chart.model.series) {
    for (let i = s.from; i < s.to; i++) {
      lines.push([quoted(s.run.name), quoted(s.tag), s.steps[i], s.x[i], s.y[i] ?? "", s.low[i] ?? "", s.high[i] ?? ""].join(","));
    }
  }
  return lines.join("\n") + "\n";
}

function download(blob, name) {
  const link = element("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

/** Saves it as PNG, SVG or CSV. */
export function save(chart, kind) {
  if (!chart.model) {
    return;
  }
  const name = chart.card.title.replace(/[^\w.-]+/g, "-") + "." + kind.toLowerCase();
  if (kind === "CSV") {
    download(new Blob([csv(chart)], { type: "text/csv" }), name);
  } else if (kind === "SVG") {
    download(new Blob([svg(chart)], { type: "image/svg+xml" }), name);
  } else {
    const image = new Image();
    image.onload = () => {
      const canvas = element("canvas");
      canvas.width = image.width * 2;
      canvas.height = image.height * 2;
      canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
      canvas.toBlob((blob) => download(blob, name), "image/png");
    };
    image.src = "data:image/svg+xml;charset=utf-8," + encodeURIComponent(svg(chart));
  }
}
