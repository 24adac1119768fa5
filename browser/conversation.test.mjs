// Ann and Bob chat with one another, whatever happens to the line and to the server.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { becomes } from "./patience.mjs";
import { Person, phone } from "./people.mjs";
import { at, end, isHttps, server, step } from "./story.mjs";
import { Wire } from "./wire.mjs";

const [wire, wired] = await Wire.to(at("garden"));
let ann, bob;

await step("two people enter a room and see one another", async () => {
  ann = await Person.sitDown("Ann", { viewport: { width: 1280, height: 800 }, colorScheme: "light" });
  await ann.opensIn("garden", at("garden"));
  await ann.seesMembers("Ann");
  bob = await Person.sitDown("Bob", { ...phone, colorScheme: "dark" });
  await bob.opensIn("garden", wired);
  await ann.happened("Bob came in");
  await ann.seesMembers("Ann", "Bob");
  await bob.seesMembers("Ann", "Bob");
  assert.match(await ann.page.title(), /garden/);
});

await step("each sees what the other says, with name and time", async () => {
  await ann.say("Good morning, Bob");
  await bob.sees("Good morning, Bob");
  await bob.say("Good morning! 👩‍🚀");
  for (const person of [ann, bob]) {
    const message = (await person.sees("Good morning! 👩‍🚀")).locator("xpath=..");
    assert.equal(await message.locator("header bdi").textContent(), "Bob");
    const time = Date.parse(await message.locator("time").getAttribute("datetime"));
    assert.ok(Math.abs(Date.now() - time) < 600_000, "the time is not now");
    assert.equal(await message.evaluate((node) => node.classList.contains("own")), person === bob);
  }
});

await step("several lines are one message", async () => {
  await ann.message.fill("one line");
  await ann.message.press("Shift+Enter");
  await ann.page.keyboard.type("another line");
  await ann.page.getByRole("button", { name: "Send" }).click();
  assert.equal(await (await bob.sees("one line")).textContent(), "one line\nanother line");
});

await step("markup is shown as text", async () => {
  const markup = `<img src=x onerror="document.title='fooled'"><b>bold</b></script>{"event":"left"}`;
  await bob.say(markup);
  const shown = await ann.sees("<b>bold</b>");
  assert.equal(await shown.textContent(), markup);
  assert.equal(await shown.locator("*").count(), 0);
  assert.doesNotMatch(await ann.page.title(), /fooled/);
});

if (isHttps) await step("the page came over HTTP/2, and so was the WebSocket opened", async () => {
  const version = await ann.page.evaluate(() => performance.getEntriesByType("navigation")[0].nextHopProtocol);
  assert.equal(version, "h2");
  await ann.page.getByText("How this connection was opened").click();
  const opening = ann.page.locator("#opening-body");
  await opening.filter({ hasText: /HTTP\/2, encrypted/ }).waitFor();
  await opening.filter({ hasText: /a connection is opened without one/ }).waitFor();
});
else await step("the panel shows the key and the accept value that belongs to it", async () => {
  await ann.page.getByText("How this connection was opened").click();
  await ann.page.locator("#verdict").waitFor();
  const text = (id) => ann.page.locator(`#${id}`).textContent();
  const key = await text("key");
  assert.equal(Buffer.from(key, "base64").length, 16);
  assert.equal((await text("key-bytes")).replace(/\s/g, ""), Buffer.from(key, "base64").toString("hex"));
  const accept = createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
  assert.equal(await text("accept"), accept);
  const secure = await ann.page.evaluate(() => isSecureContext);
  if (secure) assert.match(await text("verdict"), /it matches/);
});

await step("it looks as it should, large and light, small and dark", async () => {
  await ann.picture("large-light");
  await bob.picture("small-dark");
  await ann.page.emulateMedia({ colorScheme: "dark" });
  await bob.page.emulateMedia({ colorScheme: "light" });
  await ann.picture("large-dark");
  await bob.picture("small-light");
  await bob.page.getByRole("button", { name: "Rooms and people" }).click();
  await bob.picture("small-light-menu");
  await bob.page.keyboard.press("Escape");
  await bob.message.click(); // in reach again
  const width = await bob.page.evaluate(() => document.documentElement.scrollWidth);
  assert.ok(width <= 390, `the page is ${width} pixels wide on a phone of 390`);
});

