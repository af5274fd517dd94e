// A record's text with each token's loss as its colour.
import { element } from "../app/dom.js";
import { loss } from "../app/format.js";

const STRONG = 6; // nats: a token that was given a probability of a quarter of a percent
const NAMED = 3;

/** A loss as a share of the strongest colour. */
const share = (x) => Math.round(100 * Math.max(0, Math.min(1, x / STRONG)));

function chance(x) {
  const p = 100 * Math.exp(-x);
  return p >= 0.01 ? +p.toPrecision(2) + " %" : "less than 0.01 %";
}

/** {pieces, losses, step}: what the run kept of it. */
export function tokens({ pieces, losses, step }) {
  const text = element("pre", "tokens", ...pieces.map((piece, i) => {
    const made = element("span", losses[i] === null ? "prompt" : "token", piece);
    if (losses[i] !== null) {
      made.style.setProperty("--heat", share(losses[i]) + "%");
      made.title = `loss ${loss(losses[i])}: given ${chance(losses[i])}`;
    }
    return made;
  }));
  text.dir = "auto";
  const worst = losses.map((x, i) => [x, i]).filter(([x]) => x !== null).sort(([a], [b]) => b - a).slice(0, NAMED);
  return element("div", "", text, element("p", "hint",
    `At step ${step}. Hardest: ` + worst.map(([x, i]) => `“${pieces[i].trim() || "⏎"}” ${loss(x)}`).join(", ") + ". ", scale()));
}

/** What the colours mean. */
function scale() {
  return element("span", "token-scale", "loss 0 ", ...[0, 20, 40, 60, 80, 100].map((heat) => {
    const box = element("span", "token", "\u00a0\u00a0");
    box.style.setProperty("--heat", heat + "%");
    return box;
  }), ` ${STRONG} and more; grey is not learnt`);
}
