// A headless Chromium as a client of the echo server at WS_URL, from a page of the server's own origin.
import assert from "node:assert/strict";
import { check, require } from "./checks.mjs";

const { chromium } = require("playwright-core");
const url = process.env.WS_URL;

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
// The refusal that a plain GET is answered with is page enough, and has the server's origin.
await page.goto(url.replace(/^ws/, "http"));

await page.evaluate(() => {
  window.open_socket = (url, subprotocols = []) =>
    new Promise((resolve, reject) => {
      const socket = new WebSocket(url, subprotocols);
      socket.binaryType = "arraybuffer";
      socket.onopen = () => resolve(socket);
      socket.onerror = () => reject(new Error("the connection did not open"));
    });
  window.next = (socket, event) => new Promise((resolve) => socket.addEventListener(event, resolve, { once: true }));
});

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

await browser.close();