await step("a new name is seen by all, a bad one is refused", async () => {
  const name = ann.page.getByRole("textbox", { name: "Your name" });
  const notice = (person) => person.page.locator("#name-notice");
  await name.fill("server");
  await name.press("Enter");
  await notice(ann).filter({ hasText: /\S/ }).waitFor();
  await bob.page.getByRole("button", { name: "Rooms and people" }).click();
  const other = bob.page.getByRole("textbox", { name: "Your name" });
  await other.fill("Ann");
  await bob.page.getByRole("button", { name: "Change" }).click();
  await notice(bob).filter({ hasText: /\S/ }).waitFor();
  await bob.picture("small-light-name-refused");
  // What was refused can be mended where it stands.
  assert.deepEqual([await name.inputValue(), await other.inputValue()], ["server", "Ann"]);
  await other.fill("Bob");
  await other.press("Enter");
  await becomes(() => notice(bob).textContent(), "");
  await bob.message.and(bob.page.locator(":focus")).waitFor();
  await name.fill("Anna");
  await name.press("Enter");
  await bob.happened("Ann is now Anna");
  for (const person of [ann, bob]) await person.seesMembers("Anna", "Bob");
});

await step("who comes back to the page has the name and sees what was said", async () => {
  await ann.leavesUntil(() => bob.seesMembers("Bob"));
  await ann.seesMembers("Anna", "Bob");
  await ann.sees("Good morning! 👩‍🚀");
});

await step("another room is another conversation", async () => {
  await ann.message.fill("for the first room only");
  await ann.enters("cellar");
  assert.equal(await ann.message.inputValue(), "");
  await ann.happened("You are here as");
  await ann.seesMembers("Anna");
  await bob.seesMembers("Bob");
  assert.equal(await ann.page.evaluate(() => location.hash), "#cellar");
  assert.equal(await ann.page.locator(".said").count(), 0);
  await ann.goesTo("garden");
  await ann.sees("Good morning, Bob");
  assert.equal(await ann.message.inputValue(), "for the first room only");
  await ann.message.fill("");
  await bob.seesMembers("Anna", "Bob");
});

await step("after the line was cut it comes back by itself and nothing is missed or doubled", async () => {
  wire.cut();
  await bob.line("waiting");
  await bob.page.locator("#state-countdown").filter({ hasText: /again in \d+ s/ }).waitFor();
  await bob.picture("small-light-disconnected");
  await ann.happened("Bob left");
  await ann.say("Bob, are you there?");
  await ann.kept("Bob, are you there?");
  await bob.say("not lost while the line is cut");
  await bob.page.locator(".pending .mark").filter({ hasText: "Waits for the connection" }).waitFor();
  await bob.picture("small-light-waiting");
  wire.mend();
  await bob.line("open");
  await bob.sees("Bob, are you there?");
  await bob.sees("Good morning, Bob");
  await ann.sees("not lost while the line is cut");
  await bob.kept("not lost while the line is cut");
  const away = bob.page.locator(".away + .said");
  assert.match(await away.last().textContent(), /Bob, are you there\?/);
  await bob.picture("small-light-back");
  await bob.seesMembers("Anna", "Bob");
});

await step("an own message is marked once the server has it on disk", async () => {
  await ann.say("is this kept?");
  await ann.kept("is this kept?");
  await bob.sees("is this kept?");
  await bob.leavesUntil(() => ann.seesMembers("Anna"));
  await bob.kept("not lost while the line is cut");
  assert.equal(await bob.page.locator(".said:not(.own)[data-kept]").count(), 0);
});

await step("the conversation goes on after the server was killed", async () => {
  await server.kill();
  for (const person of [ann, bob]) await person.line("waiting");
  await ann.say("said while the server was down");
  await ann.picture("large-dark-waiting");
  await server.startAgain();
  for (const person of [ann, bob]) {
    await person.line("open");
    await person.sees("said while the server was down");
    await person.sees("is this kept?");
    await person.sees("Good morning, Bob");
    assert.equal(await person.page.getByText("began anew").count(), 0);
    await person.seesMembers("Anna", "Bob");
  }
  await ann.kept("said while the server was down");
});

await step("the room sees who leaves", async () => {
  await bob.context.close();
  await ann.seesMembers("Anna");
  await ann.page.locator(".happened").last().filter({ hasText: "Bob left" }).waitFor();
});

wire.close();
await end();
