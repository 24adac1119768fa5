// The echo server of Bun's own documentation; below it is uWebSockets.

const [hostname, port] = process.argv[2].split(":");
const compression = process.argv[3];
const compressor = { stateless: "shared", contexts: "dedicated" }[compression];
Bun.serve({
  hostname,
  port: Number(port),
  fetch(request, server) {
    if (!server.upgrade(request)) return new Response("not a WebSocket", { status: 400 });
  },
  websocket: {
    maxPayloadLength: 64 << 20,
    backpressureLimit: 64 << 20,
    perMessageDeflate: compressor ? { compress: compressor, decompress: compressor } : false,
    message(socket, message) {
      socket.send(message, Boolean(compression));
    },
  },
});
