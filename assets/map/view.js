// One map on the page: its elements, what it shows, and what gestures do to it.

const MOST_PAINTERS = 6; // browsers allow 8 at least
const TOOLS = {
  lasso: "Lasso: drag around cells. Shift adds to the selection, Alt takes away, Escape clears it.",
  box: "Box: drag a rectangle. Shift adds to the selection, Alt takes away.",
  pan: "Move: drag the map. The space bar or the middle button do the same with any tool.",
};

/** Build the elements of a map. */
function createParts(root) {
  const box = element("div", "scviz-map"), style = element("style");
  style.textContent = STYLE;
  const parts = {
    box, bar: element("div", "bar"), stage: element("div", "stage"), legend: element("div", "legend"), over: element("canvas", "over"),
    tip: element("div", "tip"), notice: element("div", "notice"), caption: element("span", "caption"), status: element("span", "status"),
  };
  const body = element("div", "body"), foot = element("div", "foot");
  parts.stage.tabIndex = 0;
  parts.stage.setAttribute("role", "application");
  parts.status.setAttribute("aria-live", "polite");
  parts.tip.hidden = parts.notice.hidden = true;
  parts.stage.append(parts.over, parts.tip, parts.notice);
  body.append(parts.stage, parts.legend);
  foot.append(parts.caption, parts.status);
  box.append(style, parts.bar, body, foot);
  root.append(box);
  return parts;
}

class MapView {
  constructor(root, key, shared) {
    Object.assign(this, { key, shared, n: 0, points: "", tool: "lasso", space: false, hidden: new Set(), hovered: -1, painter: null, passes: null, lit: null });
    this.parts = createParts(root);
    this.camera = { zoom: 1, x: FARTHEST / 2, y: FARTHEST / 2 };
    this.fillBar();
    listen(this.parts.stage, this);
    this.observer = new ResizeObserver(() => this.draw());
    this.observer.observe(this.parts.stage);
  }

  fillBar() {
    const { bar, legend } = this.parts;
    const choose = (tool) => {
      this.tool = this.parts.stage.dataset.tool = tool;
      bar.querySelectorAll("[aria-pressed]").forEach((each) => each.dataset.tool in TOOLS
        && each.setAttribute("aria-pressed", String(each.dataset.tool === tool)));
    };
    const save = (how) => () => this.painter && how(this, this.look?.file || this.key);
    const fold = iconButton("legend", "Show or hide the legend", () => this.foldLegend(!legend.hidden));
    this.foldLegend = (hidden) => {
      legend.hidden = this.folded = hidden;
      fold.setAttribute("aria-pressed", String(!hidden));
    };
    this.shareLegend = (shared) => { fold.hidden = shared; legend.hidden = shared || this.folded; };
    for (const [tool, label] of Object.entries(TOOLS)) {
      bar.append(iconButton(tool, label, () => choose(tool)));
      bar.lastChild.setAttribute("aria-pressed", "false");
    }
    bar.append(element("span", "rule"), iconButton("reset", "Show all cells (0, or double click)", () => this.reset()), element("span", "gap"),
      iconButton("picture", "Save this view as PNG", save(downloadPicture)),
      iconButton("vector", `Save this view as SVG (cells as vectors up to ${withCommas(MOST_CIRCLES)} in view, else as an image)`, save(downloadVector)), fold);
    choose("lasso");
  }

  /** Get a canvas and a painter; false where the browser has no WebGL2. Of too many maps the oldest one rests. */
  start() {
    const { stage, notice, over } = this.parts, painters = this.shared.painters;
    const canvas = element("canvas"), painter = createPainter(canvas);
    if (!painter) return false;
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", stage.getAttribute("aria-label") ?? "Map of cells");
    this.canvas?.remove();
    Object.assign(this, { canvas, painter });
    stage.insertBefore(canvas, over);
    notice.hidden = true;
    canvas.addEventListener("webglcontextlost", (event) => { event.preventDefault(); if (painter === this.painter) this.rest(); });
    painters.push(this);
    if (painters.length > MOST_PAINTERS) painters[0].rest();
    return true;
  }

