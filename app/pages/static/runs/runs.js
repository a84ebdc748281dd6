// The table of runs, live, and acts on those that are selected.
import { BASE, call } from "../frame/api.js";
import { live } from "../frame/live.js";
import { refreshSoon } from "../frame/refresh.js";
import { isSure } from "../frame/sure.js";

const MOST_COMPARED = 20;
const rows = document.getElementById("rows");
const bar = document.getElementById("bulk-bar");

live((event) => {
  if (event === null) return;
  const row = document.getElementById(event.run_id);
  if (event.event === "progress") {
    if (row && event.stage === "train") row.querySelector("[data-epoch]").textContent = Math.max(0, event.epoch - 1);
  } else if (event.event === "status" || (row && (event.event === "epoch" || event.event === "signal"))) refreshSoon();
});

if (bar) {
  const boxes = () => [...rows.querySelectorAll("input[name=ids]")];
  const chosen = () => boxes().filter((box) => box.checked).map((box) => box.value);
  const all = document.getElementById("all");
  const show = () => {
    const n = chosen().length;
    bar.hidden = n === 0;
    document.getElementById("chosen").textContent = n === 1 ? "1 run selected" : `${n} runs selected`;
    const compare = document.getElementById("compare");
    compare.href = `${BASE}/runs/compare?ids=${chosen().join(",")}`;
    compare.textContent = n > MOST_COMPARED ? `Compare the first ${MOST_COMPARED}` : "Compare";
    all.checked = n > 0 && n === boxes().length;
    all.indeterminate = n > 0 && !all.checked;
  };
  all.addEventListener("change", () => { for (const box of boxes()) box.checked = all.checked; show(); });
  rows.addEventListener("change", show);
  addEventListener("refreshed", show);
  bar.addEventListener("click", async ({ target }) => {
    const act = target.dataset.bulk;
    if (act && (!target.dataset.sure || await isSure(target.dataset.sure))) await doAll(act, chosen());
  });
}

async function doAll(act, ids) {
  const outcome = document.getElementById("outcome");
  outcome.hidden = true;
  const said = [];
  try {
    const { items } = await call("POST", `/runs/bulk/${act}`, { ids });
    for (const one of items) if (one.error) said.push(`${one.id}: ${one.error.message}`);
    for (const one of items) if (!one.error) document.getElementById(one.id).querySelector("input[name=ids]").checked = false;
  } catch (error) {
    said.push(`${error.message} ${error.envelope?.remedy ?? ""}`);
  }
  outcome.replaceChildren(...said.map((words) => Object.assign(document.createElement("div"), { textContent: words })));
  outcome.hidden = said.length === 0;
  rows.dispatchEvent(new Event("change"));
  refreshSoon();
}
