// What a webhook was told, as it is sent: deliveries are no events, so the page looks again every few seconds.
import { refreshSoon } from "../frame/refresh.js";

const EVERY_MS = 3000;
setInterval(refreshSoon, EVERY_MS);
