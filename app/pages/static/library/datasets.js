// The list of data sets, live while any is being read, and the upload of one: an archive as it is, or any files and folders.
import { showError } from "../frame/acts.js";
import { BASE, call } from "../frame/api.js";
import { chosen, filesOf } from "./dropped.js";
import { Upload } from "./pieces.js";
import { refreshSoon } from "../frame/refresh.js";
import { tar } from "./tar.js";

const EVERY_MS = 2000;
const ARCHIVE = /\.(zip|tar|tgz|tar\.(gz|bz2|xz))$/i;
setInterval(() => { if (document.querySelector("#rows [data-status=queued], #rows [data-status=ingesting]")) refreshSoon(); }, EVERY_MS);

const form = document.getElementById("upload");
if (form) {
  const { file, folder, annotation } = form.elements, drop = document.getElementById("drop");
  for (const field of [file, folder]) field.addEventListener("change", () => { if (field.files.length) take(chosen(field.files)); });
  annotation.addEventListener("change", () => showChosen());
  for (const kind of ["dragover", "dragenter"]) drop.addEventListener(kind, (event) => { event.preventDefault(); drop.classList.add("border-primary"); });
  for (const kind of ["dragleave", "drop"]) drop.addEventListener(kind, () => drop.classList.remove("border-primary"));
  drop.addEventListener("drop", async (event) => {
    event.preventDefault();
    take(await filesOf(event.dataTransfer));
  });
  form.addEventListener("submit", (event) => { event.preventDefault(); send(); });
}

/** What is to be sent: {path, file}[]. */
let entries = [];

function take(found) {
  entries = found;
  const { name } = form.elements, top = found[0]?.path.split("/")[0] ?? "";
  const isNamed = found.length === 1 || found.every(({ path }) => path.startsWith(`${top}/`));
  if (!name.value && isNamed) name.value = bare(top);
  showChosen();
}

function showChosen() {
  const bytes = entries.reduce((sum, { file }) => sum + file.size, 0), n = entries.length;
  document.getElementById("chosen").textContent = n === 0 ? "" : `${n === 1 ? entries[0].path : `${n} files, sent as one tar`}, ${mega(bytes)} MB`;
}

/** A file's name without what says its kind, as long as a name may be. */
function bare(text) {
  return text.replace(/(\.tar)?\.[a-z0-9]+$/i, "").slice(0, 100);
}

async function send() {
  const { name, project, annotation } = form.elements, button = form.querySelector("button"), abort = document.getElementById("abort");
  if (!entries.length) return refuse("Nothing is chosen yet.", "Drop an archive, files or a folder.", "file");
  if (!name.value.trim()) return refuse("The data set has no name.", "Give it one of up to 100 characters.", "name");
  const isArchive = entries.length === 1 && ARCHIVE.test(entries[0].path), blob = isArchive ? entries[0].file : tar(entries);
  const beside = annotation.files[0], into = project.value || "default", uploads = [];
  const begin = (content, key) => { const upload = new Upload(content, key, into, progress()); uploads.push(upload); return upload.run(); };
  showError(form, null);
  document.getElementById("sending").hidden = abort.hidden = false;
  button.disabled = true;
  abort.onclick = () => { for (const upload of uploads) upload.stop(); };
  addEventListener("beforeunload", warn);
  try {
    const { id, sha256 } = await begin(blob, keyOf(entries));
    const body = { sha256, name: name.value };
    if (beside) {
      const sent = await begin(beside, keyOf([{ path: beside.name, file: beside }]));
      body.annotation = { upload_id: sent.id, sha256: sent.sha256, name: beside.name };
    }
    document.getElementById("sent").textContent = "Sent; the server is taking it in.";
    const made = await call("POST", `/uploads/${id}/finish`, body);
    for (const upload of uploads) upload.forget();
    removeEventListener("beforeunload", warn);
    location.assign(`${BASE}/datasets/${made.id}`);
  } catch (error) {
    showError(form, error);
  } finally {
    removeEventListener("beforeunload", warn);
    document.getElementById("sending").hidden = abort.hidden = true;
    button.disabled = false;
  }
}

/** Before anything is sent: what the server would say at the end. */
function refuse(message, remedy, field) {
  showError(form, { envelope: { message, remedy, errors: { [field]: [remedy] } } })?.focus();
}

function warn(event) {
  event.preventDefault();
}

/** What tells whether the same was chosen as before. */
function keyOf(chosenNow) {
  return chosenNow.map(({ path, file }) => `${path} ${file.size} ${file.lastModified}`).sort().join("\n");
}

function mega(bytes) {
  return (bytes / 1e6).toFixed(1);
}

function progress() {
  const bar = document.querySelector("#sending .progress"), said = document.getElementById("sent");
  let begun = null;
  return ({ sent, total, state }) => {
    if (state === "sending") begun ??= { at: performance.now(), sent };
    const part = (100 * sent) / total, speed = begun ? (sent - begun.sent) / Math.max(0.1, (performance.now() - begun.at) / 1000) : 0;
    bar.setAttribute("aria-valuenow", part.toFixed(0));
    bar.firstElementChild.style.width = `${part}%`;
    const words = { checking: "looking through what is there", waiting: "the line broke; it goes on by itself", sending: speed ? `${mega(speed)} MB/s` : "" }[state];
    said.textContent = `${mega(sent)} of ${mega(total)} MB${words ? `, ${words}` : ""}`;
  };
}
