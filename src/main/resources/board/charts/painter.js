// Two ways to paint the same chart: on the screen, and into an SVG file.

export class Screen {
  constructor(canvas, width, height) {
    const ratio = devicePixelRatio || 1;
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    this.context = canvas.getContext("2d");
    this.context.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.context.clearRect(0, 0, width, height);
  }

  clip(x, y, width, height, inside) {
    this.context.save();
    this.context.beginPath();
    this.context.rect(x, y, width, height);
    this.context.clip();
    inside();
    this.context.restore();
  }

  /** Pieces of a line: lists of points. */
  line(pieces, { colour, width = 1, dash = [], alpha = 1 }) {
    const c = this.context;
    c.globalAlpha = alpha;
    c.strokeStyle = colour;
    c.lineWidth = width;
    c.lineJoin = "round";
    c.setLineDash(dash);
    c.beginPath();
    for (const points of pieces) {
      points.forEach(([x, y], i) => i ? c.lineTo(x, y) : c.moveTo(x, y));
    }
    c.stroke();
    c.globalAlpha = 1;
    c.setLineDash([]);
  }

  shape(points, { colour, alpha = 1, edge }) {
    const c = this.context;
    c.globalAlpha = alpha;
    c.fillStyle = colour;
    c.beginPath();
    points.forEach(([x, y], i) => i ? c.lineTo(x, y) : c.moveTo(x, y));
    c.closePath();
    c.fill();
    if (edge) {
      c.strokeStyle = edge;
      c.lineWidth = 1.5;
      c.stroke();
    }
    c.globalAlpha = 1;
  }

  dot(x, y, radius, colour, alpha = 1) {
    const c = this.context;
    c.globalAlpha = alpha;
    c.fillStyle = colour;
    c.beginPath();
    c.arc(x, y, radius, 0, 2 * Math.PI);
    c.fill();
    c.globalAlpha = 1;
  }

  text(x, y, words, { colour, align = "left", size = 12 }) {
    const c = this.context;
    c.font = `${size}px system-ui, "DejaVu Sans", sans-serif`;
    c.fillStyle = colour;
    c.textAlign = align;
    c.textBaseline = "middle";
    c.fillText(words, x, y);
  }
}

const escaped = (text) => String(text).replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);
const n = (x) => +x.toFixed(2);

export class Svg {
  constructor(width, height, back) {
    this.parts = [`<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" `
      + `viewBox="0 0 ${width} ${height}" font-family="system-ui, sans-serif"><rect width="100%" height="100%" fill="${back}"/>`];
    this.clips = 0;
  }

  clip(x, y, width, height, inside) {
    const id = "c" + ++this.clips;
    this.parts.push(`<clipPath id="${id}"><rect x="${n(x)}" y="${n(y)}" width="${n(width)}" height="${n(height)}"/></clipPath>`
      + `<g clip-path="url(#${id})">`);
    inside();
    this.parts.push("</g>");
  }

  line(pieces, { colour, width = 1, dash = [], alpha = 1 }) {
    const d = pieces.map((points) => points.map(([x, y], i) => `${i ? "L" : "M"}${n(x)} ${n(y)}`).join("")).join("");
    this.parts.push(`<path d="${d}" fill="none" stroke="${colour}" stroke-width="${width}" stroke-opacity="${alpha}" `
      + `stroke-linejoin="round" stroke-dasharray="${dash.join(" ")}"/>`);
  }

  shape(points, { colour, alpha = 1, edge }) {
    this.parts.push(`<polygon points="${points.map(([x, y]) => n(x) + "," + n(y)).join(" ")}" fill="${colour}" `
      + `fill-opacity="${alpha}"${edge ? ` stroke="${edge}"` : ""}/>`);
  }

  dot(x, y, radius, colour, alpha = 1) {
    this.parts.push(`<circle cx="${n(x)}" cy="${n(y)}" r="${radius}" fill="${colour}" fill-opacity="${alpha}"/>`);
  }

  text(x, y, words, { colour, align = "left", size = 12 }) {
    const anchor = { left: "start", center: "middle", right: "end" }[align];
    this.parts.push(`<text x="${n(x)}" y="${n(y)}" fill="${colour}" text-anchor="${anchor}" font-size="${size}" `
      + `dominant-baseline="middle">${escaped(words)}</text>`);
  }

  end() {
    return this.parts.join("") + "</svg>";
  }
}