  /** Stop drawing and offer to go on: the context was lost, or other maps need it. */
  rest() {
    const { notice } = this.parts, reload = element("button", "", "Reload map");
    this.stop();
    reload.onclick = () => { if (this.start()) this.fillPainter(); };
    notice.replaceChildren(element("div", "", "The browser has put this map aside to save graphics memory."), reload);
    notice.hidden = false;
  }

  stop() {
    const { painter } = this, painters = this.shared.painters;
    this.painter = null;
    painter?.close();
    if (painters.includes(this)) painters.splice(painters.indexOf(this), 1);
  }

  /** Show what the server sent. Zoom, selection and hidden categories stay as long as they mean the same. */
  show(header, store, body) {
    const { box, stage, caption } = this.parts, n = store.xy.length / 2, codes = body.subarray(0, n);
    const moved = this.points !== header.points, recolored = moved || this.drawn !== `${header.points}:${header.codes}`;
    if (!this.look) this.foldLegend(!header.legend);
    this.look = header;
    this.passes = body.length > n ? maskOfBits(body.subarray(n), n) : null;
    this.names = store.names;
    box.style.height = `${header.height}px`;
    caption.textContent = caption.title = header.caption;
    stage.setAttribute("aria-label", `Map of ${withCommas(codes.length)} cells${header.title ? `, colored by ${header.title}` : ""}. `
      + "Drag to select cells; arrow keys move, plus and minus zoom, 0 shows all, Escape clears the selection.");
    this.canvas.setAttribute("aria-label", `Map of ${withCommas(codes.length)} cells. ${header.caption}`);
    if (moved) this.setPoints(header.points, store.xy);
    if (recolored) Object.assign(this, { codes, drawn: `${header.points}:${header.codes}` });
    this.counts = histogram(this.codes, this.passes);
    if (moved) this.setGroup(groupOf(this.shared, header.group || `map ${this.key}`));
    this.setPalette(header);
    this.showLegend();
    if (recolored && this.painter) this.fillPainter();
    else this.showSelection();
    takeHidden(this);
    takeGiven(this);
    changed(this.shared);
  }

  setPalette(header) {
    this.meaning = JSON.stringify([header.labels, header.title]);
    this.hidden = hiddenIn(this.group, this.meaning);
    this.palette = Uint8Array.from(atob(header.palette), (sign) => sign.charCodeAt(0));
    this.hidden.forEach((code) => { this.palette[4 * code + 3] = 0; });
    this.painter?.palette(this.palette);
  }

  setPoints(points, xy) {
    Object.assign(this, { points, xy, n: xy.length / 2, shuffled: shuffledRows(xy.length / 2), nearest: null, hovered: -1 });
    let left = FARTHEST, right = 0, low = FARTHEST, high = 0;
    for (let i = 0; i < xy.length; i += 2) {
      left = Math.min(left, xy[i]); right = Math.max(right, xy[i]);
      low = Math.min(low, xy[i + 1]); high = Math.max(high, xy[i + 1]);
    }
    if (!this.n) left = low = 0, right = high = FARTHEST;
    this.extent = { x: (left + right) / 2, y: (low + high) / 2, width: Math.max(1, right - left), height: Math.max(1, high - low) };
    const kept = this.shared.cameras.get(this.key);
    this.camera = kept?.points === points ? kept : { points, zoom: 1, x: this.extent.x, y: this.extent.y };
    this.shared.cameras.set(this.key, this.camera);
    takeCamera(this);
  }

  setGroup(group) {
    this.group?.views.delete(this);
    this.group = group;
    joinGroup(group, this);
  }

  fillPainter() {
    if (!this.painter) return;
    this.painter.places(this.xy);
    this.painter.codes(this.codes);
    this.painter.palette(this.palette);
    this.shownMask = undefined;
    this.showSelection();
  }

  /** The selection of the group as a mask over the rows, null if there is none or it is of other cells. */
  selection() {
    const { shapes, mask } = this.group;
    return shapes.length && mask?.length === this.n ? mask : null;
  }

