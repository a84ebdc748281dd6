// A large file to the server in pieces: it goes on where it was after a broken line, a restart of the server, and, with the same
// file chosen again, after the browser was closed.
import { API, call } from "../frame/api.js";
import { Sha256 } from "./sha256.js";

const PIECE = 8 * 1024 * 1024;
const AGAIN_MS = [500, 1000, 2000, 4000, 8000];
const LATER = [0, 409, 429, 502, 503, 504];
/** Statuses after which it is tried again; 0 is no answer at all. */

export class Upload {
  /** Of a Blob; `name` is the same whenever the same content is chosen. `tell` is called with {sent, total, state}: "checking", "sending" or "waiting". */
  constructor(blob, name, project, tell) {
    Object.assign(this, { blob, project, tell });
    const hash = new Sha256();
    hash.update(new TextEncoder().encode(JSON.stringify([project, name])));
    this.key = `trainyard-upload-${hash.hex()}`;
    this.request = null;
    this.isStopped = false;
  }

  /** Sends all of it; its id and SHA-256. Throws a Refusal, or an Error once it is stopped or the file cannot be read. */
  async run() {
    const { id, offset } = await this.#begun(), hash = new Sha256();
    let sent = 0;
    while (sent < this.blob.size) {
      const piece = this.blob.slice(sent, sent < offset ? Math.min(offset, sent + PIECE) : sent + PIECE);
      const reached = sent < offset ? sent + piece.size : await this.#send(id, piece, sent);
      hash.update(await read(piece.slice(0, reached - sent)));
      sent = reached;
      this.tell({ sent, total: this.blob.size, state: sent < offset ? "checking" : "sending" });
    }
    return { id, sha256: hash.hex() };
  }

  /** What has come stays on the server. */
  stop() {
    this.isStopped = true;
    this.request?.abort();
  }

  /** Once a data set was made of it. */
  forget() {
    keep(this.key, null);
  }

  /** The upload that was begun earlier, else a new one. */
  async #begun() {
    const known = kept(this.key);
    const found = known && await call("GET", `/uploads/${known}`).catch(() => null);
    if (found?.bytes === this.blob.size && found.project === this.project) return found;
    const begun = await call("POST", "/uploads", { bytes: this.blob.size, project: this.project });
    keep(this.key, begun.id);
    return begun;
  }

  /** Sends a piece; the offset that the upload then has, which may lie within the piece. */
  async #send(id, piece, from) {
    for (let tries = 0; ; tries++) {
      if (this.isStopped) throw new Error("Stopped. What has come is kept for a day: upload the same again, and it goes on.");
      const { status, answer } = await this.#patch(id, piece, from);
      if (status === 204) return from + piece.size;
      if (status === 401) location.reload();
      if (!LATER.includes(status)) throw Object.assign(new Error(answer.message ?? `The server answered ${status}.`), { envelope: answer.message ? answer : undefined });
      if (this.isStopped) continue;
      this.tell({ sent: from, total: this.blob.size, state: "waiting" });
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS[Math.min(tries, AGAIN_MS.length - 1)]));
      const found = await call("GET", `/uploads/${id}`).catch((error) => { if (error.envelope?.code === "not_found") throw error; return null; });
      if (found && found.offset > from) return Math.min(found.offset, from + piece.size);
    }
  }

  #patch(id, piece, from) {
    return new Promise((resolve) => {
      const request = this.request = new XMLHttpRequest(); // fetch tells nothing of what it has sent
      const done = () => resolve({ status: request.status, answer: parsed(request.responseText) });
      request.upload.onprogress = ({ loaded }) => this.tell({ sent: from + loaded, total: this.blob.size, state: "sending" });
      request.onload = request.onerror = request.onabort = done;
      request.open("PATCH", `${API}/uploads/${id}`);
      request.setRequestHeader("Content-Type", "application/offset+octet-stream");
      request.setRequestHeader("Upload-Offset", String(from));
      request.setRequestHeader("Accept", "application/json");
      request.send(piece);
    });
  }
}

async function read(piece) {
  try {
    return new Uint8Array(await piece.arrayBuffer());
  } catch {
    throw new Error("A file cannot be read any more: it was moved or changed. Choose it again.");
  }
}

function parsed(text) {
  try { return JSON.parse(text); } catch { return {}; }
}

function kept(key) {
  try { return localStorage.getItem(key); } catch { return null; }
}

function keep(key, id) {
  try { if (id) localStorage.setItem(key, id); else localStorage.removeItem(key); } catch { /* it then cannot go on after the browser was closed */ }
}
