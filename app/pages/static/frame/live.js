// Events of runs for a page, by way of the one stream that all tabs share.
import { BASE } from "./api.js";
import { follow } from "./feed.js";
import { refreshSoon } from "./refresh.js";

const EVERY_MS = 60_000; // no event tells that a record was deleted, or that a worker does something else
const SAYS = { open: "live", closed: "connection lost, trying again" };

/** Calls `hear` with each event, and with null whenever some may have been missed. */
export function live(hear) {
  const sign = document.getElementById("live");
  const take = (message) => {
    if (message.kind === "event") return hear(message.data);
    sign.textContent = SAYS[message.kind];
    sign.dataset.state = message.kind;
    if (message.kind === "open") { refreshSoon(); hear(null); }
  };
  setInterval(() => { if (!document.hidden) refreshSoon(); }, EVERY_MS);
  addEventListener("visibilitychange", () => { if (!document.hidden) { refreshSoon(); hear(null); } });
  if (typeof SharedWorker === "undefined") return follow(BASE, take);
  const worker = new SharedWorker(new URL("./feed_worker.js", import.meta.url), { type: "module", name: "trainyard" });
  worker.port.onmessage = (event) => take(event.data);
  addEventListener("pagehide", () => worker.port.postMessage("bye"));
  addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
}
