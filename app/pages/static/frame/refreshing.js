// A page that says how things stand: it brings itself up to date when any run changes its status.
import { live } from "./live.js";
import { refreshSoon } from "./refresh.js";

live((event) => { if (event === null || event.event === "status") refreshSoon(); });
