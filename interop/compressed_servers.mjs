// Node's `ws` as servers that compress whatever comes and echo it; prints the URL and the name of each, once all listen.
import { once } from "node:events";
import { require } from "./checks.mjs";

const { WebSocketServer } = require("ws");
const servers = {
  "context-keeping": {},
  "contextless": { serverNoContextTakeover: true, clientNoContextTakeover: true },
};
const lines = [];
for (const [name, options] of Object.entries(servers)) {
  const perMessageDeflate = { threshold: 0, ...options };
  const server = new WebSocketServer({ host: "127.0.0.1", port: 0, perMessageDeflate });
  server.on("connection", (socket) => {
    socket.on("message", (data, isBinary) => socket.send(data, { binary: isBinary }));
  });
  await once(server, "listening");
  lines.push(`ws://127.0.0.1:${server.address().port}/ ${name} node ws`);
}
console.log(lines.join("\n"));
