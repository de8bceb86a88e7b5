// What the page calls. A map has two mounts: a store, which brings coordinates (and this code) once, and the map
// itself, which brings colors. Each message: length of the header, header as JSON, bytes.

const shared = (globalThis.scvizMap ??= {});
shared.stores ??= new Map();    // digest of coordinates -> { xy, names, holders }
shared.waiting ??= new Map();   // digest -> those who wait for these coordinates
shared.mounts ??= new WeakMap();
shared.groups ??= new Map();
shared.given ??= new Map();     // key of a map -> the selection that the server gave it last
shared.cameras ??= new Map();
shared.painters ??= [];

function unpack(bytes) {
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  return { header: JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length))), body: bytes.slice(4 + length) };
}

/** Keep coordinates as long as a store on the page holds them. */
function keep(mount, header, body) {
  if (mount.points !== header.points) drop(mount);
  const known = shared.stores.get(header.points);
  const store = known ?? { xy: new Uint16Array(body.buffer), names: null, holders: new Set() };
  store.names = header.names ?? store.names;
  store.holders.add(mount);
  mount.points = header.points;
  shared.stores.set(header.points, store);
  shared.waiting.get(header.points)?.forEach((go) => go(store));
  shared.waiting.delete(header.points);
}

/** The legend of all maps of a group. */
function placeLegend(mount, header, root) {
  const group = groupOf(shared, header.group);
  if (mount.legend?.group === group) return;
  removeLegend(mount);
  const box = element("div", "scviz-map"), style = element("style"), legend = element("div", "legend wide");
  style.textContent = STYLE;
  box.append(style, legend);
  root.append(box);
  mount.legend = { group, legend, box };
  addLegend(group, legend);
}

function removeLegend(mount) {
  if (!mount.legend) return;
  dropLegend(mount.legend.group, mount.legend.legend);
  mount.legend.box.remove();
  mount.legend = null;
}

function drop(mount) {
  const store = shared.stores.get(mount.points);
  store?.holders.delete(mount);
  if (store && !store.holders.size) shared.stores.delete(mount.points);
}

function coordinates(points) {
  if (shared.stores.has(points)) return Promise.resolve(shared.stores.get(points));
  return new Promise((done) => shared.waiting.set(points, [...(shared.waiting.get(points) ?? []), done]));
}

/** The view of a mount; null where the browser cannot draw, which the server hears once. */
function viewOf(mount, header, root, setStateValue) {
  if (mount.view !== undefined) return mount.view;
  mount.view = new MapView(root, header.key, shared);
  if (!mount.view.start()) {
    mount.view.close();
    mount.view = null;
    setStateValue("webgl", false);
  }
  return mount.view;
}

async function inflate(bytes) {
  const plain = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(plain).arrayBuffer());
}

async function draw(mount, call, header, body, { parentElement, setStateValue }) {
  const view = viewOf(mount, header, parentElement, setStateValue);
  if (!view) return;
  view.parts.box.style.height = `${header.height}px`;
  view.emit = (value) => setStateValue("selection", value);
  const [store, codes] = await Promise.all([coordinates(header.points), inflate(body)]);
  if (mount.calls === call) view.show(header, store, codes);
}

/** Called at each change of data or theme. The page runs the last call's cleanup when the mount goes, and that
 * of a call which was overtaken while it still loaded: only the latest one may close the view. */
function mountMap({ data, parentElement, setStateValue }) {
  if (!shared.mounts.has(parentElement)) shared.mounts.set(parentElement, { calls: 0 });
  const mount = shared.mounts.get(parentElement), call = ++mount.calls;
  const { header, body } = unpack(data);
  if (header.kind === "store") keep(mount, header, body);
  else if (header.kind === "legend") placeLegend(mount, header, parentElement);
  else if (header.kind === "given") keepGiven(header, body);
  else if (header.kind === "address") keepAddress(shared, header, setStateValue);
  else draw(mount, call, header, body, { parentElement, setStateValue });
  return () => {
    if (mount.calls !== call) return;
    drop(mount);
    removeLegend(mount);
    mount.view?.close();
    shared.mounts.delete(parentElement);
    mount.calls++;
  };
}

shared.announce?.(mountMap);
shared.code = Promise.resolve(mountMap);
export default mountMap;
