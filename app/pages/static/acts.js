// Dialogs, and forms that call the API: <form data-call="PATCH /runs/x" data-then="stay">.
// Fields with dots in their names are nested; empty ones are left out; `data-body` is a body that is known already. An error lands at its field.
import { BASE, call } from "./api.js";
import { refreshSoon } from "./refresh.js";

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
  const [method, path] = form.dataset.call.split(" ");
  const button = form.querySelector("button:not([type=button])");
  showError(form, null);
  button.disabled = true;
  try {
    const body = form.dataset.body ? JSON.parse(form.dataset.body) : fields(form);
    const answer = await call(method, path, Object.keys(body).length || method === "PATCH" ? body : undefined);
    form.closest("dialog")?.close();
    if (form.dataset.then === "stay") {
      for (const input of form.querySelectorAll("input")) delete input.dataset.edited;
      refreshSoon();
    } else location.assign(BASE + form.dataset.then.replace("{id}", answer?.id ?? ""));
  } catch (error) {
    showError(form, error);
  } finally {
    button.disabled = false;
  }
}

/** The form's fields as a JSON body. */
function fields(form) {
  const body = {};
  for (const input of form.elements) {
    if (!input.name || input.disabled || (input.value === "" && input.dataset.empty !== "null")) continue;
    if (input.type === "radio" && !input.checked) continue;
    const parts = input.name.split("."), last = parts.pop();
    const place = parts.reduce((inner, part) => (inner[part] ??= {}), body);
    place[last] = value(input);
  }
  return body;
}

function value(input) {
  if (input.value === "") return null;
  if (input.type === "checkbox") return input.checked;
  return input.type === "number" ? Number(input.value) : input.value;
}

/** Shows what an error says, at the fields it names and for the whole form. */
export function showError(form, error) {
  for (const old of form.querySelectorAll(".is-invalid")) old.classList.remove("is-invalid");
  for (const old of form.querySelectorAll(".invalid-feedback")) old.remove();
  const box = form.querySelector(".act-error");
  box.hidden = error === null;
  if (error === null) return;
  const envelope = error.envelope ?? { message: String(error), remedy: "", errors: {} };
  box.textContent = `${envelope.message} ${envelope.remedy ?? ""}`;
  for (const [name, words] of leaves(envelope.errors ?? {})) {
    const input = form.elements.namedItem(name);
    if (!(input instanceof HTMLElement)) { box.textContent += ` ${name}: ${words}.`; continue; }
    input.classList.add("is-invalid");
    const note = document.createElement("div");
    note.className = "invalid-feedback";
    note.id = `${name}-error`;
    note.textContent = words;
    input.setAttribute("aria-describedby", note.id);
    input.after(note);
    input.focus();
  }
}

function* leaves(errors, prefix = "") {
  for (const [name, found] of Object.entries(errors)) {
    if (found && typeof found === "object" && !Array.isArray(found)) yield* leaves(found, `${prefix}${name}.`);
    else yield [prefix + name, [].concat(found).join("; ")];
  }
}
