// The list of data sets, live while any is being read, and the upload with its progress.
import { API, BASE } from "./api.js";
import { showError } from "./acts.js";
import { refreshSoon } from "./refresh.js";

const EVERY_MS = 2000;
setInterval(() => { if (document.querySelector("#rows [data-status=queued], #rows [data-status=ingesting]")) refreshSoon(); }, EVERY_MS);

const form = document.getElementById("upload");
if (form) {
  const { file, name } = form.elements, drop = document.getElementById("drop");
  file.addEventListener("change", () => { if (!name.value && file.files[0]) name.value = bare(file.files[0].name); });
  for (const kind of ["dragover", "dragenter"]) drop.addEventListener(kind, (event) => { event.preventDefault(); drop.classList.add("border-primary"); });
  for (const kind of ["dragleave", "drop"]) drop.addEventListener(kind, () => drop.classList.remove("border-primary"));
  drop.addEventListener("drop", (event) => {
    event.preventDefault();
    file.files = event.dataTransfer.files;
    file.dispatchEvent(new Event("change"));
  });
  form.addEventListener("submit", (event) => { event.preventDefault(); send(form); });
}

/** A file's name without what says its kind, as long as a name may be. */
function bare(text) {
  return text.replace(/(\.tar)?\.[a-z0-9]+$/i, "").slice(0, 100);
}

function send(form) {
  const request = new XMLHttpRequest(), began = performance.now(); // fetch tells nothing of what it has sent
  const sending = document.getElementById("sending"), abort = document.getElementById("abort");
  const body = new FormData();
  for (const [name, value] of new FormData(form)) if (typeof value === "string" ? value : value.size) body.append(name, value);
  const done = (error) => { sending.hidden = abort.hidden = true; form.querySelector("button").disabled = false; showError(form, error); };
  request.upload.onprogress = ({ loaded, total }) => showSent(loaded, total, (performance.now() - began) / 1000);
  request.onerror = () => done(new Error("The line broke. Nothing was kept; send it again."));
  request.onabort = () => done(null);
  request.onload = () => {
    const answer = JSON.parse(request.responseText);
    if (request.status === 202) return location.assign(`${BASE}/datasets/${answer.id}`);
    done(Object.assign(new Error(answer.message), { envelope: answer }));
  };
  showError(form, null);
  sending.hidden = abort.hidden = false;
  form.querySelector("button").disabled = true;
  abort.onclick = () => request.abort();
  request.open("POST", `${API}/datasets`);
  request.setRequestHeader("Accept", "application/json");
  request.send(body);
}

function showSent(loaded, total, seconds) {
  const part = total ? (100 * loaded) / total : 0, mega = (bytes) => (bytes / 1e6).toFixed(1);
  const bar = document.querySelector("#sending .progress");
  bar.setAttribute("aria-valuenow", part.toFixed(0));
  bar.firstElementChild.style.width = `${part}%`;
  const words = loaded < total ? `${mega(loaded)} of ${mega(total)} MB, ${mega(loaded / Math.max(seconds, 0.1))} MB/s` : "Sent; the server is taking it in.";
  document.getElementById("sent").textContent = words;
}
