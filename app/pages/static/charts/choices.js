// What a reader has chosen for the charts, in the address: ?x=step&smooth=0.6&log=loss,lr&zoom=10,40
const WRITE_MS = 150;
/** Browsers take a few hundred changes of the address a minute, and a slider makes more. */

let present = read(), due = null;

/** The choices, each with its default. */
export function choices() {
  return present;
}

/** Changes some of them; the address then holds those that differ from the defaults. */
export function choose(changed) {
  present = { ...present, ...changed };
  due ??= setTimeout(write, WRITE_MS);
}

function read() {
  const given = new URLSearchParams(location.search);
  const x = given.get("x"), smooth = Number(given.get("smooth")), zoom = (given.get("zoom") ?? "").split(",").map(Number);
  return {
    x: ["epoch", "step", "time"].includes(x) ? x : "epoch",
    smooth: smooth > 0 && smooth < 1 ? smooth : 0,
    log: (given.get("log") ?? "").split(",").filter(Boolean),
    zoom: zoom.length === 2 && zoom.every(Number.isFinite) && zoom[0] < zoom[1] ? zoom : null,
  };
}

function write() {
  due = null;
  const { x, smooth, log, zoom } = present, address = new URL(location);
  const put = (name, text) => text ? address.searchParams.set(name, text) : address.searchParams.delete(name);
  put("x", x === "epoch" ? "" : x);
  put("smooth", smooth ? String(smooth) : "");
  put("log", log.join(","));
  put("zoom", zoom ? zoom.map((value) => +value.toPrecision(5)).join(",") : "");
  history.replaceState(null, "", address);
}
