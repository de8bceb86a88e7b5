// Maps of the same cells that show one selection and one legend together. A map without partners has a group of its own.

/** The group of that name; it stays when its maps go, so that a map that comes back finds its selection. */
function groupOf(shared, name) {
  if (!shared.groups.has(name)) shared.groups.set(name, { shapes: [], mask: null, count: 0, holder: null, views: new Set(), points: new Map(), hidden: new Map(), legends: new Set() });
  return shared.groups.get(name);
}

/** Change the selection by an outline that was drawn in a view; the server hears of it from that view. */
function selectIn(group, view, op, corners) {
  if (op === "subtract" && !group.shapes.length) return;
  const first = op === "new" || !group.shapes.length;
  if (!first && group.shapes.length >= MAX_SHAPES) {
    view.say(`A selection has ${MAX_SHAPES} outlines at most.`);
    return;
  }
  const shape = { op: first ? "new" : op, points: view.points, polygon: packCorners(corners) };
  if (group.mask?.length !== view.n) group.mask = new Uint8Array(view.n);
  applyShape(group.mask, shape.op, corners, view.xy);
  if (!countOf(group.mask)) return clearGroup(group);
  group.shapes = first ? [shape] : [...group.shapes, shape];
  passTo(group, view.key);
  view.emit({ points: view.points, shapes: group.shapes });
  group.views.forEach((each) => each.showSelection());
}

/** Codes that are hidden on all maps of a group which color cells by the same. */
function hiddenIn(group, meaning) {
  if (!group.hidden.has(meaning)) group.hidden.set(meaning, new Set());
  return group.hidden.get(meaning);
}

/** Hide exactly these codes on all maps of a group that color cells by the same. */
function hideIn(group, meaning, codes) {
  group.hidden.set(meaning, new Set(codes));
  group.views.forEach((each) => { if (each.meaning === meaning) each.showHidden(); });
  group.views.forEach((each) => changed(each.shared));
}

/** A legend of its own for all maps of a group, drawn by whichever of them has something to show. */
function addLegend(group, legend) {
  group.legends.add(legend);
  group.views.forEach((each) => each.showLegend());
}

function dropLegend(group, legend) {
  group.legends.delete(legend);
  group.views.forEach((each) => each.showLegend());
}

/** Make one map the holder of the selection: the former one tells the server that it has none. */
function passTo(group, key) {
  if (group.holder !== key) group.views.forEach((each) => { if (each.key === group.holder) each.emit(null); });
  group.holder = key;
}

function clearGroup(group) {
  passTo(group, null);
  Object.assign(group, { shapes: [], mask: null, count: 0 });
  group.views.forEach((each) => each.showSelection());
}

/** A map joins, or shows other coordinates: keep the selection only if it still means these cells. Coordinates of
 * maps that are just not on the page count: when a page is drawn anew its maps come back one after another. */
function joinGroup(group, view) {
  group.views.add(view);
  group.points.set(view.key, view.points);
  if (!group.shapes.length) return;
  const known = new Set(group.points.values());
  if (!group.shapes.every((shape) => known.has(shape.points))) clearGroup(group);
  else if (group.holder === view.key) view.emit({ points: view.points, shapes: group.shapes });
}
