// The page of a run, live: progress as it is told, all else by what the server says now.
import { Charts } from "../charts/charts.js";
import { followLog } from "./log.js";
import { live } from "../frame/live.js";
import { refreshSoon } from "../frame/refresh.js";
import { duration } from "../frame/times.js";

const id = document.getElementById("run").dataset.run;
const charts = new Charts(document.getElementById("charts"), [{ id, name: "" }]);
const readLog = followLog(document.getElementById("log"), id);

live((event) => {
  if (event === null) { charts.update(); charts.updateMarks(); readLog(); return; }
  if (event.run_id !== id) return;
  readLog();
  if (event.event === "progress") return showProgress(event);
  refreshSoon();
  if (event.event === "epoch" || event.event === "status") charts.update();
  if (event.event === "signal" || event.event === "status") charts.updateMarks();
});

function showProgress(event) {
  write("stage", event.stage);
  write("epoch", event.epoch);
  write("step", event.step);
  if (event.images_per_second) write("images_per_second", event.images_per_second.toFixed(1));
  write("eta", duration(event.eta_seconds));
  if (event.eta_low_seconds !== null) write("range", `${duration(event.eta_low_seconds)} to ${duration(event.eta_high_seconds)}`);
}

function write(name, words) {
  const place = document.querySelector(`[data-progress=${name}]`);
  if (place && !("pending" in place.dataset)) place.textContent = words;
}
