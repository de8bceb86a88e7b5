// Looks of the map. Colors come from the page's theme, light or dark, as --st-… properties.

const STYLE = `
.scviz-map { display: flex; flex-direction: column; container-type: inline-size; box-sizing: border-box; user-select: none;
  font: 12px/1.35 var(--st-font, sans-serif); color: var(--st-text-color, #31333f);
  --line: var(--st-border-color, rgba(128, 128, 128, .25)); --soft: var(--st-secondary-background-color, #f0f2f6); }
.scviz-map button { font: inherit; color: inherit; background: none; border: 0; padding: 0; cursor: pointer; }
.scviz-map button:focus-visible, .stage:focus-visible { outline: 2px solid var(--st-primary-color, #0072b2); outline-offset: -2px; }
.bar { display: flex; gap: 2px; height: 28px; align-items: center; }
.bar .gap { flex: 1; }
.bar button { width: 26px; height: 24px; border-radius: 4px; opacity: .7; display: grid; place-items: center; }
.bar button:hover { background: var(--soft); opacity: 1; }
.bar button[aria-pressed=true] { background: var(--soft); opacity: 1; box-shadow: inset 0 0 0 1px var(--line); }
.bar .rule { width: 1px; height: 16px; margin: 0 5px; background: var(--line); }
.bar svg { width: 16px; height: 16px; fill: none; stroke: currentColor; stroke-width: 1.4; stroke-linecap: round; stroke-linejoin: round; }
.body { display: flex; flex: 1; min-height: 0; border: 1px solid var(--line); border-radius: 6px; overflow: hidden; }
.stage { position: relative; flex: 1; min-width: 0; touch-action: none; cursor: crosshair; }
.stage[data-tool=pan] { cursor: grab; }
.stage canvas { position: absolute; inset: 0; width: 100%; height: 100%; }
.stage canvas.over { pointer-events: none; }
.tip { position: absolute; pointer-events: none; max-width: 240px; padding: 3px 7px; border-radius: 4px; white-space: pre-line;
  overflow-wrap: anywhere; background: var(--st-background-color, #fff); border: 1px solid var(--line); box-shadow: 0 1px 4px rgba(0, 0, 0, .15); }
.notice { position: absolute; inset: 0; display: grid; place-content: center; justify-items: center; gap: 10px; text-align: center; padding: 16px;
  background: var(--st-background-color, #fff); }
.notice button { padding: 4px 12px; border: 1px solid var(--line); border-radius: 4px; }
.legend { width: 158px; flex: none; box-sizing: border-box; display: flex; flex-direction: column; padding: 8px 6px 8px 8px; border-left: 1px solid var(--line); }
.legend .rows { min-height: 0; overflow-y: auto; scrollbar-width: thin; }
.legend.wide { width: auto; flex-flow: row wrap; align-items: center; gap: 4px 10px; min-height: 34px;
  padding: 4px 8px; border: 1px solid var(--line); border-radius: 6px; }
.legend.wide .title { margin: 0; }
.legend.wide .rows { display: flex; flex: 1 1 240px; flex-wrap: wrap; gap: 0 6px; max-height: 66px; }
.legend.wide .rows:empty { display: none; }
.legend.wide button { width: auto; max-width: 260px; }
.legend.wide .scale { display: grid; grid-template-rows: 12px auto; gap: 2px; width: 220px; height: auto; margin: 0; }
.legend.wide .scale .colors { width: auto; background: linear-gradient(to right, var(--stops)); }
.legend.wide .ticks { flex-direction: row-reverse; margin: 0; }
.legend.wide input { width: 130px; margin: 0; }
.legend input { font: inherit; color: inherit; width: 100%; box-sizing: border-box; margin: 0 0 5px; padding: 3px 6px; border: 1px solid var(--line); border-radius: 4px;
  background: var(--st-background-color, #fff); }
.legend .pair { display: grid; gap: 2px; justify-items: start; margin: 0 4px 6px; }
.legend .pair canvas { width: 84px; height: 84px; image-rendering: pixelated; border: 1px solid var(--line); }
.legend.wide .pair { grid-template-columns: auto auto auto; align-items: center; gap: 8px; margin: 0; }
.legend.wide .pair canvas { width: 48px; height: 48px; }
.legend .title { font-weight: 600; margin: 0 4px 5px; overflow-wrap: anywhere; }
.legend button { display: flex; width: 100%; align-items: center; gap: 7px; padding: 2px 4px; border-radius: 3px; text-align: left; }
.legend button:hover { background: var(--soft); }
.legend button[aria-pressed=false] { opacity: .72; }
.legend button[aria-pressed=false] .name { text-decoration: line-through; }
.legend button[aria-pressed=false] i { background: none !important; box-shadow: inset 0 0 0 1.5px currentColor; }
.legend i { width: 10px; height: 10px; border-radius: 50%; flex: none; }
.legend .name { flex: 1; min-width: 0; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.legend .count { opacity: .78; font-variant-numeric: tabular-nums; }
.legend .scale { display: flex; gap: 8px; height: 170px; margin: 2px 4px 10px; }
.legend .scale .colors { width: 14px; border-radius: 2px; background: linear-gradient(to top, var(--stops)); }
.legend .ticks { display: flex; flex-direction: column; justify-content: space-between; font-variant-numeric: tabular-nums; margin: -6px 0; }
.foot { display: flex; gap: 12px; min-height: 22px; align-items: center; padding: 1px 2px 0; }
.foot .caption { flex: 1; min-width: 0; opacity: .8; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.foot .status button { margin-left: 8px; text-decoration: underline; text-underline-offset: 2px; }
@container (max-width: 460px) { /* beside a narrow map the legend would take half of it */
  .body { flex-direction: column; }
  .stage { min-height: 0; }
  .legend:not(.wide) { width: auto; max-height: 40%; border-left: 0; border-top: 1px solid var(--line); }
  .legend:not(.wide) .rows { display: flex; flex-wrap: wrap; gap: 0 6px; }
  .legend:not(.wide) .rows button { width: auto; max-width: 100%; }
  .legend:not(.wide) .scale { display: grid; grid-template-rows: 12px auto; gap: 2px; height: auto; margin: 0 4px; }
  .legend:not(.wide) .scale .colors { width: auto; background: linear-gradient(to right, var(--stops)); }
  .legend:not(.wide) .ticks { flex-direction: row-reverse; margin: 0; }
}
[hidden] { display: none !important; }`;

