// Outlines of selections. All corners are integers 0..65535, as the cells are, so that the server,
// which applies the same rule to the same integers, finds the same cells.

const FARTHEST = 65535;
const MAX_CORNERS = 200;
const MAX_SHAPES = 24;

/** Cut a path to the square of the map (Sutherland and Hodgman), one side after the other. */
function clipToSquare(path) {
  const sides = [[0, 0, 1], [0, FARTHEST, -1], [1, 0, 1], [1, FARTHEST, -1]];
  for (const [axis, limit, sign] of sides) {
    const depth = (corner) => (corner[axis] - limit) * sign;
    const kept = [];
    path.forEach((end, i) => {
      const start = path.at(i - 1);
      const from = depth(start), to = depth(end);
      if (from < 0 !== to < 0) {
        const share = from / (from - to);
        kept.push([start[0] + share * (end[0] - start[0]), start[1] + share * (end[1] - start[1])]);
      }
      if (to >= 0) kept.push(end);
    });
    path = kept;
  }
  return path;
}

/** Leave out corners that change the outline by less than a tolerance (Ramer, Douglas, Peucker). */
function thin(path, tolerance) {
  const keep = new Uint8Array(path.length);
  const open = [[0, path.length - 1]];
  keep[0] = keep[path.length - 1] = 1;
  while (open.length) {
    const [first, last] = open.pop();
    const [ax, ay] = path[first], dx = path[last][0] - ax, dy = path[last][1] - ay;
    const length = Math.hypot(dx, dy);
    let worst = 0, at = -1;
    for (let i = first + 1; i < last; i++) {
      const x = path[i][0] - ax, y = path[i][1] - ay;
      const distance = length ? Math.abs(x * dy - y * dx) / length : Math.hypot(x, y);
      if (distance > worst) { worst = distance; at = i; }
    }
    if (worst > tolerance) { keep[at] = 1; open.push([first, at], [at, last]); }
  }
  return path.filter((_, i) => keep[i]);
}

/** Corners (x, y, x, y, …) of a drawn path: within the map, whole numbers, 200 at most; null if empty. */
function outline(path, tolerance) {
  let corners = clipToSquare(path).map(([x, y]) => [Math.round(x), Math.round(y)]);
  for (let limit = tolerance; corners.length > 3; limit *= 2) {
    corners = thin(corners, limit);
    if (corners.length <= MAX_CORNERS) break;
  }
  return corners.length < 3 ? null : Uint16Array.from(corners.flat());
}

/** Corners as base64 of little-endian 16-bit integers: 1 kB for 200 corners. */
function packCorners(corners) {
  const view = new DataView(new ArrayBuffer(2 * corners.length));
  corners.forEach((value, i) => view.setUint16(2 * i, value, true));
  return btoa(String.fromCharCode(...new Uint8Array(view.buffer)));
}

/** Call `found(row)` for each cell within the polygon: even-odd rule, terms in the server's order. */
function eachInside(P, xy, found) {
  const n = P.length / 2;
  let left = FARTHEST, right = 0, low = FARTHEST, high = 0;
  for (let a = 0; a < n; a++) {
    left = Math.min(left, P[2 * a]); right = Math.max(right, P[2 * a]);
    low = Math.min(low, P[2 * a + 1]); high = Math.max(high, P[2 * a + 1]);
  }
  for (let row = 0; row < xy.length / 2; row++) {
    const x = xy[2 * row], y = xy[2 * row + 1];
    if (x < left || x > right || y < low || y > high) continue;
    let odd = false;
    for (let a = 0, b = n - 1; a < n; b = a++) {
      const ax = P[2 * a], ay = P[2 * a + 1], bx = P[2 * b], by = P[2 * b + 1];
      if (ay > y !== by > y && x < (bx - ax) * (y - ay) / (by - ay) + ax) odd = !odd;
    }
    if (odd) found(row);
  }
}

/** Change the mask of selected cells (255 or 0 each) by one more shape. */
function applyShape(mask, op, corners, xy) {
  if (op === "new") mask.fill(0);
  eachInside(corners, xy, op === "subtract" ? (row) => { mask[row] = 0; } : (row) => { mask[row] = 255; });
}
