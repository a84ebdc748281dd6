// Drafts are no events: the page looks again when a reader comes back to it.
import { refreshSoon } from "../frame/refresh.js";

addEventListener("visibilitychange", () => { if (!document.hidden) refreshSoon(); });
