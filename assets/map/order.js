// Which cell is drawn when, and which cell is near the pointer. Rows of the data never move.

/** Rows 0..n-1 in random order, the same for the same n: no category hides another. */
function shuffledRows(n) {
  const rows = new Uint32Array(n);
  let state = 0x9e3779b9;
  for (let i = 0; i < n; i++) {
    state ^= state << 13; state ^= state >>> 17; state ^= state << 5;
    const j = (state >>> 0) % (i + 1);
    rows[i] = rows[j];
    rows[j] = i;
  }
  return rows;
}

/** Sort rows by a small integer of each, keeping the order of equals. */
function sortedBy(rows, level, levels) {
  const start = new Uint32Array(levels + 1), sorted = new Uint32Array(rows.length);
  for (let i = 0; i < rows.length; i++) start[level(rows[i]) + 1]++;
  for (let k = 0; k < levels; k++) start[k + 1] += start[k];
  for (let i = 0; i < rows.length; i++) sorted[start[level(rows[i])]++] = rows[i];
  return sorted;
}

/** Missing first, high values last; selected cells after all others. */
function drawingOrder(shuffled, codes, look, mask) {
  const level = look.scale ? (code) => code : look.pair ? (code) => sumOfLevels(look.pair, code) : (code) => (code ? 1 : 0);
  const byValue = sortedBy(shuffled, (row) => level(codes[row]), 256);
  return mask ? sortedBy(byValue, (row) => (mask[row] ? 1 : 0), 2) : byValue;
}

/** How many cells have each code, of those that pass the filters. */
function histogram(codes, passes) {
  const counts = new Uint32Array(256);
  for (let i = 0; i < codes.length; i++) if (!passes || passes[i]) counts[codes[i]]++;
  return counts;
}

/** Bits, eight cells a byte, as a mask: 255 or 0 for each of n cells. */
function maskOfBits(bits, n) {
  const mask = new Uint8Array(n);
  for (let i = 0; i < n; i++) if (bits[i >> 3] & (128 >> (i & 7))) mask[i] = 255;
  return mask;
}

/** Cells that are in both masks; null stands for all cells. */
function bothMasks(first, second) {
  if (!first || !second) return first ?? second;
  const both = new Uint8Array(first.length);
  for (let i = 0; i < both.length; i++) both[i] = first[i] & second[i];
  return both;
}

/** How many cells a mask holds. */
function countOf(mask) {
  let count = 0;
  for (let i = 0; i < mask.length; i++) if (mask[i]) count++;
  return count;
}

/** Squares over the map with the rows in each, for finding neighbours of the pointer. */
function createGrid(xy) {
  const n = xy.length / 2, side = Math.min(512, Math.max(16, Math.ceil(Math.sqrt(n / 2))));
  const place = (value) => Math.min(side - 1, Math.floor((value * side) / (FARTHEST + 1)));
  const square = (row) => place(xy[2 * row + 1]) * side + place(xy[2 * row]);
  const rows = sortedBy(Uint32Array.from({ length: n }, (_, i) => i), square, side * side);
  const start = new Uint32Array(side * side + 1);
  for (let i = 0; i < n; i++) start[square(i) + 1]++;
  for (let k = 0; k < side * side; k++) start[k + 1] += start[k];

  /** Nearest row within `reach` of (x, y) that may be shown, or -1. */
  return function nearest(x, y, reach, shown) {
    let best = -1, closest = reach * reach;
    const left = place(Math.max(0, x - reach)), right = place(Math.max(0, x + reach));
    for (let v = place(Math.max(0, y - reach)); v <= place(Math.max(0, y + reach)); v++) {
      for (let i = start[v * side + left]; i < start[v * side + right + 1]; i++) {
        const row = rows[i], dx = xy[2 * row] - x, dy = xy[2 * row + 1] - y, distance = dx * dx + dy * dy;
        if (distance <= closest && shown(row)) { closest = distance; best = row; }
      }
    }
    return best;
  };
}
