// Node's `ws` as a server; prints its URL. Paths: / echoes, /fragments sends one message in three fragments with a
// ping between them, /close closes with 4001 and a reason at once. With TLS if TLS_CERT and TLS_KEY name files, and for
// clients of the authority in the file CLIENTS_CA only, if that is given too. On the Unix-domain socket WS_UNIX if that
// is given.
import { readFileSync } from "node:fs";
import { createServer as createPlain } from "node:http";
import { createServer as createSecure } from "node:https";
import { require } from "./checks.mjs";

const { WebSocketServer } = require("ws");
const { TLS_CERT, TLS_KEY, CLIENTS_CA, WS_UNIX } = process.env;
const clients = CLIENTS_CA && { ca: readFileSync(CLIENTS_CA), requestCert: true, rejectUnauthorized: true };
const http = TLS_CERT
  ? createSecure({ cert: readFileSync(TLS_CERT), key: readFileSync(TLS_KEY), ...clients })
  : createPlain();
const server = new WebSocketServer({
  server: http,
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
const place = WS_UNIX ? { path: WS_UNIX } : { port: 0, host: "127.0.0.1" };
http.listen(place, () => {
  const host = WS_UNIX ? "localhost" : `127.0.0.1:${http.address().port}`;
  console.log(`${TLS_CERT ? "wss" : "ws"}://${host}/`);
});
