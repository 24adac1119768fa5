// The echo server of ws' own README, with the native helpers that it recommends. Sockets have TCP_NODELAY from ws itself.

import { WebSocketServer } from "ws";

const [host, port] = process.argv[2].split(":");
const compression = process.argv[3];
const contexts = compression === "contexts";
const server = new WebSocketServer({
  host,
  port: Number(port),
  maxPayload: 64 << 20,
  perMessageDeflate: compression && { serverNoContextTakeover: !contexts, clientNoContextTakeover: !contexts, threshold: 0 },
});
server.on("connection", (socket) => {
  socket.on("error", () => {});
  socket.on("message", (data, isBinary) => socket.send(data, { binary: isBinary }));
});
