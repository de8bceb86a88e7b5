// Ctrl+Z and Ctrl+Shift+Z (or Ctrl+Y, and ⌘ on a Mac) press the buttons that take back and do again. A text field
// keeps its own undo. Streamlit's `shortcut` would take the keys from text fields, too.

const shared = (globalThis.scvizKeys ??= { mounts: new Map(), listens: false });

const TICKED = ["checkbox", "radio", "range", "button", "file", "reset", "submit", "color"];

/** Whether a key belongs to a field: one in which something is typed. A closed list of options holds no text. */
function isTyped(node) {
  if (node.isContentEditable || node.tagName === "TEXTAREA") return true;
  if (node.tagName !== "INPUT" || TICKED.includes(node.type)) return false;
  return !(node.getAttribute("role") === "combobox" && !node.value);
}

/** Which of the two an event asks for; null for other keys. */
function wish(event) {
  if (!(event.ctrlKey || event.metaKey) || event.altKey) return null;
  const key = event.key.toLowerCase();
  if (key === "z") return event.shiftKey ? "redo" : "undo";
  return key === "y" && !event.shiftKey ? "redo" : null;
}

function pressed(event) {
  const which = wish(event);
  if (!which || event.defaultPrevented || event.composedPath().some((node) => node.tagName && isTyped(node))) return;
  for (const keys of shared.mounts.values()) {
    const button = document.querySelector(`.st-key-${keys[which]} button:not(:disabled)`);
    if (!button) continue;
    event.preventDefault();
    button.click();
    return;
  }
}

export default function ({ data, parentElement }) {
  shared.mounts.set(parentElement, data);
  if (!shared.listens) document.addEventListener("keydown", pressed);
  shared.listens = true;
  return () => shared.mounts.delete(parentElement);
}
