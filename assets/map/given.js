// A selection that the server gives: one bit a cell, taken once; what is drawn later adds to it or takes away.

/** Keep what the server gives to a map, and let the map take it if it is drawn already. */
async function keepGiven({ key, id, points, cells }, body) {
  const given = { id, points, mask: null };
  shared.given.set(key, given);
  if (!id) return;
  given.mask = maskOf(await inflate(body), cells);
  for (const group of shared.groups.values()) group.views.forEach((view) => { if (view.key === key) takeGiven(view); });
}

/** One byte a cell of one bit a cell, the highest bit first; bits that are not there are 0. */
function maskOf(bits, n) {
  const mask = new Uint8Array(n);
  for (let row = 0; row < n; row++) if (bits[row >> 3] & (128 >> (row & 7))) mask[row] = 255;
  return mask;
}

/** Select what the server gave, unless the group has taken it before, from whichever of its maps. */
function takeGiven(view) {
  const given = view.shared.given.get(view.key), { group } = view;
  if (!given?.mask || !group || given.points !== view.points || group.given === given.id) return;
  group.given = given.id;
  const count = given.mask.reduce((sum, value) => sum + (value ? 1 : 0), 0);
  if (!count) return clearGroup(group);
  passTo(group, view.key);
  Object.assign(group, { mask: given.mask.slice(), count, shapes: [{ op: "given", points: view.points, polygon: given.id }] });
  view.emit({ points: view.points, shapes: group.shapes });
  group.views.forEach((each) => each.showSelection());
}
