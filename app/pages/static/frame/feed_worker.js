// One event stream for all tabs of a browser: over HTTP/1.1 it opens six connections to a server and no more.
import { follow } from "./feed.js";

const ports = new Set();
let state = null;
self.onconnect = ({ ports: [port] }) => {
  ports.add(port);
  port.onmessage = () => ports.delete(port); // the page says that it goes
  if (state) port.postMessage(state);
};
follow(self.location.pathname.split("/assets/")[0], (message) => {
  if (message.kind !== "event") state = message;
  for (const port of ports) port.postMessage(message);
});
