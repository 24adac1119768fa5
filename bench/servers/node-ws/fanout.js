// What anyone says goes to all of the room, which is named by the path: the broadcast of ws' own README.

import { WebSocketServer } from "ws";

const [host, port] = process.argv[2].split(":");
const server = new WebSocketServer({ host, port: Number(port) });
const rooms = new Map();
server.on("connection", (socket, request) => {
  if (!rooms.has(request.url)) rooms.set(request.url, new Set());
  const room = rooms.get(request.url);
  room.add(socket);
  socket.on("close", () => room.delete(socket));
  socket.on("error", () => {});
  socket.on("message", (data, isBinary) => {
    for (const reader of room) reader.send(data, { binary: isBinary });
  });
});
