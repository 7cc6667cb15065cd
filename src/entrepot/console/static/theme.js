// Light and dark: the system's preference, unless the reader chose otherwise. Loaded first, so that no page flashes.
(() => {
  const root = document.documentElement;
  const preferred = matchMedia("(prefers-color-scheme: dark)");
  const chosen = () => { try { return localStorage.getItem("theme"); } catch { return null; } };
  const now = () => root.dataset.theme || (preferred.matches ? "dark" : "light");
  if (chosen()) root.dataset.theme = chosen();
  document.addEventListener("DOMContentLoaded", () => {
    const button = document.querySelector("[data-theme-switch]");
    const say = () => button.setAttribute("aria-label", now() === "dark" ? "Switch to light" : "Switch to dark");
    button.hidden = false;
    say();
    button.addEventListener("click", () => {
      root.dataset.theme = now() === "dark" ? "light" : "dark";
      try { localStorage.setItem("theme", root.dataset.theme); } catch { /* private mode: it holds for this page */ }
      say();
      document.dispatchEvent(new Event("themechange"));
    });
    preferred.addEventListener("change", () => { say(); document.dispatchEvent(new Event("themechange")); });
  });
})();