const ICONS = {
  lasso: "M8 2.5c3.6 0 6 1.7 6 4s-2.4 4-6 4c-.9 0-1.7-.1-2.5-.3M4 9.2C2.7 8.5 2 7.6 2 6.5c0-2.3 2.4-4 6-4M5.5 10.2a1.4 1.4 0 1 1-1.5-1c.9 0 1.6.5 1.5 1.3-.1 1.3-.9 2.3-2 3",
  box: "M2.5 2.5h2M7 2.5h2M11.5 2.5h2v2M13.5 7v2M13.5 11.5v2h-2M9 13.5H7M4.5 13.5h-2v-2M2.5 9V7M2.5 4.5v-2",
  pan: "M8 1.5v13M1.5 8h13M6.2 3.3 8 1.5l1.8 1.8M6.2 12.7 8 14.5l1.8-1.8M3.3 6.2 1.5 8l1.8 1.8M12.7 6.2 14.5 8l-1.8 1.8",
  reset: "M2 5.5V2h3.5M14 5.5V2h-3.5M2 10.5V14h3.5M14 10.5V14h-3.5",
  picture: "M2 3h12v10H2zM2 11l3.5-3.5 3 3L11 8l3 3M10.7 5.7h.1",
  vector: "M8 2v8M5 7.2 8 10.2l3-3M2.5 13.5h11",
  legend: "M2.5 4h.1M2.5 8h.1M2.5 12h.1M5.5 4h8M5.5 8h8M5.5 12h8",
};

/** An element with a class and, as text only, its content: names come from files. */
function element(tag, className = "", text = "") {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text) made.textContent = text;
  return made;
}

/** A small button with a drawing and a name. */
function iconButton(icon, label, press) {
  const button = element("button");
  button.type = "button";
  button.title = label;
  button.setAttribute("aria-label", label);
  button.dataset.tool = icon;
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("aria-hidden", "true");
  path.setAttribute("d", ICONS[icon]);
  svg.append(path);
  button.append(svg);
  button.onclick = press;
  return button;
}

/** Red, green and blue (0..1) of any CSS color. */
function channels(color) {
  const pen = new OffscreenCanvas(1, 1).getContext("2d");
  pen.fillStyle = color;
  pen.fillRect(0, 0, 1, 1);
  return [...pen.getImageData(0, 0, 1, 1).data].slice(0, 3).map((value) => value / 255);
}

/** Color of cells that are not selected: a little of the text's color on the background. */
function dimColor(background, text) {
  const front = channels(text);
  return [...channels(background).map((value, i) => value * .84 + front[i] * .16), .55];
}

const withCommas = (number) => number.toLocaleString("en");
const threeDigits = (number) => String(Number(Number(number).toPrecision(3)));
