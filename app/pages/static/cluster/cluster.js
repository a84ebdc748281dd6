// Queues and workers as they are now: on every change of a run, and every few seconds besides.
import { live } from "../frame/live.js";
import { letOrder } from "./queue_order.js";
import { refreshSoon } from "../frame/refresh.js";

const EVERY_MS = 4000;

live((event) => { if (event?.event === "status") refreshSoon(); });
setInterval(refreshSoon, EVERY_MS);
letOrder(document.getElementById("waiters"), document.getElementById("moved"));
