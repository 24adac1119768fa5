// Who takes part in the test: people at browser windows, and the wire between one of them and the server.
//
//   SCREENSHOTS   a folder for screenshots; none are taken without it

import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import net from "node:net";
import path from "node:path";

const screenshots = process.env.SCREENSHOTS;
if (screenshots) mkdirSync(screenshots, { recursive: true });

/** Stands between a browser and the server, so that the test can cut the line as a bad network would. */
export class Wire {
  #sockets = new Set();
  #server = net.createServer((near) => {
    if (this.isCut) return near.destroy();
    const far = net.connect(this.port, this.host);
    for (const socket of [near, far]) {
      this.#sockets.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => {
        this.#sockets.delete(socket);
        near.destroy();
        far.destroy();
      });
    }
    near.pipe(far).pipe(near);
  });
  isCut = false;

  constructor({ hostname, port, protocol }) {
    this.host = hostname.replace(/^\[|\]$/g, "");
    this.port = Number(port) || (protocol === "https:" ? 443 : 80);
  }

  async open() {
    await new Promise((ready) => this.#server.listen(0, "127.0.0.1", ready));
    return this.#server.address().port;
  }

  cut() {
    this.isCut = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  mend() {
    this.isCut = false;
  }

  close() {
    this.cut();
    this.#server.close();
  }
}

/** One person at one browser window. */
export class Person {
  static async sitDown(browser, url, name, options) {
    const context = await browser.newContext({ ignoreHTTPSErrors: true, locale: "en-GB", ...options });
    const person = Object.assign(new Person(), { context, name, faults: [] });
    await context.addInitScript((name) => {
      if (!localStorage.getItem("wskit.name")) localStorage.setItem("wskit.name", name);
    }, name);
    person.page = await context.newPage();
    person.page.setDefaultTimeout(15_000);
    person.page.on("pageerror", (error) => person.faults.push(error.message));
    person.page.on("console", (line) => {
      if (/Content.Security.Policy/i.test(line.text())) person.faults.push(line.text());
    });
    await person.page.goto(url.href);
    await person.connected();
    return person;
  }

  connected() {
    return this.page.locator('#state[data-state="open"]').waitFor();
  }

  async say(text) {
    await this.page.getByLabel("Message", { exact: true }).fill(text);
    await this.page.keyboard.press("Enter");
  }

  /** The message, once it is there; fails if it is there more than once. */
  async sees(text) {
    const message = this.page.locator(".said p").filter({ hasText: text });
    await message.first().waitFor();
    assert.equal(await message.count(), 1, `${this.name} sees ${JSON.stringify(text)} more than once`);
    return message;
  }

  /** Waits until an own message is marked as kept. */
  async kept(text) {
    await this.page.locator(".own[data-kept] p").filter({ hasText: text }).waitFor();
    assert.equal(await this.page.locator(".pending").filter({ hasText: text }).count(), 0);
  }

  happened(text) {
    return this.page.locator(".happened").filter({ hasText: text }).first().waitFor();
  }

  /** Waits until exactly these are here. */
  async seesMembers(...names) {
    const wanted = [...names].sort().join();
    const same = (wanted) =>
      [...document.querySelectorAll("#members bdi")].map((name) => name.textContent).sort().join() === wanted;
    await this.page.waitForFunction(same, wanted);
  }

  async picture(name) {
    if (screenshots) await this.page.screenshot({ path: path.join(screenshots, `${name}.png`) });
  }
}
