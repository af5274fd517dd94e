// Markdown as runs write it: tables, bold words; everything else as it stands.
import { element } from "../app/dom.js";

export function markdown(text) {
  const parts = [];
  let rows = [];
  let plain = [];
  const table = () => {
    if (rows.length > 0) {
      const lines = rows.filter((r) => !/^[|\s:-]+$/.test(r)).map((r, i) => element("tr", "",
        ...r.replace(/^\||\|$/g, "").split("|").map((c) => element(i === 0 ? "th" : "td", "", c.trim()))));
      parts.push(element("div", "scroll", element("table", "", ...lines)));
      rows = [];
    }
  };
  const flush = () => {
    if (plain.join("").trim()) {
      const block = element("div", "text");
      block.dir = "auto";
      plain.join("\n").trim().split(/\*\*/).forEach((piece, i) => block.append(i % 2 ? element("b", "", piece) : piece));
      parts.push(block);
    }
    plain = [];
  };
  for (const line of text.split("\n")) {
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
