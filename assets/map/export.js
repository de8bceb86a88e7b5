// The current view as a file, on white, with legend and caption.

const MOST_CIRCLES = 50000;
const LEGEND_WIDTH = 190;
const FOOT = 28;
const INK = "#31333f";
const PAPER = "#ffffff";

const escaped = (text) => text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);
const words = (x, y, text, extra = "") => `<text x="${x}" y="${y}" ${extra}>${escaped(text)}</text>`;

/** Each visible cell as a circle, in drawing order; null if there are too many. */
function circles(view, frame, radius) {
  const { xy, codes, palette, rows, mask } = view.cells();
  const dim = dimColor(PAPER, INK), grey = `rgb(${dim.slice(0, 3).map((value) => Math.round(value * 255))})`;
  const parts = [];
  for (const row of rows) {
    const x = frame.x(xy[2 * row]), y = frame.y(xy[2 * row + 1]);
    if (!palette[4 * codes[row] + 3] || x < 0 || y < 0 || x > frame.width || y > frame.height) continue;
    if (parts.length === MOST_CIRCLES) return null;
    const fill = mask && !mask[row] ? `${grey}" fill-opacity="${dim[3]}` : rgbOf(palette, codes[row]);
    parts.push(`<circle cx="${x.toFixed(2)}" cy="${y.toFixed(2)}" r="${radius.toFixed(2)}" fill="${fill}"/>`);
  }
  return parts.join("");
}

/** Legend as SVG; its height tells how tall the file must be. */
function legendPicture(view, x) {
  const { look, palette, counts, hidden } = view.cells();
  const parts = look.title ? [words(x, 20, look.title, 'font-weight="600"')] : [];
  let y = 32;
  if (look.scale) {
    for (let i = 0; i < 128; i++) {
      parts.push(`<rect x="${x}" y="${y + i * 1.25}" width="14" height="1.6" fill="${rgbOf(palette, 255 - 2 * i)}"/>`);
    }
    const [low, high] = look.scale;
    [high, (low + high) / 2, low].forEach((value, i) => parts.push(words(x + 22, y + 5 + i * 77, threeDigits(value))));
    y += 185;
  }
  if (look.pair) {
    const { levels, names, scales } = look.pair, step = 84 / levels;
    for (let code = 1; code <= levels * levels; code++) {
      const [right, up] = levelsOf(look.pair, code);
      parts.push(`<rect x="${(x + right * step).toFixed(1)}" y="${(y + (levels - 1 - up) * step).toFixed(1)}" width="${step + .3}" height="${step + .3}" fill="${rgbOf(palette, code)}"/>`);
    }
    names.forEach((name, i) => parts.push(words(x, y + 100 + 16 * i, `${"→↑"[i]} ${name} ${scales[i].map(threeDigits).join(" to ")}`)));
    y += 140;
  }
  for (const { code, name, count } of legendRows(look, counts)) {
    if (hidden.has(code)) continue;
    const short = name.length > 20 ? `${name.slice(0, 19)}…` : name;
    parts.push(`<circle cx="${x + 5}" cy="${y + 4}" r="5" fill="${rgbOf(palette, code)}"/>`);
    parts.push(words(x + 17, y + 8, short), words(x + LEGEND_WIDTH - 16, y + 8, withCommas(count), 'text-anchor="end" fill-opacity=".6"'));
    y += 18;
  }
  return { parts: parts.join(""), height: y + 8 };
}

/** The view as SVG. As vectors each cell is a circle; beyond 50,000 cells they are an image, and the file says so. */
function pictureOf(view, { vector }) {
  const frame = view.frame(), legend = legendPicture(view, frame.width + 14);
  const drawn = vector ? circles(view, frame, view.radius()) : null;
  const cells = drawn ?? `<image width="${frame.width}" height="${frame.height}" href="${view.snapshot(2, dimColor(PAPER, INK))}"/>`;
  const note = vector && drawn === null ? `  (more than ${withCommas(MOST_CIRCLES)} cells in view: drawn as an image)` : "";
  const width = frame.width + LEGEND_WIDTH + 14, height = Math.max(frame.height + FOOT, legend.height);
  const text = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" `
    + `font-family="Helvetica, Arial, sans-serif" font-size="12" fill="${INK}"><rect width="${width}" height="${height}" fill="${PAPER}"/>`
    + `<clipPath id="stage"><rect width="${frame.width}" height="${frame.height}"/></clipPath><g clip-path="url(#stage)">${cells}</g>`
    + legend.parts + words(8, frame.height + 18, view.cells().look.caption + note, 'fill-opacity=".75"') + "</svg>";
  return { text, width, height };
}

function download(blob, name) {
  const link = element("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

function downloadVector(view, name) {
  download(new Blob([pictureOf(view, { vector: true }).text], { type: "image/svg+xml" }), `${name}.svg`);
}

/** The same picture at twice the resolution of the page. */
async function downloadPicture(view, name) {
  const { text, width, height } = pictureOf(view, { vector: false });
  const image = new Image(), canvas = element("canvas");
  image.src = URL.createObjectURL(new Blob([text], { type: "image/svg+xml" }));
  await image.decode();
  Object.assign(canvas, { width: 2 * width, height: 2 * height });
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
  URL.revokeObjectURL(image.src);
  canvas.toBlob((blob) => download(blob, `${name}.png`), "image/png");
}
