// A colour for each run: by the order in which runs began, so that it stays when others come, and of a lightness
// that stands out from the page (3:1 at least, tested).
const GOLDEN = 137.508;
const given = new Map();

/** sRGB of a colour in OKLCH. */
function rgb(l, c, h) {
  const a = c * Math.cos(h * Math.PI / 180);
  const b = c * Math.sin(h * Math.PI / 180);
  const [x, y, z] = [l + 0.3963377774 * a + 0.2158037573 * b, l - 0.1055613458 * a - 0.0638541728 * b,
    l - 0.0894841775 * a - 1.291485548 * b].map((v) => v ** 3);
  return [4.0767416621 * x - 3.3077115913 * y + 0.2309699292 * z, -1.2684380046 * x + 2.6097574011 * y - 0.3413193965 * z,
    -0.0041960863 * x - 0.7034186147 * y + 1.707614701 * z];
}

const gamma = (v) => v <= 0.0031308 ? 12.92 * v : 1.055 * v ** (1 / 2.4) - 0.055;
const linear = (v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;

function hex(l, c, h) {
  return "#" + rgb(l, c, h).map((v) => Math.round(255 * gamma(Math.max(0, Math.min(1, v)))))
    .map((v) => v.toString(16).padStart(2, "0")).join("");
}

function luminance(colour) {
  const [r, g, b] = [1, 3, 5].map((i) => linear(parseInt(colour.slice(i, i + 2), 16) / 255));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

/** The contrast of two colours as WCAG 2 has it. */
export function contrast(one, other) {
  const [a, b] = [luminance(one), luminance(other)].sort((x, y) => y - x);
  return (a + 0.05) / (b + 0.05);
}

const isDark = () => document.documentElement.dataset.theme === "dark";

/** The n-th colour; hues go on by the golden angle, so that neighbours in time differ most. */
export function nth(n, dark = isDark()) {
  const card = dark ? "#1b212a" : "#ffffff";
  const hue = (255 + n * GOLDEN) % 360;
  const chroma = n % 3 === 1 ? 0.11 : 0.16;
  let light = (dark ? 0.72 : 0.55) + (n % 3 - 1) * 0.04;
  while (contrast(hex(light, chroma, hue), card) < 3.2) {
    light += dark ? 0.01 : -0.01;
  }
  return hex(light, chroma, hue);
}

/** Gives each run its place; runs by when they began. */
export function arrange(runs) {
  given.clear();
  [...runs].sort((a, b) => a.started - b.started || (a.name < b.name ? -1 : 1))
    .forEach((run, i) => given.set(run.name, { index: i, own: run.colour }));
}

export function colour(name) {
  const at = given.get(name) ?? { index: 0 };
  return at.own || nth(at.index);
}