  /** Cells that are selected and pass the filters keep their colors and lie on top, the others are dimmed. */
  showSelection() {
    if (!this.group) return;
    const selection = this.selection();
    this.lit = bothMasks(selection, this.passes);
    this.count = selection ? countOf(this.lit) : 0;
    this.painter?.chosen(this.lit);
    this.rows = drawingOrder(this.shuffled, this.codes, this.look, this.lit);
    this.painter?.order(this.rows);
    Object.assign(this.parts.box.dataset, { selected: this.count, passing: this.passes ? countOf(this.passes) : this.n });
    this.showStatus();
    this.draw();
  }

  showStatus() {
    const { status } = this.parts;
    if (!this.n) return this.say("There are no cells to draw.");
    if (!this.selection()) return this.say(this.passes ? `${withCommas(countOf(this.passes))} of ${withCommas(this.n)} cells pass` : "");
    let unseen = 0;
    if (this.hidden.size) this.lit.forEach((value, row) => { if (value && this.hidden.has(this.codes[row])) unseen++; });
    const clear = element("button", "", "clear");
    clear.onclick = () => this.clear();
    status.replaceChildren(`${withCommas(this.count)} cells selected${unseen ? `, ${withCommas(unseen)} of them hidden` : ""}`, clear);
  }

  say(text) { this.parts.status.textContent = text; }

  /** Where the legend of this map is drawn: in one that its group shares, or beside it. */
  legends() { return this.group.legends.size ? [...this.group.legends] : [this.parts.legend]; }

  showLegend() {
    const { group, meaning, palette, counts, look } = this;
    if (!look) return;
    this.shareLegend(group.legends.size > 0);
    const codes = legendRows(look, counts).map((row) => row.code), hidden = () => hiddenIn(group, meaning);
    const change = (hide) => hideIn(group, meaning, codes.filter(hide));
    const alone = (code) => codes.every((other) => hidden().has(other) === (other !== code));
    this.legends().forEach((legend) => fillLegend(legend, look, {
      palette, counts, hidden: hidden(),
      toggle: (code) => { const before = hidden(); change((other) => before.has(other) !== (other === code)); },
      isolate: (code) => { const all = alone(code); change((other) => !all && other !== code); },
    }));
  }

  /** Another category of the group is hidden or shown. */
  showHidden() {
    this.setPalette(this.look);
    this.legends().forEach((legend) => legend.querySelectorAll("[data-code]").forEach((row) =>
      row.setAttribute("aria-pressed", String(!this.hidden.has(Number(row.dataset.code))))));
    this.showStatus();
    this.draw();
  }

  /** How map units become pixels of the stage at the present zoom. */
  frame() {
    const width = this.parts.stage.clientWidth, height = this.parts.stage.clientHeight, { camera, extent } = this;
    const unit = .92 * camera.zoom * Math.min(width / extent.width, height / extent.height);
    return {
      width, height, unit,
      x: (value) => (value - camera.x) * unit + width / 2,
      y: (value) => height / 2 - (value - camera.y) * unit,
      back: ([x, y]) => [(x - width / 2) / unit + camera.x, (height / 2 - y) / unit + camera.y],
    };
  }

  /** Radius of a point in pixels: grows a little when one looks closer. */
  radius() { return (this.look.size * Math.min(3, Math.sqrt(Math.max(1, this.camera.zoom)))) / 2; }

  paint(density, dim) {
    const { width, height, unit } = this.frame(), { camera } = this;
    const across = (2 * unit) / width, up = (2 * unit) / height;
    this.painter.draw({
      width: Math.round(width * density), height: Math.round(height * density), size: 2 * density * this.radius(), dim: this.lit ? dim : null,
      scale: [across * FARTHEST, up * FARTHEST], shift: [-camera.x * across, -camera.y * up],
    });
  }

  draw() {
    this.planned ||= requestAnimationFrame(() => {
      const { box, stage } = this.parts;
      this.planned = 0;
      if (!this.painter || !this.rows || !stage.clientWidth || !stage.clientHeight) return;
      const css = getComputedStyle(box);
      this.paint(Math.min(devicePixelRatio || 1, 2), dimColor(css.getPropertyValue("--st-background-color") || PAPER, css.color));
      this.drawOver();
      Object.assign(box.dataset, { drawn: this.drawn, zoom: this.camera.zoom.toFixed(3) });
    });
  }

