// What of the maps stands in the address: how far each is zoomed, and which categories are hidden. The page tells what
// a link asks for, and hears of changes when they are over.

const LULL = 500; // milliseconds without a change

/** Take what a link asks for, once; report changes from then on. */
function keepAddress(shared, header, setStateValue) {
  if (!shared.address) {
    shared.address = { text: header.text, cameras: new Map(header.cameras.map(([key, ...rest]) => [key, rest])), hidden: header.hidden };
    eachView(shared, (view) => { takeCamera(view); takeHidden(view); });
  }
  shared.tell = (text) => setStateValue("view", text);
}

function eachView(shared, act) {
  shared.groups.forEach((group) => group.views.forEach(act));
}

/** Look where a link looks, unless this map has done so. */
function takeCamera(view) {
  const { address } = view.shared, asked = address?.cameras.get(view.key);
  if (!asked || !view.n) return;
  address.cameras.delete(view.key);
  const [zoom, x, y] = asked;
  Object.assign(view.camera, { zoom: Math.min(FURTHEST, Math.max(.5, zoom)), x, y });
  view.draw();
}

/** Hide what a link hides, on the map that is drawn first. */
function takeHidden(view) {
  const { address } = view.shared;
  if (!address?.hidden.length || !view.look) return;
  const codes = address.hidden;
  address.hidden = [];
  hideIn(view.group, view.meaning, codes);
}

/** Something has moved or was hidden: tell when it is over. Places are rounded as the address writes them. */
function changed(shared) {
  clearTimeout(shared.lull);
  shared.lull = setTimeout(() => {
    const { address, tell } = shared;
    if (!address || !tell) return;
    const cameras = [], hidden = new Set();
    eachView(shared, (view) => {
      if (!view.n || !view.extent) return;
      const { camera, extent } = view, still = camera.zoom === 1 && camera.x === extent.x && camera.y === extent.y;
      view.hidden.forEach((code) => hidden.add(code));
      if (still) return;
      Object.assign(camera, { zoom: Number(camera.zoom.toFixed(3)), x: Math.round(camera.x), y: Math.round(camera.y) });
      view.draw();
      cameras.push(`${view.key}:${camera.zoom},${camera.x},${camera.y}`);
    });
    const gone = [...hidden].sort((a, b) => a - b);
    const text = [...cameras.sort(), ...(gone.length ? [`hidden:${gone.join(",")}`] : [])].join(";");
    if (text === address.text) return;
    address.text = text;
    tell(text);
  }, LULL);
}
