// Curves of runs: they are drawn when they come into view, fetch only what is new, and keep what a reader has chosen
// (axis, smoothing, logarithms, zoom) in the address.
import { call } from "../frame/api.js";
import { choices, choose } from "./choices.js";
import { marksOf } from "./marks.js";
import { Plot } from "./plot.js";
import { smoothed } from "./smoothing.js";

const MAX_POINTS = 1000;
/** Okabe and Ito's colours, which the colour-blind tell apart; dots and symbols tell the same once more. */
export const COLORS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#b8a800", "#777777"];
const TITLES = { epoch: "epoch", step: "step", time: "minutes of training" };

export class Charts {
  /** Draws into `place` the runs: {id, name}; a name is shown where there are several. Its `data-charts` are what is drawn: {key, title, names}, of metrics. */
  constructor(place, runs) {
    this.runs = runs;
    this.groups = JSON.parse(place.dataset.charts);
    this.series = new Map();
    this.marks = [];
    this.since = null;
    this.version = 0;
    this.isFetching = this.isAsked = false;
    this.none = Object.assign(document.createElement("p"), { className: "text-body-secondary", textContent: "There are no values yet.", hidden: true });
    place.before(this.none);
    this.boxes = this.groups.map((group) => this.#box(place, group));
    this.#controls();
    addEventListener("themechange", () => this.draw());
    this.update();
    this.updateMarks();
  }

  /** Fetches what is new, and draws it. */
  async update() {
    if (this.isFetching) { this.isAsked = true; return; }
    this.isFetching = true;
    try {
      const query = new URLSearchParams({ runs: this.runs.map((run) => run.id).join(","), names: this.groups.flatMap((group) => group.names).join(","), max_points: MAX_POINTS });
      if (this.since) query.set("since", this.since);
      const { items, since } = await call("GET", `/metrics/series?${query}`);
      const isFirst = this.since === null;
      this.since = since;
      for (const one of items) this.#take(one);
      if (items.length || isFirst) this.draw();
      if ([...this.series.values()].some((one) => one.values.length > 2 * MAX_POINTS)) {
        this.since = ""; // a page that has been open for thousands of epochs asks for all anew, thinned out
        this.isAsked = true;
      }
    } catch {
      // the server is away: `live.js` says so and asks again when it is back
    } finally {
      this.isFetching = false;
      if (this.isAsked) { this.isAsked = false; this.update(); }
    }
  }

  /** Fetches where the epoch target was changed; of one run only. */
  async updateMarks() {
    if (this.runs.length > 1) return;
    this.marks = await marksOf(this.runs[0].id);
    this.draw();
  }

  /** Draws all charts that are in view, with the next picture of the screen. */
  draw() {
    if (this.isDue) return;
    this.isDue = true;
    requestAnimationFrame(() => {
      this.isDue = false;
      const isKnown = this.since !== null; // until then all keep their places
      for (const box of this.boxes) box.card.hidden = isKnown && !this.#has(box.group);
      this.none.hidden = this.boxes.some((box) => !box.card.hidden);
      for (const box of this.boxes) if (box.isSeen) box.plot.show(this.#view(box.group));
    });
  }

  /** Whether any run has values of a chart's: none is shown that stays empty. */
  #has(group) {
    return this.runs.some((run) => group.names.some((name) => this.series.get(`${run.id} ${name}`)?.values.some((value) => value !== null)));
  }

  #take(one) {
    this.version += 1;
    const key = `${one.run_id} ${one.name}`, known = this.series.get(key);
    one.minutes = one.seconds.map((seconds) => seconds / 60);
    if (one.restart || !known) return this.series.set(key, one);
    for (const part of ["epochs", "steps", "minutes", "values"]) known[part].push(...one[part]);
  }

