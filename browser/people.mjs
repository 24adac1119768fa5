// Who takes part in a story: people at browser windows.
//
//   SCREENSHOTS   a folder for screenshots; none are taken without it

import { mkdirSync } from "node:fs";
import path from "node:path";
import { browser } from "./browser.mjs";
import { PATIENCE, becomes } from "./patience.mjs";

const screenshots = process.env.SCREENSHOTS;
if (screenshots) mkdirSync(screenshots, { recursive: true });

/** All who have sat down. */
export const everybody = [];

/** The window of a phone. */
export const phone = { viewport: { width: 390, height: 844 } };

/** One person at one browser window. What it waits for was not there before, whatever it is asked after. */
export class Person {
  /** A window with no page yet. Who has no name is a guest. */
  static async sitDown(name, options) {
    const context = await browser.newContext({ ignoreHTTPSErrors: true, locale: "en-GB", ...options });
    const page = await context.newPage();
    const person = Object.assign(new Person(), { name, context, page, faults: [] });
    everybody.push(person);
    if (name) await context.addInitScript((name) => {
      if (location.host && !localStorage.getItem("wskit.name")) localStorage.setItem("wskit.name", name);
    }, name);
    page.setDefaultTimeout(PATIENCE);
    page.on("pageerror", (error) => person.faults.push(error.message));
    page.on("console", (line) => {
      if (/Content.Security.Policy/i.test(line.text())) person.faults.push(line.text());
    });
    return person;
  }

  get message() {
    return this.page.getByLabel("Message", { exact: true });
  }

  /** The rooms in the list. */
  get rooms() {
    return this.page.locator("#rooms li");
  }

  opens(url) {
    return this.page.goto(url.href);
  }

  /** Opens the page anew, and waits until it is in this room. */
  async opensIn(room, url) {
    await this.opens(url);
    await this.isIn(room);
  }

  /** Waits until this is the room, and the server has welcomed one there. */
  isIn(room) {
    const isThere = (room) => document.getElementById("room-title").textContent === room
      && document.getElementById("state").dataset.state === "open";
    return this.page.waitForFunction(isThere, room);
  }

  /** Enters another room by its name. */
  async enters(room) {
    const field = this.page.getByLabel("Enter another room");
    await field.fill(room);
    await field.press("Enter");
    await this.isIn(room);
  }

  /** Goes to another room of the list. */
  async goesTo(room) {
    await this.page.getByRole("navigation").getByRole("link", { name: room, exact: true }).click();
    await this.isIn(room);
  }

  /** Leaves the page and comes back to it when somebody has seen that, so that nobody has the name meanwhile. */
  async leavesUntil(seen) {
    const [room, url] = [await this.page.locator("#room-title").textContent(), new URL(this.page.url())];
    await this.page.goto("about:blank");
    await seen();
    await this.opensIn(room, url);
  }

  /** Waits until the line is in this state: `waiting` for the next attempt, `open` or `ended`. */
  async line(state) {
    await this.page.locator(`#state[data-state="${state}"]`).waitFor();
  }

  async say(text) {
    await this.message.fill(text);
    await this.message.press("Enter");
  }

  /** The message, once it was delivered and is there no more than once, its sender's copy that waited included. */
  async sees(text) {
    const has = (selector) => this.page.locator(selector).filter({ hasText: text });
    await has(".said:not(.pending) p").first().waitFor();
    await becomes(() => has(".said p").count(), 1);
    return has(".said:not(.pending) p");
  }

  /** Waits until an own message is marked as kept, and waits no more. */
  async kept(text) {
    await this.page.locator(".own[data-kept] p").filter({ hasText: text }).waitFor();
    await this.page.locator(".pending").filter({ hasText: text }).waitFor({ state: "detached" });
  }

  /** Waits for a line of the conversation which is no message. */
  happened(text) {
    return this.page.locator(".happened").filter({ hasText: text }).first().waitFor();
  }

  /** Waits until exactly these are here. */
  async seesMembers(...names) {
    const members = async () => (await this.page.locator("#members bdi").allTextContents()).sort();
    await becomes(members, [...names].sort());
  }

  async picture(name) {
    if (screenshots) await this.page.screenshot({ path: path.join(screenshots, `${name}.png`) });
  }
}
