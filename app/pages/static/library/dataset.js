// The page of a data set, live while it is being read.
import { refreshSoon } from "../frame/refresh.js";
import { Samples } from "./samples.js";

const EVERY_MS = 1500;
const status = () => document.getElementById("title").dataset.status;
const hadSamples = document.getElementById("samples") !== null;

setInterval(() => { if (["queued", "ingesting"].includes(status())) refreshSoon(); }, EVERY_MS);
addEventListener("refreshed", () => { if (status() === "ready" && !hadSamples) location.reload(); });
if (hadSamples) new Samples(document.getElementById("samples"), document.getElementById("dataset").dataset.dataset);
