// A box in which a gene is typed. Each change of the text goes to the server by a second mount, `offers.js`, which
// brings back the genes that may be meant; only a choice runs the page again.

const WAIT = 120;
const shared = (globalThis.scvizGenes ??= { boxes: new Map(), senders: new Map(), answers: new Map() });

const STYLE = `
.gene { position: relative; font: 400 .95rem/1.4 var(--st-font, sans-serif); color: var(--st-text-color, #31333f); }
.gene label { display: block; font-size: .875rem; line-height: 1.5; margin-bottom: .25rem; }
.gene input { box-sizing: border-box; width: 100%; height: 2.5rem; padding: 0 .75rem; font: inherit; color: inherit; border-radius: var(--st-base-radius, 6px);
  border: 1px solid var(--st-widget-border-color, var(--st-border-color, rgba(128, 128, 128, .4))); background: var(--st-secondary-background-color, #f5f7f9); }
.gene input::placeholder { color: inherit; opacity: .72; }
.gene input:focus { outline: none; border-color: var(--st-primary-color, #0b6e99); box-shadow: 0 0 0 1px var(--st-primary-color, #0b6e99); }
.gene .offers { position: fixed; inset: auto; margin: 0; padding: 4px; box-sizing: border-box; overflow-y: auto; max-height: 320px; list-style: none;
  color: inherit; background: var(--st-background-color, #fff); border: 1px solid var(--st-border-color, rgba(128, 128, 128, .4));
  border-radius: var(--st-base-radius, 6px); box-shadow: 0 4px 16px rgba(0, 0, 0, .18); }
.gene .offers:not(:popover-open) { display: none; }
.gene .offers li { display: flex; gap: 10px; align-items: baseline; padding: 5px 8px; border-radius: 4px; cursor: pointer; }
.gene .offers li[aria-selected=true] { background: var(--st-secondary-background-color, #f0f2f6); box-shadow: inset 2px 0 0 var(--st-primary-color, #0b6e99); }
.gene .offers .word { flex: 1; min-width: 0; overflow-wrap: anywhere; }
.gene .offers b { font-weight: 600; }
.gene .offers small { font-size: .8rem; opacity: .78; white-space: nowrap; font-variant-numeric: tabular-nums; }
.gene .offers li.none { cursor: default; opacity: .8; }
.gene .said { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }`;

function element(tag, className = "", text = "") {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text) made.textContent = text;
  return made;
}

const cellsText = (n) => `${n.toLocaleString("en")} ${n === 1 ? "cell" : "cells"}`;

class GeneBox {
  constructor(root, key) {
    Object.assign(this, { key, offers: [], active: -1, answered: "", wanted: null, value: "", touched: false });
    this.build(root);
    this.listen();
  }

  build(root) {
    const id = `gene-${this.key}`;
    this.box = element("div", "gene");
    this.label = element("label");
    this.input = element("input");
    this.list = element("ul", "offers");
    this.said = element("div", "said");
    const style = element("style");
    style.textContent = STYLE;
    Object.assign(this.input, { id, type: "text", autocomplete: "off", spellcheck: false });
    this.label.htmlFor = id;
    this.list.id = `${id}-offers`;
    this.list.popover = "manual";
    this.list.setAttribute("role", "listbox");
    this.said.setAttribute("role", "status");
    for (const [name, value] of [["role", "combobox"], ["aria-autocomplete", "list"], ["aria-expanded", "false"], ["aria-controls", this.list.id]]) {
      this.input.setAttribute(name, value);
    }
    this.box.append(style, this.label, this.input, this.list, this.said);
    root.append(this.box);
  }

  listen() {
    const { input } = this;
    input.onfocus = () => input.select();
    input.oninput = () => { this.touched = true; this.wanted = null; this.askSoon(); };
    input.onblur = () => { this.close(); if (this.touched) this.revert(); };
    input.onkeydown = (event) => {
      const act = { ArrowDown: () => this.move(1), ArrowUp: () => this.move(-1), Enter: () => this.enter(), Escape: () => this.escape() }[event.key];
      event.stopPropagation();
      if (!act) return;
      event.preventDefault();
      act();
    };
    this.list.onpointerdown = (event) => event.preventDefault(); // the box keeps the focus
    this.place = () => this.isOpen() && this.put();
    addEventListener("scroll", this.place, true);
    addEventListener("resize", this.place);
  }

  /** What the page says: label, gene that is chosen. What is being typed stays. */
  show({ label, value, placeholder, empties }, choose) {
    Object.assign(this, { choose, empties });
    this.label.textContent = label;
    this.list.setAttribute("aria-label", `${label}: offers`);
    this.input.placeholder = placeholder;
    this.value = value;
    if (!this.touched) this.input.value = value;
    this.box.dataset.gene = value;
  }

