// Curves of runs: they are drawn when they come into view, fetch only what is new, and keep what a reader has chosen
// (axis, smoothing, logarithms, zoom) in the address.
import { call } from "./api.js";
import { marksOf } from "./marks.js";
import { smoothed } from "./smoothing.js";
import { choices, choose } from "./choices.js";

const MAX_POINTS = 1000;
/** Okabe and Ito's colours, which the colour-blind tell apart; dashes and markers tell the same once more. */
export const COLORS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#b8a800", "#777777"];
const MARKERS = ["circle", "square", "diamond", "triangle-up", "x", "star", "cross", "pentagon"];
/** The buttons are named one by one: among plotly's own is one that sends the data elsewhere. */
const CONFIG = { displaylogo: false, responsive: true, modeBarButtons: [["toImage", "zoom2d", "pan2d", "zoomIn2d", "zoomOut2d", "resetScale2d"]] };
const AXES = { epoch: ["epochs", "epoch"], step: ["steps", "step"], time: ["minutes", "minutes of training"] };

export class Charts {
  /** Draws into `place` the runs: {id, name}; a name is shown where there are several. Its `data-charts` are what is drawn: {key, title, names}, of metrics. */
  constructor(place, runs) {
    this.runs = runs;
    this.groups = JSON.parse(place.dataset.charts);
    this.series = new Map();
    this.marks = [];
    this.since = null;
    this.isFetching = this.isAsked = false;
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
      this.since = since;
      for (const one of items) this.#take(one);
      if (items.length) this.draw();
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
    requestAnimationFrame(async () => {
      this.isDue = false;
      const plotly = await loadPlotly();
      for (const box of this.boxes) if (box.isSeen) this.#plot(plotly, box);
    });
  }

  #take(one) {
    const key = `${one.run_id} ${one.name}`, known = this.series.get(key);
    if (one.restart || !known) return this.series.set(key, one);
    // New lists: plotly draws again what is another object, not what has grown.
    for (const part of ["epochs", "steps", "seconds", "values"]) known[part] = [...known[part], ...one[part]];
  }

  #box(place, group) {
    const card = document.createElement("div");
    card.className = "card";
    card.innerHTML = `<div class="card-header py-1 d-flex"><h3 class="h6 m-0 me-auto"></h3><label class="small"><input type="checkbox" class="form-check-input"> logarithmic</label></div><div class="chart" role="group"></div>`;
    card.querySelector("h3").textContent = group.title;
    const box = { group, div: card.querySelector(".chart"), isSeen: false, isDrawn: false };
    box.div.setAttribute("aria-label", `Chart of ${group.title}; the figures are in the CSV file`);
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

  #controls() {
    const x = document.getElementById("x"), smooth = document.getElementById("smooth"), all = document.getElementById("unzoom");
    x.value = choices().x;
    smooth.value = choices().smooth;
    all.hidden = choices().zoom === null;
    x.addEventListener("change", () => { choose({ x: x.value, zoom: null }); all.hidden = true; this.draw(); });
    smooth.addEventListener("input", () => { choose({ smooth: Number(smooth.value) }); this.draw(); });
    all.addEventListener("click", () => { choose({ zoom: null }); all.hidden = true; this.draw(); });
  }

  #plot(plotly, box) {
    plotly.react(box.div, this.#traces(box.group), this.#layout(box.group), CONFIG);
    if (box.isDrawn) return;
    box.isDrawn = true;
    box.div.on("plotly_relayout", (changed) => {
      const [from, to] = changed["xaxis.range"] ?? [changed["xaxis.range[0]"], changed["xaxis.range[1]"]];
      if (from === undefined && !changed["xaxis.autorange"]) return;
      choose({ zoom: from === undefined ? null : [from, to] });
      document.getElementById("unzoom").hidden = from === undefined;
      this.draw();
    });
  }

  #traces(group) {
    const { x, smooth, log } = choices(), traces = [];
    this.runs.forEach((run, place) => group.names.forEach((name, nth) => {
      const one = this.series.get(`${run.id} ${name}`);
      if (!one || !one.values.length) return;
      const xs = x === "epoch" ? one.epochs : x === "step" ? one.steps : one.seconds.map((seconds) => seconds / 60);
      const color = COLORS[(this.runs.length > 1 ? place : group.names.length - 1 - nth) % COLORS.length];
      const words = this.runs.length > 1 ? `${run.name} ${name}` : group.key === "classes" ? name.slice(name.indexOf("/") + 1) : name;
      const nthMarker = group.key === "classes" ? nth : place;
      const look = { x: xs, type: "scatter", line: { color, width: 2, dash: name.startsWith("train") ? "dot" : "solid" }, marker: { symbol: MARKERS[(nthMarker + Math.floor(nthMarker / COLORS.length)) % MARKERS.length], size: 5, color } };
      const mode = one.values.length < 60 ? "lines+markers" : "lines";
      if (smooth > 0) {
        traces.push({ ...look, y: one.values, mode: "lines", opacity: 0.25, name: words, hoverinfo: "skip", showlegend: false });
        traces.push({ ...look, y: smoothed(one.values, smooth, log.includes(group.key)), mode: "lines", name: words });
      } else traces.push({ ...look, y: one.values, mode, name: words });
    }));
    for (const trace of traces) { trace.name = trace.name.replaceAll("<", "‹").replaceAll("&", "＆"); trace.hovertemplate = trace.hoverinfo ? undefined : "%{y:.4g}"; }
    return traces;
  }

  #layout(group) {
    const style = getComputedStyle(document.body), color = (name) => style.getPropertyValue(name).trim();
    const { x, log, zoom } = choices();
    const axis = { gridcolor: color("--bs-border-color"), zeroline: false, linecolor: color("--bs-border-color") };
    const marks = x === "time" ? [] : this.marks;
    return {
      margin: { l: 48, r: 12, t: 8, b: 36 },
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
      font: { color: color("--bs-body-color"), size: 11, family: style.fontFamily },
      hovermode: this.runs.length > 1 ? "closest" : "x unified", hoverlabel: { bgcolor: color("--bs-body-bg"), font: { color: color("--bs-body-color") } },
      showlegend: this.runs.length === 1, legend: { orientation: "h", y: 1.12, x: 0 },
      xaxis: { ...axis, title: { text: AXES[x][1] }, ...(zoom ? { range: zoom, autorange: false } : { autorange: true }) },
      yaxis: { ...axis, type: log.includes(group.key) ? "log" : "linear", exponentformat: "power" },
      uirevision: `${x} ${log.includes(group.key)}`,
      shapes: marks.map((mark) => ({ type: "line", x0: mark[x], x1: mark[x], yref: "paper", y0: 0, y1: 1, line: { color: color("--bs-secondary-color"), width: 1, dash: "dash" } })),
      annotations: marks.map((mark) => ({ x: mark[x], y: 1, yref: "paper", yanchor: "top", xanchor: "left", text: mark.words, showarrow: false, font: { size: 10, color: color("--bs-secondary-color") } })),
    };
  }
}

let loading = null;

function loadPlotly() {
  return loading ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = new URL("./plotly.min.js", import.meta.url);
    script.onload = () => resolve(window.Plotly);
    script.onerror = reject;
    document.head.append(script);
  });
}
