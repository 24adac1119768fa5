// A headless Chromium as a client of the echo server at WS_URL, from a page of the server's own origin.
import assert from "node:assert/strict";
import { check, require } from "./checks.mjs";
import { randomMessages } from "./random.mjs";

const { chromium } = require("playwright-core");
const url = process.env.WS_URL;
const dedicated = process.env.WS_URL_DEDICATED;

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
  ],
});
const page = await browser.newPage();
await page.addInitScript(() => {
  window.open_socket = (url, subprotocols = []) =>
    new Promise((resolve, reject) => {
      const socket = new WebSocket(url, subprotocols);
      socket.binaryType = "arraybuffer";
      socket.onopen = () => resolve(socket);
      socket.onerror = () => reject(new Error("the connection did not open"));
    });
  window.next = (socket, event) => new Promise((resolve) => socket.addEventListener(event, resolve, { once: true }));
});
// The refusal that a plain GET is answered with is page enough, and has the server's origin.
await page.goto(url.replace(/^ws/, "http"));

const text = {
  text: "hello",
  "text beyond ASCII": "κόσμε 🔑 \u0000",
  "empty text": "",
  "text of 16 MiB": "é".repeat(8 * 1024 * 1024),
};
for (const [name, message] of Object.entries(text)) {
  await check(`browser client: ${name}`, async () => {
    const same = await page.evaluate(async ([url, message]) => {
      const socket = await open_socket(url);
      socket.send(message);
      const echo = (await next(socket, "message")).data;
      socket.close();
      return echo === message;
    }, [url, message]);
    assert.ok(same, "another message came back");
  });
}

for (const length of [0, 1, 125, 126, 65_535, 65_536, 16 * 1024 * 1024]) {
  await check(`browser client: binary of ${length} bytes`, async () => {
    const same = await page.evaluate(async ([url, length]) => {
      const message = new Uint8Array(length).map((_, index) => index * 31);
      const socket = await open_socket(url);
      socket.send(message);
      const echo = new Uint8Array((await next(socket, "message")).data);
      socket.close();
      return echo.length === length && echo.every((byte, index) => byte === message[index]);
    }, [url, length]);
    assert.ok(same, "another message came back");
  });
}

// A browser lets a page close with 1000 and 3000 to 4999 only.
for (const [code, reason] of [[1000, "bye"], [3000, "résumé"], [4999, "x".repeat(123)]]) {
  await check(`browser client: closes with ${code} and a reason of ${reason.length}`, async () => {
    const closed = await page.evaluate(async ([url, code, reason]) => {
      const socket = await open_socket(url);
      socket.close(code, reason);
      const event = await next(socket, "close");
      return [event.wasClean, event.code];
    }, [url, code, reason]);
    assert.deepEqual(closed, [true, code]);
  });
}

await check("browser client: subprotocols", async () => {
  const agreed = await page.evaluate(async (url) => {
    const socket = await open_socket(url, ["v1.echo", "v2.echo"]);
    socket.close();
    return socket.protocol;
  }, url);
  assert.equal(agreed, "v2.echo");
});

for (const [name, server, agreed] of [
  ["no context", url, "permessage-deflate; server_no_context_takeover; client_no_context_takeover"],
  ["context", dedicated, "permessage-deflate"],
]) {
  await check(`browser client: compressed messages, ${name}`, async () => {
    await page.goto(server.replace(/^ws/, "http"));
    const next = randomMessages(7);
    const messages = Array.from({ length: 2000 }, () => {
      const message = next();
      return typeof message === "string" ? message : Array.from(message);
    });
    const [extensions, wrong] = await page.evaluate(async ([url, messages]) => {
      const socket = await open_socket(url);
      let wrong = 0;
      for (const message of messages) {
        const isText = typeof message === "string";
        socket.send(isText ? message : Uint8Array.from(message));
        const echo = (await next(socket, "message")).data;
        const same = isText ? echo === message : String(new Uint8Array(echo)) === String(message);
        wrong += same ? 0 : 1;
      }
      const extensions = socket.extensions;
      socket.close();
      return [extensions, wrong];
    }, [server, messages]);
    assert.equal(extensions, agreed);
    assert.equal(wrong, 0, `${wrong} of 2000 messages came back as others`);
  });
}

await browser.close();
