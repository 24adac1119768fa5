// Rooms that are none, rooms with much to read, rooms with many people; and whose a message is.

import assert from "node:assert/strict";
import { on, once } from "node:events";
import { WebSocket } from "./packages.mjs";
import { becomes } from "./patience.mjs";
import { Person } from "./people.mjs";
import { at, end, server, step } from "./story.mjs";

await step("what is no room is not remembered, and there is a way on", async () => {
  const dora = await Person.sitDown("Dora", { colorScheme: "dark" });
  const { page } = dora;
  const seesRooms = (...rooms) => becomes(() => dora.rooms.allTextContents(), rooms);
  await dora.opens(at("a%20b"));
  await page.getByText("a room's name is short").waitFor();
  await dora.picture("large-dark-no-room");
  await page.getByRole("button", { name: "Choose another room" }).click();
  await page.getByLabel("Enter another room").and(page.locator(":focus")).waitFor();
  await page.getByRole("link", { name: "Go to the lobby" }).click();
  await dora.isIn("lobby");
  await seesRooms("lobby");
  await dora.enters("garden");
  await seesRooms("lobby", "garden");
  await dora.goesTo("lobby");
  // Blanks stood between the rooms once.
  for (const [kept, ...shown] of [["one two", "one", "two"], ["2024", "2024"], [""]]) {
    await page.evaluate((kept) => localStorage.setItem("wskit.rooms", kept), kept);
    await page.reload();
    await dora.isIn("lobby");
    await seesRooms("lobby", ...shown);
  }
  // What the browser has no room for is remembered as long as the page is open.
  await page.evaluate(() => { Storage.prototype.setItem = () => { throw new DOMException("full", "QuotaExceededError"); }; });
  await dora.enters("garden");
  await seesRooms("lobby", "garden");
  await dora.context.close();
});

await step("who gets somebody's name later does not get what was said under it", async () => {
  const watcher = await Person.sitDown("Watcher");
  await watcher.opensIn("cellar", at("cellar"));
  const first = await Person.sitDown("Cleo");
  await first.opensIn("cellar", at("cellar"));
  await first.say("I was here first");
  await first.kept("I was here first");
  await first.context.close();
  await watcher.seesMembers("Watcher");
  const second = await Person.sitDown("Cleo");
  const own = second.page.locator(".own");
  await second.opensIn("cellar", at("cellar"));
  await second.seesMembers("Cleo", "Watcher");
  await second.sees("I was here first");
  assert.equal(await own.count(), 0);
  await second.say("and I come second");
  await second.kept("and I come second");
  await second.leavesUntil(() => watcher.seesMembers("Watcher"));
  await second.kept("and I come second");
  assert.deepEqual(await own.locator("p").allTextContents(), ["and I come second"]);
  // Two people are not shown as one, although they have one name.
  assert.equal(await own.locator("header").isVisible(), true);
  await second.picture("large-light-one-name");
  await second.context.close();
  await watcher.context.close();
});

await step("an own message stays one's own, although its acknowledgement was never heard", async () => {
  const dora = await Person.sitDown("Dora");
  await dora.page.routeWebSocket(/\/chat\//, (socket) => {
    socket.connectToServer().onMessage((text) => { if (!text.includes('"acknowledged"')) socket.send(text); });
  });
  await dora.opensIn("garden", at("garden"));
  await dora.say("heard before it is acknowledged");
  await dora.kept("heard before it is acknowledged");
  await dora.page.reload();
  await dora.kept("heard before it is acknowledged");
  await dora.context.close();
});

/** Somebody without a browser who comes into a room. */
async function comesIn(room, name) {
  const url = new URL(`chat/${room}?name=${name}`, server.url);
  url.protocol = url.protocol.replace("http", "ws");
  const socket = new WebSocket(url, { rejectUnauthorized: false });
  await once(socket, "message");
  return socket;
}

let ann;

await step("older messages come as one scrolls to them", async () => {
  const cleo = await comesIn("attic", "Cleo");
  for (let number = 1; number <= 230; number += 1) cleo.send(`number ${number}.`);
  for await (const [event] of on(cleo, "message")) if (JSON.parse(event).offset === 230) break;
  cleo.close();
  ann = await Person.sitDown("Ann", { viewport: { width: 1280, height: 800 }, colorScheme: "dark" });
  await ann.opensIn("attic", at("attic"));
  await ann.sees("number 230.");
  assert.equal(await ann.page.locator(".said").filter({ hasText: "number 80." }).count(), 0);
  await ann.page.waitForFunction(() => {
    document.getElementById("log").scrollTop = 0;
    return document.querySelector(".top").textContent === "The conversation begins here";
  });
  await ann.picture("large-dark-history");
  const shown = await ann.page.locator(".said p").allTextContents();
  assert.deepEqual(shown, Array.from({ length: 230 }, (_, index) => `number ${index + 1}.`));
  assert.equal(await ann.page.locator(".lines .day").count(), 1);
});

await step("in a large room the page counts, and finds out who is here", async () => {
  await ann.enters("garden");
  const names = Array.from({ length: 110 }, (_, number) => `crowd-${number}`);
  const crowd = await Promise.all(names.map((name) => comesIn("garden", name)));
  const count = () => ann.page.locator("#count").textContent();
  await becomes(count, "111 people");
  await ann.seesMembers("Ann", ...names);
  for (const socket of crowd) socket.close();
  await becomes(count, "only you");
  await ann.seesMembers("Ann");
});

await end();
