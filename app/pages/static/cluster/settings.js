// Room on the storage: what takes most, and which runs would be deleted before they are.
import "./pictures.js";
import { fields, showError } from "../frame/acts.js";
import { BASE, call } from "../frame/api.js";
import { isSure } from "../frame/sure.js";

const UNITS = ["B", "kB", "MB", "GB", "TB"];
const PAGES = { run: "runs", dataset: "datasets", model: "models" };
const prune = document.getElementById("prune"), now = document.getElementById("prune-now");

function size(bytes) {
  const power = Math.min(UNITS.length - 1, Math.floor(Math.log10(Math.max(1, bytes)) / 3));
  return `${(bytes / 1000 ** power).toFixed(power ? 1 : 0)} ${UNITS[power]}`;
}

function element(name, words, parts = {}) {
  return Object.assign(document.createElement(name), { textContent: words, ...parts });
}

document.getElementById("ask-usage")?.addEventListener("click", async ({ target }) => {
  target.disabled = true;
  try {
    const { items } = await call("GET", "/admin/usage?limit=20");
    const rows = items.map((one) => {
      const row = element("tr", ""), name = element("th", "", { scope: "row", className: "fw-normal" });
      name.append(element("a", one.name, { href: `${BASE}/${PAGES[one.kind]}/${one.id}`, dir: "auto" }));
      row.append(name, element("td", one.kind), element("td", one.project, { dir: "auto" }), element("td", size(one.bytes), { className: "num" }));
      return row;
    });
    const place = document.getElementById("usage");
    place.querySelector("tbody").replaceChildren(...rows);
    place.hidden = false;
  } finally {
    target.disabled = false;
  }
});

async function pruned(dryRun) {
  const said = document.getElementById("pruned"), list = document.getElementById("prunable");
  showError(prune, null);
  try {
    const found = await call("POST", "/admin/prune", { ...fields(prune), dry_run: dryRun });
    const gone = found.items.filter((one) => !one.error), what = `${gone.length} run${gone.length === 1 ? "" : "s"} with ${size(found.bytes)}`;
    said.textContent = dryRun ? `${what} would be deleted${found.more ? ", and there are more" : ""}.` : `${what} deleted.`;
    list.replaceChildren(...found.items.map((one) => element("li", one.error ? `${one.name}: ${one.error.message}` : `${one.name} (${one.project}), ${size(one.bytes)}`, { dir: "auto" })));
    list.hidden = !found.items.length;
    now.hidden = !dryRun || !gone.length;
    now.textContent = `Delete ${what}`;
  } catch (error) {
    showError(prune, error)?.focus();
    now.hidden = true;
  }
}

prune?.addEventListener("submit", (event) => { event.preventDefault(); pruned(true); });
prune?.addEventListener("input", () => { now.hidden = true; });
now?.addEventListener("click", async () => { if (await isSure(`${now.textContent}? Their files are gone for good.`)) pruned(false); });
