// Before the first paint: the colours that were chosen here, else the system's, and whether pictures of data are shown.
// No module, since those wait.
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
  const hides = () => { try { return localStorage.getItem("trainyard-pictures") === "off"; } catch { return false; } };
  root.classList.add("js");
  root.classList.toggle("no-pictures", hides());
  apply();
  dark.addEventListener("change", apply);
  addEventListener("storage", apply);
  addEventListener("themechosen", apply);
})();
