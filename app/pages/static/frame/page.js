// What every page has: choice of colours, times in the reader's zone, dialogs, and forms that call the API.
import { listen } from "./acts.js";
import { localTimes } from "./times.js";

const theme = document.getElementById("theme");
const showTheme = () => { try { theme.value = localStorage.getItem("trainyard-theme") ?? "auto"; } catch { theme.hidden = true; } };
showTheme();
addEventListener("storage", showTheme); // chosen in another tab
theme.addEventListener("change", () => {
  localStorage.setItem("trainyard-theme", theme.value);
  dispatchEvent(new Event("themechosen"));
});
listen();
localTimes(document);
