// What the colors mean: categories with counts, or a bar of values.

const rgbOf = (palette, code) => `rgb(${palette[4 * code]},${palette[4 * code + 1]},${palette[4 * code + 2]})`;

/** Rows of the legend: code, name, number of cells. Missing values come last, if there are any. */
function legendRows(look, counts) {
  const rows = look.labels.map((name, i) => ({ code: i + 1, name, count: counts[i + 1] }));
  if (counts[0]) rows.push({ code: 0, name: look.missing, count: counts[0] });
  return rows;
}

/** What a code stands for, in words. */
function codeText(look, code) {
  if (!code) return look.missing;
  if (!look.scale) return look.labels[code - 1] ?? "";
  return threeDigits(look.scale[0] + ((code - 1) / 254) * (look.scale[1] - look.scale[0]));
}

/** Fill the legend. `toggle(code)` hides or shows a category, `isolate(code)` shows it alone. */
function fillLegend(legend, look, { palette, counts, hidden, toggle, isolate }) {
  const top = legend.scrollTop;
  legend.replaceChildren();
  if (look.title) legend.append(element("div", "title", look.title));
  if (look.scale) legend.append(colorBar(look, palette));
  for (const { code, name, count } of legendRows(look, counts)) {
    const row = element("button");
    const dot = element("i");
    row.type = "button";
    row.title = `${name}: ${withCommas(count)} cells. Click hides or shows, double click shows it alone.`;
    row.dataset.code = code;
    row.setAttribute("aria-pressed", String(!hidden.has(code)));
    dot.style.background = rgbOf(palette, code);
    row.append(dot, element("span", "name", name), element("span", "count", withCommas(count)));
    row.onclick = () => toggle(code);
    row.ondblclick = () => isolate(code);
    legend.append(row);
  }
  legend.scrollTop = top;
}

/** A vertical bar of the palette with values at its ends and in the middle. */
function colorBar(look, palette) {
  const bar = element("div", "scale"), colors = element("div"), ticks = element("div", "ticks");
  const stops = [...Array(17).keys()].map((i) => rgbOf(palette, 1 + Math.round((i * 254) / 16)));
  colors.style.background = `linear-gradient(to top, ${stops.join()})`;
  const [low, high] = look.scale;
  for (const value of [high, (low + high) / 2, low]) ticks.append(element("span", "", threeDigits(value)));
  bar.append(colors, ticks);
  return bar;
}