  #box(place, group) {
    const card = document.createElement("div");
    card.className = "card";
    card.innerHTML = `<div class="card-header py-1 d-flex"><h3 class="h6 m-0 me-auto"></h3><label class="small me-3"><input type="checkbox" class="form-check-input"> logarithmic</label><button type="button" class="btn btn-link btn-sm p-0">PNG</button></div><div class="chart" role="group"></div>`;
    card.querySelector("h3").textContent = group.title;
    const div = card.querySelector(".chart"), png = card.querySelector("button");
    div.setAttribute("aria-label", `Chart of ${group.title}: arrows tell values, plus and minus zoom, 0 shows all; the figures are in the CSV file`);
    png.setAttribute("aria-label", `${group.title} as PNG`);
    const box = { card, group, plot: new Plot(div, (zoom) => this.#zoom(zoom)), isSeen: false };
    div.plot = box.plot;
    png.addEventListener("click", () => save(box.plot, group.key));
    const log = card.querySelector("input");
    log.checked = choices().log.includes(group.key);
    log.addEventListener("change", () => {
      const others = choices().log.filter((key) => key !== group.key);
      choose({ log: log.checked ? [...others, group.key] : others });
      this.draw();
    });
    place.append(card);
    new IntersectionObserver(([seen]) => {
      box.isSeen = seen.isIntersecting;
      if (box.isSeen) this.draw();
    }, { rootMargin: "200px" }).observe(card);
    return box;
  }

  #zoom(zoom) {
    choose({ zoom });
    document.getElementById("unzoom").hidden = zoom === null;
    this.draw();
  }

  #controls() {
    const x = document.getElementById("x"), smooth = document.getElementById("smooth"), all = document.getElementById("unzoom");
    x.value = choices().x;
    smooth.value = choices().smooth;
    all.hidden = choices().zoom === null;
    x.addEventListener("change", () => { choose({ x: x.value }); this.#zoom(null); });
    smooth.addEventListener("input", () => { choose({ smooth: Number(smooth.value) }); this.draw(); });
    all.addEventListener("click", () => this.#zoom(null));
  }

  #view(group) {
    const { x, log, zoom } = choices();
    const marks = x === "time" ? [] : this.marks.map((mark) => ({ x: mark[x], words: mark.words }));
    return { lines: this.#lines(group), xTitle: TITLES[x], isWhole: x !== "time", isLog: log.includes(group.key), zoom, marks, isOfOne: this.runs.length === 1, version: this.version };
  }

  #lines(group) {
    const { x, smooth, log } = choices(), isOfOne = this.runs.length === 1, isOfClasses = group.key === "classes", isLog = log.includes(group.key);
    const faint = [], lines = [];
    this.runs.forEach((run, place) => group.names.forEach((name, nth) => {
      const one = this.series.get(`${run.id} ${name}`);
      if (!one || !one.values.length) return;
      const line = {
        name: isOfOne ? (isOfClasses ? name.slice(name.indexOf("/") + 1) : name) : `${run.name} ${name}`,
        xs: x === "epoch" ? one.epochs : x === "step" ? one.steps : one.minutes,
        ys: one.values,
        color: COLORS[(isOfOne ? group.names.length - 1 - nth : place) % COLORS.length],
        symbol: isOfClasses ? nth : isOfOne ? 0 : place,
        isDotted: name.startsWith("train"),
        isFaint: false,
      };
      if (smooth > 0) faint.push({ ...line, isFaint: true });
      lines.push(smooth > 0 ? { ...line, ys: smoothed(one.values, smooth, isLog) } : line);
    }));
    return [...faint, ...lines];
  }
}

/** Saves what a chart shows as a picture. */
function save(plot, name) {
  const picture = document.createElement("canvas"), context = picture.getContext("2d");
  Object.assign(picture, { width: plot.canvas.width, height: plot.canvas.height });
  context.fillStyle = getComputedStyle(document.body).backgroundColor;
  context.fillRect(0, 0, picture.width, picture.height);
  for (const layer of [plot.below, plot.canvas]) context.drawImage(layer, 0, 0);
  picture.toBlob((content) => {
    const address = URL.createObjectURL(content);
    Object.assign(document.createElement("a"), { href: address, download: `${name}.png` }).click();
    setTimeout(() => URL.revokeObjectURL(address), 10_000);
  });
}
