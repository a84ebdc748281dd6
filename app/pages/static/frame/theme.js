// Before the first paint: the colours that were chosen here, else the system's. No module, since those wait.
"use strict";
(() => {
  const root = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const chosen = () => { try { return localStorage.getItem("trainyard-theme"); } catch { return null; } };
  const apply = () => {
    const wanted = chosen();
    root.dataset.bsTheme = wanted === "light" || wanted === "dark" ? wanted : dark.matches ? "dark" : "light";
    dispatchEvent(new Event("themechange"));
  };
  root.classList.add("js");
  apply();
  dark.addEventListener("change", apply);
  addEventListener("storage", apply);
  addEventListener("themechosen", apply);
})();
