// A trained model is tried on images that are dropped on its page: the server's answer, beside what was sent.
import { call } from "../frame/api.js";
import { showError } from "../frame/acts.js";

const form = document.getElementById("try");
if (form) {
  const file = form.elements.image, drop = document.getElementById("drop");
  for (const kind of ["dragover", "dragenter"]) drop.addEventListener(kind, (event) => { event.preventDefault(); drop.classList.add("border-primary"); });
  for (const kind of ["dragleave", "drop"]) drop.addEventListener(kind, () => drop.classList.remove("border-primary"));
  drop.addEventListener("drop", (event) => {
    event.preventDefault();
    file.files = event.dataTransfer.files;
    ask();
  });
  file.addEventListener("change", ask);
  form.addEventListener("submit", (event) => event.preventDefault());
}

async function ask() {
  const { image } = form.elements, busy = document.getElementById("busy"), most = Number(image.dataset.most);
  const files = [...image.files].slice(0, most);
  if (!files.length) return;
  const body = new FormData();
  for (const one of files) body.append("image", one);
  body.append("form", "json");
  body.append("pictures", "overlay");
  showError(form, null);
  image.disabled = true;
  busy.textContent = `A worker looks at ${files.length === 1 ? "it" : `${files.length} images`}…`;
  try {
    const model = document.getElementById("model").dataset.model;
    const answer = await call("POST", `/trained-models/${model}/predict`, body);
    document.getElementById("found").replaceChildren(...answer.images.map((one, n) => card(one, files[n])));
    const left = image.files.length > most ? ` The first ${most} were sent.` : "";
    busy.textContent = `Done in ${answer.seconds.toFixed(2)} s.${left}`;
  } catch (error) {
    busy.textContent = "";
    showError(form, error);
  } finally {
    image.disabled = false;
  }
}

/** One image: what was sent under what the model sees in it, as strong as wanted, and how much of each class. */
function card(found, file) {
  const box = element("section", "border rounded p-2"), stack = element("div", "stack over");
  const sent = element("img"), seen = element("img");
  sent.src = URL.createObjectURL(file);
  sent.alt = `${found.name}, as it was sent`;
  seen.src = `data:image/png;base64,${found.overlay}`;
  seen.alt = `${found.name} under the colours of its classes`;
  stack.append(sent, seen);
  const label = element("label", "small d-flex gap-2 align-items-center", "Overlay"), range = element("input", "form-range");
  Object.assign(range, { type: "range", min: 0, max: 100, value: 100 });
  range.addEventListener("input", () => { seen.style.opacity = range.value / 100; });
  label.append(range);
  sent.onload = () => URL.revokeObjectURL(sent.src);
  sent.onerror = () => { sent.remove(); seen.classList.add("alone"); label.hidden = true; }; // of a kind that browsers do not show
  const title = element("h3", "h6 text-break");
  title.append(element("bdi", "", found.name), ` ${found.width} × ${found.height}`);
  box.append(title, stack, label, classes(found.classes));
  for (const notice of found.notices) box.append(element("p", "small alert alert-warning py-1 mb-0", notice));
  return box;
}

function classes(all) {
  const list = element("ul", "list-unstyled small mb-0");
  for (const one of all.filter(({ pixels, predicted, objects }) => pixels || predicted || objects)) {
    const row = element("li", "d-flex gap-2 align-items-baseline"), swatch = element("span", "swatch flex-shrink-0"), name = element("bdi", "text-break me-auto", one.name);
    swatch.style.background = `rgb(${one.color.join(", ")})`;
    row.append(swatch, name, element("span", "figures", amount(one)));
    list.append(row);
  }
  if (!list.childElementCount) list.append(element("li", "", "No class was found."));
  return list;
}

/** How much of a class there is: a share of the pixels, how probable it is of the image, or how many objects. */
function amount({ share, probability, objects }) {
  return objects === undefined ? `${(100 * (share ?? probability)).toFixed(1)} %` : `${objects} ×`;
}

function element(name, className = "", text = "") {
  return Object.assign(document.createElement(name), { className, textContent: text });
}