  /** The outline being drawn and a ring around the cell under the pointer. */
  drawOver() {
    const { over, box } = this.parts, density = devicePixelRatio || 1, frame = this.frame(), pen = over.getContext("2d");
    Object.assign(over, { width: frame.width * density, height: frame.height * density });
    pen.scale(density, density);
    pen.strokeStyle = getComputedStyle(box).color;
    if (this.path) {
      pen.beginPath();
      this.path.forEach(([x, y]) => pen.lineTo(x, y));
      pen.closePath();
      pen.setLineDash([4, 3]);
      pen.stroke();
      pen.globalAlpha = .06;
      pen.fillStyle = pen.strokeStyle;
      pen.fill("evenodd");
    } else if (this.hovered >= 0) {
      pen.beginPath();
      pen.lineWidth = 1.5;
      pen.arc(frame.x(this.xy[2 * this.hovered]), frame.y(this.xy[2 * this.hovered + 1]), this.radius() + 3, 0, 7);
      pen.stroke();
    }
  }

  /** Name the cell at a position and ring it in all maps of the group; null: no cell. */
  hover(at) {
    if (!this.group) return;
    let row = -1;
    if (at && this.n) {
      const frame = this.frame(), [x, y] = frame.back(at);
      this.nearest ??= createGrid(this.xy);
      row = this.nearest(x, y, NEAR / frame.unit, (each) => this.palette[4 * this.codes[each] + 3] > 0);
    }
    if (row !== this.hovered) this.group.views.forEach((view) => { if (view.n === this.n) { view.hovered = row; view.drawOver(); } });
    this.showTip(row, at);
  }

  showTip(row, at) {
    const { tip, stage } = this.parts;
    tip.hidden = row < 0;
    if (row < 0) return;
    const meaning = codeText(this.look, this.codes[row]);
    tip.textContent = [this.names?.[row], this.look.scale && this.look.title ? `${this.look.title}: ${meaning}` : meaning].filter(Boolean).join("\n");
    tip.style.left = `${Math.min(at[0] + 14, stage.clientWidth - tip.offsetWidth - 4)}px`;
    tip.style.top = `${at[1] > stage.clientHeight - tip.offsetHeight - 24 ? at[1] - tip.offsetHeight - 10 : at[1] + 14}px`;
  }

  sketch(path) { this.path = path; this.drawOver(); }

  select(op, path) {
    const frame = this.frame(), corners = outline(path.map(frame.back), 1 / frame.unit);
    if (corners && this.n) selectIn(this.group, this, op, corners);
  }

  clear() { if (this.group) clearGroup(this.group); }

  move(dx, dy) {
    const { unit } = this.frame();
    this.camera.x -= dx / unit;
    this.camera.y += dy / unit;
    this.draw();
    changed(this.shared);
  }

  /** Zoom; the place under `at` (the middle, if not given) stays where it is. */
  zoomBy(factor, at) {
    const before = this.frame(), fixed = at ?? [before.width / 2, before.height / 2], [x, y] = before.back(fixed);
    this.camera.zoom = Math.min(FURTHEST, Math.max(.5, this.camera.zoom * factor));
    const [newX, newY] = this.frame().back(fixed);
    this.camera.x += x - newX;
    this.camera.y += y - newY;
    this.draw();
    changed(this.shared);
  }

  reset() {
    Object.assign(this.camera, { zoom: 1, x: this.extent.x, y: this.extent.y });
    this.draw();
    changed(this.shared);
  }

  /** What an export needs. */
  cells() {
    const { xy, codes, palette, rows, look, counts, hidden } = this;
    return { xy, codes, palette, rows, look, counts, hidden, mask: this.lit };
  }

  /** The points alone as a PNG address, `density` pixels for each of the page. */
  snapshot(density, dim) {
    this.paint(density, dim);
    const address = this.canvas.toDataURL("image/png");
    this.draw();
    return address;
  }

  close() {
    this.observer.disconnect();
    this.group?.views.delete(this);
    this.stop();
    this.parts.box.remove();
  }
}
