// The REST API, as any client calls it. The browser adds the session's cookie by itself.

/** What a proxy puts before all paths; modules lie below <prefix>/assets/. */
export const BASE = new URL(import.meta.url).pathname.split("/assets/")[0];
export const API = `${BASE}/api/v1`;

/** An error of the API: its envelope is in `envelope`. */
export class Refusal extends Error {
  constructor(envelope) {
    super(envelope.message);
    this.envelope = envelope;
  }
}

const UNREACHABLE = { message: "The server does not answer.", remedy: "Look whether it runs, then try again.", errors: {} };

/** Calls the API with JSON data, or a form with files; JSON data, or null where the answer has none. Throws a Refusal. */
export async function call(method, path, body) {
  const options = { method, headers: { Accept: "application/json" } };
  if (body instanceof FormData) options.body = body;
  else if (body !== undefined) {
    options.headers["Content-Type"] = "application/json";
    options.body = JSON.stringify(body);
  }
  let answer;
  try { answer = await fetch(API + path, options); } catch { throw new Refusal(UNREACHABLE); }
  if (answer.ok) return answer.status === 204 ? null : answer.json();
  if (answer.status === 401) location.reload(); // the session has ended: the page leads to where one signs in
  throw new Refusal(await answer.json().catch(() => ({ ...UNREACHABLE, message: `The server answered ${answer.status}.` })));
}