  askSoon() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.ask(), WAIT);
  }

  ask() {
    const text = this.input.value.trim();
    if (!text) return this.answer({ text: "", offers: [] });
    const known = shared.answers.get(this.key);
    const send = shared.senders.get(this.key);
    if (known?.text === text) this.answer(known);
    else if (send) send(text);
    else this.askSoon(); // the page is still coming in
  }

  /** Offers for a text have come; those for a text that was typed on since are left. */
  answer({ text, offers }) {
    if (!this.touched || text !== this.input.value.trim()) return;
    Object.assign(this, { offers, answered: text, active: offers.length ? 0 : -1 });
    this.said.textContent = text ? (offers.length ? `${offers.length} genes offered` : "No gene has this name") : "";
    this.fill(text);
    if (this.wanted === text && offers.length) this.take(offers[0].gene);
    else if (text && this.input.getRootNode().activeElement === this.input) this.open();
    else this.close();
  }

  fill(text) {
    this.list.replaceChildren(...this.offers.map((offer, i) => this.row(offer, i)));
    if (!this.offers.length) {
      const row = element("li", "none", `No gene of this dataset is called ${text}. Try another symbol, or an Ensembl id.`);
      row.setAttribute("role", "option");
      row.setAttribute("aria-disabled", "true");
      this.list.append(row);
    }
    this.mark();
  }

  row({ gene, word, how, cells }, i) {
    const row = element("li"), name = element("span", "word");
    row.id = `${this.list.id}-${i}`;
    row.setAttribute("role", "option");
    if (word !== gene) name.append(`${word} → `);
    name.append(element("b", "", gene));
    if (word !== gene) name.append(element("small", "", ` ${how}`));
    row.append(name, element("small", "", cellsText(cells)));
    row.onclick = () => this.take(gene);
    row.onpointermove = () => { if (this.active !== i) { this.active = i; this.mark(); } };
    return row;
  }

  mark() {
    [...this.list.children].forEach((row, i) => row.setAttribute("aria-selected", String(i === this.active)));
    const row = this.active >= 0 ? this.list.children[this.active] : null;
    if (row) this.input.setAttribute("aria-activedescendant", row.id);
    else this.input.removeAttribute("aria-activedescendant");
    return row;
  }

  move(step) {
    if (!this.isOpen()) return this.askSoon(this.touched = true);
    const n = this.offers.length;
    if (n) this.active = (this.active + step + n) % n;
    this.mark()?.scrollIntoView({ block: "nearest" });
  }

  /** Take the marked offer; if the server has not answered yet, the first one that it will send. */
  enter() {
    const text = this.input.value.trim();
    if (!text) return this.take("");
    if (this.answered === text && this.active >= 0) return this.take(this.offers[this.active].gene);
    this.wanted = text;
    this.touched = true;
    clearTimeout(this.timer);
    this.ask();
  }

  escape() {
    if (this.isOpen()) this.close();
    else this.revert();
  }

  revert() {
    clearTimeout(this.timer);
    Object.assign(this, { touched: false, wanted: null });
    this.input.value = this.value;
  }

  take(gene) {
    clearTimeout(this.timer);
    Object.assign(this, { touched: false, wanted: null });
    this.close();
    this.input.value = this.empties ? "" : gene;
    this.input.select();
    if (gene !== this.value) this.choose(gene);
  }

  isOpen() { return this.list.matches(":popover-open"); }

  open() {
    if (!this.isOpen()) this.list.showPopover();
    this.input.setAttribute("aria-expanded", "true");
    this.put();
  }

  close() {
    if (this.isOpen()) this.list.hidePopover();
    this.input.setAttribute("aria-expanded", "false");
    this.input.removeAttribute("aria-activedescendant");
  }

  /** Put the list under the box, or above it where there is more room. */
  put() {
    const box = this.input.getBoundingClientRect(), gap = 4, below = innerHeight - box.bottom - gap, above = box.top - gap;
    const up = below < 180 && above > below, width = Math.min(Math.max(box.width, 300), innerWidth - 16);
    Object.assign(this.list.style, {
      width: `${width}px`, left: `${Math.max(8, Math.min(box.left, innerWidth - width - 8))}px`, maxHeight: `${Math.min(320, (up ? above : below) - 8)}px`,
      top: up ? "auto" : `${box.bottom + gap}px`, bottom: up ? `${innerHeight - box.top + gap}px` : "auto",
    });
  }

  remove() {
    clearTimeout(this.timer);
    removeEventListener("scroll", this.place, true);
    removeEventListener("resize", this.place);
    this.box.remove();
  }
}

export default function ({ data, parentElement, setStateValue }) {
  let view = parentElement.geneBox;
  if (!view) {
    view = parentElement.geneBox = new GeneBox(parentElement, data.key);
    shared.boxes.set(data.key, view);
  }
  view.calls = (view.calls ?? 0) + 1;
  const call = view.calls;
  view.show(data, (name) => setStateValue("gene", { name, at: Date.now() })); // the same gene again is a choice too
  return () => {
    if (view.calls !== call) return;
    view.remove();
    delete parentElement.geneBox;
    if (shared.boxes.get(data.key) === view) shared.boxes.delete(data.key);
  };
}
