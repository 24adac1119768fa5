// Node's `ws` as a client of the echo server at WS_URL, which prefers the subprotocol v2.echo to v1.echo.
import assert from "node:assert/strict";
import { once } from "node:events";
import { check, require } from "./checks.mjs";

const { WebSocket } = require("ws");
const MIB = 1024 * 1024;

async function open(subprotocols = []) {
  const socket = new WebSocket(process.env.WS_URL, subprotocols, { maxPayload: 64 * MIB, perMessageDeflate: false });
  await once(socket, "open");
  return socket;
}

async function receive(socket) {
  const [data, isBinary] = await once(socket, "message");
  return isBinary ? data : data.toString();
}

async function close(socket, ...codeAndReason) {
  const closed = once(socket, "close");
  socket.close(...codeAndReason);
  const [code, reason] = await closed;
  return [code, reason.toString()];
}

const messages = {
  text: "hello",
  "text beyond ASCII": "κόσμε 🔑 \u0000",
  "empty text": "",
  "empty binary": Buffer.alloc(0),
  "binary of every byte": Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)),
  "text of 16 MiB": "é".repeat(8 * MIB),
  "binary of 16 MiB": Buffer.alloc(16 * MIB, "wskit"),
};
for (const [name, message] of Object.entries(messages)) {
  await check(`node ws client: ${name}`, async () => {
    const socket = await open();
    socket.send(message);
    const echo = await receive(socket);
    assert.equal(typeof echo, typeof message);
    assert.ok(Buffer.from(echo).equals(Buffer.from(message)), "another message came back");
    await close(socket, 1000);
  });
}

await check("node ws client: fragments with a ping between them", async () => {
  const socket = await open();
  const answers = Promise.all([once(socket, "pong"), receive(socket)]);
  socket.send("frag", { fin: false });
  socket.ping("between");
  socket.send("", { fin: false });
  socket.send("mented", { fin: true });
  const [[pong], echo] = await answers;
  assert.equal(pong.toString(), "between");
  assert.equal(echo, "fragmented");
  await close(socket, 1000);
});

await check("node ws client: a thousand messages, in order", async () => {
  const socket = await open();
  const echoes = [];
  const all = new Promise((resolve) => {
    socket.on("message", (data) => echoes.push(Number(data)) === 1000 && resolve());
  });
  for (let n = 0; n < 1000; n++) socket.send(String(n));
  await all;
  assert.deepEqual(echoes, Array.from({ length: 1000 }, (_, n) => n));
  await close(socket, 1000);
});

for (const [code, reason] of [[1000, ""], [1000, "bye"], [1001, "leaving"], [3000, "résumé"], [4999, "x".repeat(123)]]) {
  await check(`node ws client: closes with ${code} and a reason of ${reason.length}`, async () => {
    // `ws` reports what the server's Close frame says; RFC 6455 §5.5.1: an endpoint typically echoes the code.
    const [echoed] = await close(await open(), code, reason);
    assert.equal(echoed, code);
  });
}

await check("node ws client: closes without a code", async () => {
  const [code] = await close(await open());
  assert.ok(code === 1005 || code === 1000, `code ${code}`);
});

await check("node ws client: subprotocols", async () => {
  for (const [offered, agreed] of [[["v1.echo", "v2.echo"], "v2.echo"], [["soap", "v1.echo"], "v1.echo"], [[], ""]]) {
    const socket = await open(offered);
    assert.equal(socket.protocol, agreed);
    await close(socket, 1000);
  }
});
