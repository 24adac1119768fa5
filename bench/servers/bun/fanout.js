// What anyone says goes to all: publish and subscribe of Bun's own documentation.

const [hostname, port] = process.argv[2].split(":");
const server = Bun.serve({
  hostname,
  port: Number(port),
  fetch(request, server) {
    if (!server.upgrade(request)) return new Response("not a WebSocket", { status: 400 });
  },
  websocket: {
    perMessageDeflate: false,
    open(socket) {
      socket.subscribe("all");
    },
    message(socket, message) {
      server.publish("all", message);
    },
  },
});
