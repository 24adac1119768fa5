// What anyone says goes to all of the room, which is named by the path: publish and subscribe of Bun's own
// documentation.

const [hostname, port] = process.argv[2].split(":");
const server = Bun.serve({
  hostname,
  port: Number(port),
  fetch(request, server) {
    const room = new URL(request.url).pathname;
    if (!server.upgrade(request, { data: { room } })) return new Response("not a WebSocket", { status: 400 });
  },
  websocket: {
    perMessageDeflate: false,
    open(socket) {
      socket.subscribe(socket.data.room);
    },
    message(socket, message) {
      server.publish(socket.data.room, message);
    },
  },
});
