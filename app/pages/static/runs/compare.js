// Several runs in the same charts, live.
import { Charts, COLORS } from "../charts/charts.js";
import { live } from "../frame/live.js";
import { refreshSoon } from "../frame/refresh.js";

const rows = [...document.querySelectorAll("[data-run]")];
const runs = rows.map((row) => ({ id: row.dataset.run, name: row.querySelector("[data-name]").textContent }));
const ids = new Set(runs.map((run) => run.id));

function color() {
  for (const swatch of document.querySelectorAll("[data-place]")) swatch.style.background = COLORS[swatch.dataset.place % COLORS.length];
}

if (runs.length) {
  const charts = new Charts(document.getElementById("charts"), runs);
  color();
  addEventListener("refreshed", color);
  live((event) => {
    if (event === null) return charts.update();
    if (!ids.has(event.run_id) || !["epoch", "status"].includes(event.event)) return;
    charts.update();
    refreshSoon();
  });
}
