// What a reader has chosen for the charts, in the address: ?x=step&smooth=0.6&log=loss,lr&zoom=10,40

/** The choices, each with its default. */
export function choices() {
  const given = new URLSearchParams(location.search);
  const x = given.get("x"), smooth = Number(given.get("smooth")), zoom = (given.get("zoom") ?? "").split(",").map(Number);
  return {
    x: ["epoch", "step", "time"].includes(x) ? x : "epoch",
    smooth: smooth > 0 && smooth < 1 ? smooth : 0,
    log: (given.get("log") ?? "").split(",").filter(Boolean),
    zoom: zoom.length === 2 && zoom.every(Number.isFinite) ? zoom : null,
  };
}

/** Changes some of them; the address then holds those that differ from the defaults. */
export function choose(changed) {
  const { x, smooth, log, zoom } = { ...choices(), ...changed };
  const address = new URL(location);
  const put = (name, text) => text ? address.searchParams.set(name, text) : address.searchParams.delete(name);
  put("x", x === "epoch" ? "" : x);
  put("smooth", smooth ? String(smooth) : "");
  put("log", log.join(","));
  put("zoom", zoom ? zoom.map((value) => +value.toPrecision(5)).join(",") : "");
  history.replaceState(null, "", address);
}
