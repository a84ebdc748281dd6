// The event stream of the server, kept open. What it brings says that something has changed; what it is, pages ask by
// calls that bring only what is new. So nothing is lost where events are: each `open` means "look at everything once".
const KINDS = ["status", "began", "epoch", "checkpoint", "signal", "notice", "batch", "weights", "progress"];
const AGAIN_MS = 5000;

/** Follows all runs; calls `tell` with {kind: "open" | "closed"} and {kind: "event", data}. */
export function follow(base, tell) {
  const source = new EventSource(`${base}/api/v1/events?kinds=${KINDS.join(",")}`);
  source.onopen = () => tell({ kind: "open" });
  for (const name of KINDS) {
    source.addEventListener(name, (event) => tell({ kind: "event", data: JSON.parse(event.data) }));
  }
  source.addEventListener("gap", () => tell({ kind: "open" }));
  source.onerror = () => {
    tell({ kind: "closed" });
    if (source.readyState !== EventSource.CLOSED) return; // the browser tries again by itself
    source.close();
    setTimeout(() => follow(base, tell), AGAIN_MS);
  };
}
