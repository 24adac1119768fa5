// Node's `ws` as a client that compresses, of the echo servers at WS_URL (which keep no context) and
// WS_URL_DEDICATED (which keep it).
import assert from "node:assert/strict";
import { once } from "node:events";
import { check, require } from "./checks.mjs";
import { randomMessages } from "./random.mjs";

const { WebSocket } = require("ws");
const MESSAGES = 2000;
const AT_ONCE = 20;
const { WS_URL: shared, WS_URL_DEDICATED: dedicated } = process.env;

/** Sends messages, some in fragments with a ping between, and compares their echoes. */
async function echoes(url, options, agreed) {
  const socket = new WebSocket(url, { perMessageDeflate: { threshold: 0, ...options } });
  const received = [];
  let arrived = () => {};
  socket.on("message", (data, isBinary) => {
    received.push(isBinary ? data : data.toString());
    arrived();
  });
  const [[response]] = await Promise.all([once(socket, "upgrade"), once(socket, "open")]);
  assert.match(response.headers["sec-websocket-extensions"], agreed);
  const next = randomMessages(7);
  for (let sent = 0; sent < MESSAGES; sent += AT_ONCE) {
    const messages = Array.from({ length: AT_ONCE }, next);
    for (const [n, message] of messages.entries()) {
      if (n % 5 !== 4) {
        socket.send(message);
        continue;
      }
      const bytes = Buffer.from(message);
      const third = Math.ceil(bytes.length / 3);
      const binary = typeof message !== "string";
      socket.send(bytes.subarray(0, third), { binary, fin: false });
      socket.ping();
      socket.send(bytes.subarray(third, 2 * third), { binary, fin: false });
      socket.send(bytes.subarray(2 * third), { binary, fin: true });
    }
    while (received.length < AT_ONCE) await new Promise((resolve) => (arrived = resolve));
    for (const message of messages) {
      const echo = received.shift();
      assert.equal(typeof echo === "string", typeof message === "string");
      assert.ok(Buffer.from(echo).equals(Buffer.from(message)), "another message came back");
    }
  }
  socket.close(1000);
  const [code] = await once(socket, "close");
  assert.equal(code, 1000);
}

const both = { serverNoContextTakeover: true, clientNoContextTakeover: true };
const combinations = [
  ["no context, as the server wants it", shared, {}, /server_no_context_takeover; client_no_context_takeover/],
  ["no context, as the client wants it", dedicated, both, /server_no_context_takeover; client_no_context_takeover/],
  ["context", dedicated, {}, /^permessage-deflate$/],
  ["context of the client only", dedicated, { serverNoContextTakeover: true }, /server_no_context_takeover$/],
];
for (const bits of [9, 11]) {
  const windows = { serverMaxWindowBits: bits, clientMaxWindowBits: bits };
  const agreed = new RegExp(`server_max_window_bits=${bits}; client_max_window_bits=${bits}$`);
  combinations.push([`context, ${bits} bits`, dedicated, windows, agreed]);
}
for (const [name, url, options, agreed] of combinations) {
  await check(`node ws client: compressed messages, ${name}`, () => echoes(url, options, agreed));
}
// What a failed check leaves open must not keep the script.
process.exit();
