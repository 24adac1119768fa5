// Node's `ws` as a server; prints its URL. Paths: / echoes, /fragments sends one message in three fragments with a
// ping between them, /close closes with 4001 and a reason at once.
import { require } from "./checks.mjs";

const { WebSocketServer } = require("ws");
const server = new WebSocketServer({
  host: "127.0.0.1",
  port: 0,
  maxPayload: 64 * 1024 * 1024,
  handleProtocols: (offered) => offered.has("v1.echo") && "v1.echo",
});
server.on("connection", (socket, request) => {
  if (request.url === "/fragments") {
    socket.send("frag", { fin: false });
    socket.ping("between");
    socket.send("", { fin: false });
    socket.send("mented", { fin: true });
  }
  if (request.url === "/close") socket.close(4001, "as asked");
  socket.on("message", (data, isBinary) => socket.send(data, { binary: isBinary }));
});
server.on("listening", () => console.log(`ws://127.0.0.1:${server.address().port}/`));
