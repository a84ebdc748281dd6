// Drafts are no events: the page looks again when a reader comes back to it.
import { refreshSoon } from "./refresh.js";

addEventListener("visibilitychange", () => { if (!document.hidden) refreshSoon(); });
