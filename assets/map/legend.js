// What the colors mean: categories with counts, or a bar of values.

const rgbOf = (palette, code) => `rgb(${palette[4 * code]},${palette[4 * code + 1]},${palette[4 * code + 2]})`;

/** Rows of the legend: code, name, number of cells. Missing values come last, if there are any. */
function legendRows(look, counts) {
  const rows = look.labels.map((name, i) => ({ code: i + 1, name, count: counts[i + 1] }));
  if (counts[0]) rows.push({ code: 0, name: look.missing, count: counts[0] });
  return rows;
}

/** Two values in one code: the place of each on its scale, 0 at the lowest. */
const levelsOf = (pair, code) => [Math.floor((code - 1) / pair.levels), (code - 1) % pair.levels];
const sumOfLevels = (pair, code) => (code ? 1 + levelsOf(pair, code)[0] + levelsOf(pair, code)[1] : 0);

/** Both values of a code, in words. */
function pairText(pair, code) {
  return levelsOf(pair, code).map((level, i) => {
    const [low, high] = pair.scales[i];
    return `${pair.names[i]}: ${threeDigits(low + (level / (pair.levels - 1)) * (high - low))}`;
  }).join("\n");
}

/** What a code stands for, in words. */
function codeText(look, code) {
  if (!code) return look.missing;
  if (look.pair) return pairText(look.pair, code);
  if (!look.scale) return look.labels[code - 1] ?? "";
  return threeDigits(look.scale[0] + ((code - 1) / 254) * (look.scale[1] - look.scale[0]));
}

const SEARCH_FROM = 12;

/** Fill the legend. `toggle(code)` hides or shows a category, `isolate(code)` shows it alone. */
function fillLegend(legend, look, { palette, counts, hidden, toggle, isolate }) {
  const old = legend.querySelector(".rows"), top = old?.scrollTop ?? 0, rows = element("div", "rows");
  const drawn = legendRows(look, counts), search = drawn.length > SEARCH_FROM ? searchBox(legend, rows) : null;
  const searching = legend.querySelector("input") === legend.getRootNode().activeElement && search;
  legend.setAttribute("role", "group");
  legend.setAttribute("aria-label", `Legend${look.title ? `: ${look.title}` : ""}`);
  for (const { code, name, count } of drawn) {
    const row = element("button"), dot = element("i");
    row.type = "button";
    row.title = `${name}: ${withCommas(count)} cells. Click hides or shows, double click or Shift and click shows it alone.`;
    row.dataset.code = code;
    row.setAttribute("aria-pressed", String(!hidden.has(code)));
    dot.style.background = rgbOf(palette, code);
    row.append(dot, element("span", "name", name), element("span", "count", withCommas(count)));
    row.onclick = (event) => (event.shiftKey ? isolate(code) : toggle(code));
    row.ondblclick = (event) => { if (!event.shiftKey) isolate(code); };
    rows.append(row);
  }
  legend.replaceChildren(...[look.title && element("div", "title", look.title), look.scale && colorBar(look, palette),
    look.pair && colorSquare(look, palette), search, rows].filter(Boolean));
  search?.oninput();
  if (searching) search.focus();
  rows.scrollTop = top;
}

/** A box that leaves the rows whose names hold its text; the text stays when the legend is filled anew. */
function searchBox(legend, rows) {
  const box = element("input");
  box.type = "search";
  box.placeholder = "Find in legend";
  box.setAttribute("aria-label", "Find in legend");
  box.value = legend.wanted ?? "";
  box.oninput = () => {
    legend.wanted = box.value;
    const wanted = box.value.trim().toLowerCase();
    for (const row of rows.children) row.hidden = !row.querySelector(".name").textContent.toLowerCase().includes(wanted);
  };
  box.onkeydown = (event) => { event.stopPropagation(); };
  return box;
}

/** Two values at once: a square of colors, the first value to the right, the second upward. */
function colorSquare(look, palette) {
  const { levels, names, scales } = look.pair, box = element("div", "pair"), canvas = element("canvas");
  Object.assign(canvas, { width: levels, height: levels });
  const pen = canvas.getContext("2d");
  for (let a = 0; a < levels; a++) for (let b = 0; b < levels; b++) {
    pen.fillStyle = rgbOf(palette, 1 + a * levels + b);
    pen.fillRect(a, levels - 1 - b, 1, 1);
  }
  const range = ([low, high]) => `${threeDigits(low)} to ${threeDigits(high)}`;
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", `Colors of ${names[0]}, to the right, and ${names[1]}, upward`);
  box.append(element("span", "up", `↑ ${names[1]} ${range(scales[1])}`), canvas, element("span", "across", `${names[0]} ${range(scales[0])} →`));
  return box;
}

/** A vertical bar of the palette with values at its ends and in the middle. */
function colorBar(look, palette) {
  const bar = element("div", "scale"), colors = element("div"), ticks = element("div", "ticks");
  colors.className = "colors";
  const stops = [...Array(17).keys()].map((i) => rgbOf(palette, 1 + Math.round((i * 254) / 16)));
  colors.style.setProperty("--stops", stops.join());
  const [low, high] = look.scale;
  for (const value of [high, (low + high) / 2, low]) ticks.append(element("span", "", threeDigits(value)));
  bar.append(colors, ticks);
  return bar;
}
