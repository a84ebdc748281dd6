// Dialogs, and forms that call the API: <form data-call="PATCH /runs/x" data-then="stay">.
// Fields with dots in their names are nested; empty ones are left out; `data-body` is a body that is known already. An error lands at its field.
import { BASE, call } from "./api.js";
import { leaveFor, refreshSoon } from "./refresh.js";
import { isSure } from "./sure.js";

/** Lets the document's dialogs open and its forms call. */
export function listen() {
  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-dialog]");
    if (opener) document.getElementById(opener.dataset.dialog).showModal();
    if (event.target.closest("[data-close]")) event.target.closest("dialog").close();
  });
  document.addEventListener("submit", (event) => {
    if (event.target.dataset.call) {
      event.preventDefault();
      submit(event.target);
    }
  });
}

async function submit(form) {
  if (form.dataset.sure && !await isSure(form.dataset.sure)) return;
  const [method, path] = form.dataset.call.split(" ");
  const button = form.querySelector("button:not([type=button])");
  showError(form, null);
  const empty = [...form.elements].filter((input) => input.required && input.value === "");
  if (empty.length) return showError(form, missing(empty))?.focus();
  button.disabled = true;
  try {
    const body = form.dataset.body ? JSON.parse(form.dataset.body) : fields(form);
    const answer = await call(method, path, Object.keys(body).length || method === "PATCH" ? body : undefined);
    const [then, shown] = form.dataset.then.split(":");
    if (then === "show") return showOnce(form, answer[shown]);
    form.closest("dialog")?.close();
    if (then === "stay") {
      for (const input of form.querySelectorAll("input")) delete input.dataset.edited;
      refreshSoon();
    } else leaveFor(BASE + form.dataset.then.replaceAll(/{(\w+)}/g, (_, name) => encodeURIComponent(answer?.[name] ?? "")));
  } catch (error) {
    showError(form, error)?.focus();
  } finally {
    button.disabled = false;
  }
}

/** What is said of fields that must be filled in, in the form of an answer of the API. */
function missing(inputs) {
  return { envelope: { message: "Something is missing.", errors: Object.fromEntries(inputs.map((input) => [input.name, "Fill this in."])) } };
}

/** Shows what the server tells but once, in place of the form; closing the dialog brings the form back, empty. */
function showOnce(form, text) {
  const box = Object.assign(document.createElement("div"), { className: "mt-2" });
  const words = Object.assign(document.createElement("p"), { textContent: "Copy it now: it is shown this once.", className: "mb-1" });
  const code = Object.assign(document.createElement("code"), { textContent: text, className: "user-select-all text-break d-block border rounded p-2", tabIndex: 0 });
  box.append(words, code);
  const button = form.querySelector("button:not([type=button])");
  button.before(box);
  button.hidden = true;
  form.closest("dialog").addEventListener("close", () => { box.remove(); button.hidden = false; form.reset(); refreshSoon(); }, { once: true });
}

/** The form's fields as a JSON body. Boxes of one name with `data-several` are a list of those that are ticked. */
export function fields(form) {
  const body = {};
  for (const input of form.elements) {
    if (!input.name || input.disabled || (input.value === "" && !input.dataset.empty)) continue;
    if (input.type === "radio" && !input.checked) continue;
    if ("several" in input.dataset) { if (input.checked) (body[input.name] ??= []).push(input.value); continue; }
    const parts = input.name.split("."), last = parts.pop();
    const place = parts.reduce((inner, part) => (inner[part] ??= {}), body);
    place[last] = value(input);
  }
  return body;
}

/** `data-list` is a list of words parted by commas; `data-empty` says what an empty field is. */
function value(input) {
  if ("list" in input.dataset) return input.value.split(",").map((word) => word.trim()).filter(Boolean);
  if (input.value === "") return input.dataset.empty === "text" ? "" : null;
  if (input.type === "checkbox") return input.checked;
  return input.type === "number" ? Number(input.value) : input.value;
}

/** Shows what an error says, at the fields it names and for the whole form; the last of these fields. */
export function showError(form, error) {
  for (const old of form.querySelectorAll(".is-invalid")) old.classList.remove("is-invalid");
  for (const old of form.querySelectorAll(".invalid-feedback")) old.remove();
  const box = form.querySelector(".act-error");
  box.hidden = error === null;
  if (error === null) return null;
  const envelope = error.envelope ?? { message: String(error), remedy: "", errors: {} };
  box.textContent = `${envelope.message} ${envelope.remedy ?? ""}`;
  let marked = null;
  for (const [name, words] of leaves(envelope.errors ?? {})) {
    const [input, within] = inputOf(form, name);
    if (!input) { box.textContent += ` ${name}: ${words}.`; continue; }
    marked = input;
    input.classList.add("is-invalid");
    const note = document.createElement("div");
    note.className = "invalid-feedback";
    note.id = `${input.name}-error`;
    note.textContent = within ? `${within}: ${words}` : words;
    input.setAttribute("aria-describedby", note.id);
    input.after(note);
  }
  return marked;
}

/** The field of that name, or of what it is a part of, and the rest of the name. */
function inputOf(form, name) {
  const parts = name.split(".");
  for (let n = parts.length; n > 0; n--) {
    const input = form.elements.namedItem(parts.slice(0, n).join("."));
    if (input instanceof HTMLElement) return [input, parts.slice(n).join(".")];
  }
  return [null, name];
}

function* leaves(errors, prefix = "") {
  for (const [name, found] of Object.entries(errors)) {
    if (found && typeof found === "object" && !Array.isArray(found)) yield* leaves(found, `${prefix}${name}.`);
    else yield [prefix + name, [].concat(found).join("; ")];
  }
}
