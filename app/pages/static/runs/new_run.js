// The form of a new run: what differs from the experiment is marked, kept in the address, judged by the server as one types.
import { showError } from "../frame/acts.js";
import { BASE, call } from "../frame/api.js";

const PAUSE_MS = 400;
const form = document.getElementById("new-run");
const verdict = document.getElementById("verdict");
const entries = [...form.querySelectorAll("[data-entry]")].map((place) => ({
  place, kind: place.dataset.kind, base: place.dataset.base,
  input: place.querySelector("input, select, textarea"), differs: place.querySelector(".differs"),
}));
const always = entries.filter(({ place }) => "unsaid" in place.dataset); // they say whose defaults are laid out
const OF_THE_TASK = ["spec.model.task", "spec.model.architecture", "spec.optimization.losses", "spec.early_stopping.monitor", "spec.checkpoints.monitor"];
const own = [...form.elements].filter((input) => input.name && !input.name.startsWith("spec."));
const preset = form.elements.namedItem("spec.augmentation.preset");
const draft = form.dataset.draft ?? null;
let waiting = 0, asked = 0;

/** The value of an entry as JSON data; undefined for a number that is not there. Throws for what is no JSON. */
function valueOf({ kind, input }) {
  const text = input.value.trim();
  if (kind === "switch") return text === "true";
  if (kind === "json") return JSON.parse(text);
  if (text === "") return input.placeholder ? null : undefined;
  if (kind === "whole" || kind === "number" || (kind === "whole_or_auto" && text !== "auto")) return Number.isNaN(Number(text)) ? text : Number(text);
  return text;
}

/** Objects with their keys in order, so that equal ones are equal texts. */
function plain(value) {
  return JSON.stringify(value, (_, one) => (one && typeof one === "object" && !Array.isArray(one) ? Object.fromEntries(Object.entries(one).sort()) : one));
}

function changed() {
  const found = [];
  for (const entry of entries) {
    let value, fault = null;
    try { value = valueOf(entry); } catch (error) { fault = error; }
    const differs = fault !== null || (value !== undefined && plain(value) !== plain(JSON.parse(entry.base)));
    entry.place.classList.toggle("changed", differs);
    entry.differs.hidden = !differs;
    if (differs) found.push({ name: entry.input.name, value, fault });
  }
  const isPreset = found.some(({ name }) => name === "spec.augmentation.preset");
  // A preset brings its own transforms: those that are shown are of the one before.
  return found.filter(({ name }) => !(isPreset && preset.value !== "custom" && name === "spec.augmentation.transforms"));
}

/** What says whose defaults are meant, but for what is meant anyway: `unsaid` in the address, `unsent` to the server. */
function meant(otherwise) {
  return always.map((entry) => ({ name: entry.input.name, value: valueOf(entry), usual: entry.place.dataset[otherwise] })).filter(({ value, usual }) => value !== usual);
}

function body(changes) {
  const made = {};
  for (const input of own) {
    const text = input.value.trim();
    if (text === "") continue;
    made[input.name] = input.name === "tags" ? text.split(",").map((tag) => tag.trim()).filter(Boolean) : input.type === "number" ? Number(text) : text;
  }
  for (const { name, value } of [...meant("unsent"), ...changes]) {
    if (name === "spec.augmentation.preset" && value === "custom") continue; // transforms by themselves make it so
    const parts = name.split("."), last = parts.pop();
    parts.reduce((inner, part) => (inner[part] ??= {}), made)[last] = value;
  }
  return made;
}

function show(changes) {
  document.getElementById("changes").textContent = changes.length === 1 ? "1 setting differs" : changes.length ? `${changes.length} settings differ` : "";
  for (const part of form.querySelectorAll("[data-part]")) {
    const n = part.querySelectorAll(".changed").length, badge = part.querySelector("[data-changes]");
    badge.hidden = n === 0;
    badge.textContent = `${n} changed`;
  }
}

function keepInAddress(changes, without = []) {
  const kept = new URLSearchParams(new URLSearchParams(location.search).has("short") ? { short: "1" } : {});
  for (const input of own) if (input.value.trim()) kept.set(input.name, input.value.trim());
  for (const { name, value, fault } of [...meant("unsaid"), ...changes]) if (!fault && !without.includes(name)) kept.set(name, JSON.stringify(value));
  if (draft) { kept.set("draft", draft); kept.set("edited", "1"); }
  history.replaceState(null, "", `${location.pathname}?${kept}`);
}

