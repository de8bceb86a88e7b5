// Figures are drawn on the server: when the page turns light or dark, it runs the script again, once.
export default function ({ setTriggerValue }) {
  const app = document.querySelector("[data-testid=stApp]");
  const shared = (globalThis.scvizTheme ??= {});
  const look = () => {
    const scheme = getComputedStyle(app).colorScheme;
    if (shared.scheme !== undefined && shared.scheme !== scheme) setTriggerValue("switched", scheme);
    shared.scheme = scheme;
  };
  look();
  shared.watcher?.disconnect();
  shared.watcher = new MutationObserver(look);
  shared.watcher.observe(app, { attributes: true, attributeFilter: ["class"] });
}
