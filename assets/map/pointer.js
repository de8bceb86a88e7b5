// Mouse, pen and keyboard: what a gesture means for a view.

const FURTHEST = 400;
const NEAR = 8;
const PAN_KEYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

/** Which tool a press starts with: the middle button and the space bar always move the map. */
const toolOf = (event, view) => (event.button === 1 || view.space ? "pan" : view.tool);
const opOf = (event) => (event.shiftKey ? "add" : event.altKey ? "subtract" : "new");

function boxPath([ax, ay], [bx, by]) {
  return [[ax, ay], [bx, ay], [bx, by], [ax, by]];
}

/** Let gestures on the stage drive the view. */
function listen(stage, view) {
  let gesture = null;
  const position = (event) => {
    const box = stage.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };

  stage.onpointerdown = (event) => {
    if (event.button > 1 || event.target.closest(".notice")) return;
    event.preventDefault();
    stage.focus({ preventScroll: true });
    stage.setPointerCapture(event.pointerId);
    const at = position(event);
    gesture = { tool: toolOf(event, view), op: opOf(event), start: at, last: at, path: [at] };
    view.hover(null);
  };

  stage.onpointermove = (event) => {
    const at = position(event);
    if (!gesture) return view.hover(at);
    if (gesture.tool === "pan") view.move(at[0] - gesture.last[0], at[1] - gesture.last[1]);
    else if (gesture.tool === "box") view.sketch(gesture.path = boxPath(gesture.start, at));
    else view.sketch((gesture.path.push(at), gesture.path));
    gesture.last = at;
  };

  stage.onpointerup = () => {
    const done = gesture;
    gesture = null;
    view.sketch(null);
    if (done && done.tool !== "pan" && reached(done.path)) view.select(done.op, done.path);
  };

  stage.onpointercancel = () => { gesture = null; view.sketch(null); };
  stage.onpointerleave = () => view.hover(null);
  stage.ondblclick = () => view.reset();
  stage.addEventListener("wheel", (event) => {
    event.preventDefault();
    const lines = event.deltaMode === 1 ? 16 : 1;
    view.zoomBy(Math.exp(-event.deltaY * lines * .0015), position(event));
    if (!gesture) view.hover(position(event));
  }, { passive: false });

  stage.onkeydown = (event) => {
    if (event.ctrlKey || event.metaKey) return;
    const cancel = () => { if (gesture) { gesture = null; view.sketch(null); } else view.clear(); };
    const actions = {
      "+": () => view.zoomBy(1.25), "=": () => view.zoomBy(1.25), "-": () => view.zoomBy(.8),
      "0": () => view.reset(), " ": () => { view.space = true; }, Escape: cancel,
    };
    const step = PAN_KEYS[event.key];
    const action = step ? () => view.move(-step[0] * 40, step[1] * 40) : actions[event.key];
    if (!action) return;
    event.preventDefault();
    event.stopPropagation();
    action();
  };
  stage.onkeyup = (event) => { if (event.key === " ") view.space = false; };
  stage.onblur = () => { view.space = false; };
}

/** Whether a path is more than a click. */
function reached(path) {
  const spread = (axis) => Math.max(...path.map((at) => at[axis])) - Math.min(...path.map((at) => at[axis]));
  return path.length > 2 && Math.max(spread(0), spread(1)) > 4;
}