/** An error of the API's kind for fields that hold no JSON; null if all do. */
function faultOf(changes) {
  const broken = changes.filter(({ fault }) => fault);
  if (!broken.length) return null;
  const errors = Object.fromEntries(broken.map(({ name, fault }) => [name, [`This is not JSON: ${fault.message}.`]]));
  return { envelope: { message: "A field cannot be read.", remedy: "Correct it.", errors } };
}

function say(words, look) {
  verdict.textContent = words;
  verdict.className = `me-auto ${look}`;
}

function notice(words) {
  const list = document.getElementById("notices");
  list.hidden = words.length === 0;
  list.replaceChildren(...words.map((text) => Object.assign(document.createElement("li"), { textContent: text })));
}

async function judge() {
  const changes = changed(), number = ++asked;
  show(changes);
  keepInAddress(changes);
  const fault = faultOf(changes);
  if (fault) { say("", ""); showError(form, fault); return; }
  if (!form.elements.dataset_id.value) { showError(form, null); say("Choose a data set.", "text-body-secondary"); return; }
  try {
    const found = await call("POST", "/runs/check", body(changes));
    if (number !== asked) return;
    showError(form, null);
    say("The server would accept it.", "text-success-emphasis");
    notice(found.notices ?? []);
  } catch (error) {
    if (number !== asked) return;
    showError(form, error);
    say("The server would refuse it.", "text-danger-emphasis");
    notice([]);
  }
}

form.addEventListener("input", (event) => {
  if (event.target.id === "experiment") return;
  clearTimeout(waiting);
  waiting = setTimeout(judge, PAUSE_MS);
});

const experiment = form.elements.namedItem("experiment"), saved = document.getElementById("saved-experiments");
experiment?.addEventListener("change", () => {
  keepInAddress(changed());
  location.reload(); // its settings are the server's to lay out
});
for (const { input, base } of always) {
  const begin = () => beginAnew(OF_THE_TASK.filter((name) => name !== input.name));
  input.addEventListener("change", begin);
  if (input.value !== JSON.parse(base)) begin(); // it was changed before this script had come
}
form.elements.dataset_id.addEventListener("change", ({ target }) => {
  const task = form.elements.namedItem("spec.task"), tasks = target.selectedOptions[0].dataset.tasks?.split(" ") ?? [];
  if (always.length && tasks.length && task && !tasks.includes(task.value)) beginAnew(["spec.task", ...OF_THE_TASK]);
});

/** Lets the server lay out the defaults of another task; what is named of the one before is left out. */
function beginAnew(without) {
  keepInAddress(changed(), without);
  location.reload();
}

for (const input of [form.elements.dataset_id, form.elements.namedItem("project")]) if (experiment) input?.addEventListener("change", offerSaved);

/** Offers the experiments that the run's project has saved; the one that is chosen stays. */
async function offerSaved() {
  const set = form.elements.dataset_id.selectedOptions[0], project = form.elements.project.value.trim() || set?.dataset.project;
  const { items } = project ? await call("GET", `/saved-experiments?${new URLSearchParams({ project, limit: 200 })}`) : { items: [] };
  const names = items.map((one) => one.name).filter(Boolean).sort(), kept = [...saved.children].filter((option) => option.selected && !names.includes(option.value));
  saved.replaceChildren(...kept, ...names.map((name) => new Option(name, name, false, name === experiment.value)));
  saved.hidden = saved.children.length === 0;
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  clearTimeout(waiting);
  const changes = changed(), fault = faultOf(changes), button = form.querySelector("button");
  if (fault) { showError(form, fault)?.focus(); return; }
  button.disabled = true;
  try {
    if (draft) await save(changes);
    const run = draft ? await call("POST", `/drafts/${draft}/submit`) : await call("POST", "/runs", body(changes));
    location.assign(`${BASE}/runs/${run.id}`);
  } catch (error) {
    unfold(showError(form, error))?.focus();
    button.disabled = false;
  }
});

/** Keeps all of it for later; what a draft had and the form has no more is left out of it. */
async function save(changes) {
  const made = body(changes);
  if (!draft) return call("POST", "/drafts", made);
  const nothing = Object.fromEntries([...own.map((input) => input.name), "spec"].map((name) => [name, null]));
  return call("PATCH", `/drafts/${draft}`, { ...nothing, ...made });
}

document.getElementById("save").addEventListener("click", async ({ target }) => {
  const changes = changed(), fault = faultOf(changes);
  if (fault) { showError(form, fault)?.focus(); return; }
  target.disabled = true;
  try {
    await save(changes);
    location.assign(`${BASE}/drafts`);
  } catch (error) {
    unfold(showError(form, error))?.focus();
    target.disabled = false;
  }
});

function unfold(input) {
  input?.closest("details")?.setAttribute("open", "");
  return input;
}

judge();
