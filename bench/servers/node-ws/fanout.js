// What anyone says goes to all: the broadcast of ws' own README.

import { WebSocketServer } from "ws";

const [host, port] = process.argv[2].split(":");
const server = new WebSocketServer({ host, port: Number(port) });
server.on("connection", (socket) => {
  socket.on("error", () => {});
  socket.on("message", (data, isBinary) => {
    for (const reader of server.clients) reader.send(data, { binary: isBinary });
  });
});
