// Two people in two real browsers chat with one another.
//
//   CHAT_URL      where the chat page is, for instance http://127.0.0.1:8080/
//   SCREENSHOTS   a folder for screenshots; none are taken without it
//   CHROMIUM      the browser; /usr/bin/chromium without it
//   SERVER_PID, SERVER_COMMAND, SERVER_OPTIONS
//                 the server's process, and how to start it again after the test has killed it
//
// The last line reads "N passed, N failed"; the exit code is 0 if nothing failed.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { Person, Wire } from "./people.mjs";

// Unlike `import`, this finds packages through NODE_PATH.
const { chromium } = createRequire(import.meta.url)("playwright-core");

const address = process.env.CHAT_URL;
if (!address) {
  console.error("Say in CHAT_URL where the chat page is, for instance CHAT_URL=http://127.0.0.1:8080/");
  process.exit(2);
}

// A room of its own, so that the test can be run again on the same server.
const room = `test-${Date.now().toString(36)}`;
const direct = new URL(`#${room}`, address);
const wire = new Wire(direct);
const wired = new URL(direct);
wired.hostname = "127.0.0.1";
wired.port = await wire.open();

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync"],
});

let ann, bob, server;
let passed = 0;
let failed = 0;

/** One step of the story. Later steps need the earlier ones, so the first failure ends it. */
async function step(what, act) {
  if (failed) return;
  try {
    await act();
    passed += 1;
    console.log(`ok      ${what}`);
  } catch (error) {
    failed += 1;
    console.log(`FAILED  ${what}: ${error.message.split("\n").slice(0, 4).join(" ")}`);
    await ann?.picture("failed-ann").catch(() => {});
    await bob?.picture("failed-bob").catch(() => {});
  }
}

await step("two people enter a room and see one another", async () => {
  ann = await Person.sitDown(browser, direct, "Ann", { viewport: { width: 1280, height: 800 }, colorScheme: "light" });
  await ann.seesMembers("Ann");
  bob = await Person.sitDown(browser, wired, "Bob", { viewport: { width: 390, height: 844 }, colorScheme: "dark" });
  await ann.happened("Bob came in");
  await ann.seesMembers("Ann", "Bob");
  await bob.seesMembers("Ann", "Bob");
  assert.match(await ann.page.title(), new RegExp(room));
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
  await ann.page.getByLabel("Message", { exact: true }).fill("one line");
  await ann.page.keyboard.press("Shift+Enter");
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

const isHttp2 = address.startsWith("https:");
if (isHttp2) await step("the page came over HTTP/2, and so was the WebSocket opened", async () => {
  const version = await ann.page.evaluate(() => performance.getEntriesByType("navigation")[0].nextHopProtocol);
  assert.equal(version, "h2");
  await ann.page.getByText("How this connection was opened").click();
  const opening = await ann.page.locator("#opening-body").textContent();
  assert.match(opening, /HTTP\/2, encrypted/);
  assert.match(opening, /a connection is opened without one/);
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
  const width = await bob.page.evaluate(() => document.documentElement.scrollWidth);
  assert.ok(width <= 390, `the page is ${width} pixels wide on a phone of 390`);
});

await step("a new name is seen by all, a bad one is refused", async () => {
  const name = ann.page.getByRole("textbox", { name: "Your name" });
  const refused = (person) => person.page.locator("#name-notice").filter({ hasText: /\S/ }).waitFor();
  await name.fill("server");
  await name.press("Enter");
  await refused(ann);
  await bob.page.getByRole("button", { name: "Rooms and people" }).click();
  const other = bob.page.getByRole("textbox", { name: "Your name" });
  await other.fill("Ann");
  await bob.page.getByRole("button", { name: "Change" }).click();
  await refused(bob);
  await bob.picture("small-light-name-refused");
  // What was refused can be mended where it stands.
  assert.deepEqual([await name.inputValue(), await other.inputValue()], ["server", "Ann"]);
  await other.fill("Bob");
  await other.press("Enter");
  assert.equal(await bob.page.locator("#name-notice").textContent(), "");
  await bob.page.getByLabel("Message", { exact: true }).and(bob.page.locator(":focus")).waitFor();
  await name.fill("Anna");
  await name.press("Enter");
  await bob.happened("Ann is now Anna");
  await bob.seesMembers("Anna", "Bob");
});

await step("who comes back to the page has the name and sees what was said", async () => {
  await ann.page.reload();
  await ann.connected();
  await ann.seesMembers("Anna", "Bob");
  await ann.sees("Good morning! 👩‍🚀");
});

await step("another room is another conversation", async () => {
  const message = ann.page.getByLabel("Message", { exact: true });
  await message.fill("for the first room only");
  await ann.page.getByLabel("Enter another room").fill(`${room}-two`);
  await ann.page.keyboard.press("Enter");
  await ann.happened("You are here as");
  assert.equal(await message.inputValue(), "");
  await ann.seesMembers("Anna");
  await bob.seesMembers("Bob");
  assert.ok(ann.page.url().endsWith(`#${room}-two`));
  assert.equal(await ann.page.locator(".said").count(), 0);
  await ann.page.getByRole("navigation").getByRole("link", { name: room, exact: true }).click();
  await ann.sees("Good morning, Bob");
  assert.equal(await message.inputValue(), "for the first room only");
  await message.fill("");
  await bob.seesMembers("Anna", "Bob");
});

await step("after the line was cut it comes back by itself and nothing is missed or doubled", async () => {
  wire.cut();
  await bob.page.locator('#state[data-state="waiting"]').waitFor();
  await bob.page.locator("#state-countdown").filter({ hasText: /again in \d+ s/ }).waitFor();
  await bob.picture("small-light-disconnected");
  await ann.happened("Bob left");
  await ann.say("Bob, are you there?");
  await bob.say("not lost while the line is cut");
  await bob.page.locator(".pending .mark").filter({ hasText: "Waits for the connection" }).waitFor();
  await bob.picture("small-light-waiting");
  wire.mend();
  await bob.connected();
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
  await bob.page.reload();
  await bob.connected();
  await bob.kept("not lost while the line is cut");
  assert.equal(await bob.page.locator(".said:not(.own)[data-kept]").count(), 0);
});

await step("who gets a guest's name later does not get what that guest said", async () => {
  const guests = new URL(direct);
  guests.hash = `${room}-guests`;
  const own = (person) => person.page.locator(".own");
  const first = await Person.sitDown(browser, guests, "");
  await first.say("I was here first");
  await first.kept("I was here first");
  const name = await first.page.locator("#members bdi").textContent();
  await first.context.close();
  const second = await Person.sitDown(browser, guests, "");
  await second.seesMembers(name);
  await second.sees("I was here first");
  assert.equal(await own(second).count(), 0);
  await second.say("and I come second");
  await second.kept("and I come second");
  await second.page.reload();
  await second.connected();
  await second.kept("and I come second");
  assert.deepEqual(await own(second).locator("p").allTextContents(), ["and I come second"]);
  // Two people are not shown as one, although they have one name.
  assert.equal(await own(second).locator("header").isVisible(), true);
  await second.picture("large-light-guests");
  assert.deepEqual([...first.faults, ...second.faults], []);
  await second.context.close();
});

/** Somebody whose first connection is closed with this code, before anything is heard of the server. */
async function closedAtFirst(code, reason, url = direct) {
  const context = await browser.newContext({ ignoreHTTPSErrors: true, locale: "en-GB", viewport: { width: 390, height: 844 } });
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  let isFirst = true;
  await page.routeWebSocket(/\/chat\//, (socket) => {
    if (!isFirst) return socket.connectToServer();
    isFirst = false;
    return socket.close({ code, reason });
  });
  await page.goto(url.href);
  return Object.assign(new Person(), { context, page, name: "Dora", faults: [] });
}

await step("what is no room is not remembered, and there is a way on", async () => {
  const context = await browser.newContext({ ignoreHTTPSErrors: true, locale: "en-GB", colorScheme: "dark" });
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  await page.goto(new URL("#a%20b", address).href);
  await page.getByText("a room's name is short").waitFor();
  const person = Object.assign(new Person(), { context, page, name: "Dora" });
  await person.picture("large-dark-no-room");
  await page.getByRole("button", { name: "Choose another room" }).click();
  await page.getByLabel("Enter another room").and(page.locator(":focus")).waitFor();
  await page.getByRole("link", { name: "Go to the lobby" }).click();
  await person.connected();
  const rooms = page.locator("#rooms li");
  assert.deepEqual(await rooms.allTextContents(), ["lobby"]);
  await page.getByLabel("Enter another room").fill(room);
  await page.keyboard.press("Enter");
  await rooms.filter({ hasText: room }).waitFor();
  assert.deepEqual(await rooms.allTextContents(), ["lobby", room]);
  // Blanks stood between the rooms once.
  await page.goto(new URL("#lobby", address).href);
  for (const [kept, ...shown] of [["one two", "one", "two"], ["2024", "2024"], [""]]) {
    await page.evaluate((kept) => localStorage.setItem("wskit.rooms", kept), kept);
    await page.reload();
    await person.connected();
    assert.deepEqual(await rooms.allTextContents(), ["lobby", ...shown]);
  }
  // What the browser has no room for is remembered as long as the page is open.
  await page.evaluate(() => { Storage.prototype.setItem = () => { throw new DOMException("full", "QuotaExceededError"); }; });
  await page.getByLabel("Enter another room").fill(room);
  await page.keyboard.press("Enter");
  await person.happened("You are here as");
  await page.waitForFunction((room) => document.getElementById("room-title").textContent === room, room);
  await rooms.filter({ hasText: room }).waitFor();
  assert.deepEqual(await rooms.allTextContents(), ["lobby", room]);
  await context.close();
});

await step("who is asked for another token can bring one", async () => {
  const person = await closedAtFirst(4401, "the token is not valid here");
  const { page } = person;
  await page.getByText("the token is not valid here").waitFor();
  assert.equal(await page.getByLabel("Message", { exact: true }).isVisible(), false);
  assert.equal(await page.getByRole("button", { name: "Choose another room" }).isVisible(), false);
  assert.equal(await page.getByRole("heading", { name: "Here now" }).isVisible(), false);
  assert.equal(await page.getByRole("button", { name: "Try again" }).isVisible(), false);
  await person.picture("small-light-token");
  await page.getByLabel("Your token").fill("no token (at all)");
  await page.getByRole("button", { name: "Come in" }).click();
  await person.connected();
  assert.equal(await page.evaluate(() => sessionStorage.getItem("wskit.token")), "no token (at all)");
  await page.getByLabel("Message", { exact: true }).waitFor();
  await person.context.close();
});

await step("who came with a token can try again with it", async () => {
  const person = await closedAtFirst(4401, "the token is not valid here", new URL(`${direct.hash}&token=good.later`, address));
  const { page } = person;
  const again = page.getByRole("button", { name: "Try again" });
  await again.waitFor();
  await person.picture("small-light-try-again");
  await again.click();
  await person.connected();
  assert.equal(await page.evaluate(() => sessionStorage.getItem("wskit.token")), "good.later");
  await person.context.close();
});

/** Somebody who comes with a token, which expires when a text is said of which this is true. */
async function comesWithToken(bearer, isTooLate) {
  const context = await browser.newContext({ ignoreHTTPSErrors: true, locale: "en-GB" });
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  await page.routeWebSocket(/\/chat\//, (socket) => {
    const server = socket.connectToServer();
    socket.onMessage((text) => {
      if (isTooLate(text)) socket.close({ code: 4401, reason: "the token has expired" });
      else server.send(text);
    });
  });
  const person = Object.assign(new Person(), { context, page, name: "Dora" });
  await page.goto(new URL(`#${room}-tokens&token=${bearer}`, address).href);
  await person.connected();
  return person;
}

/** The token has expired, and somebody brings another. */
async function bringsToken(person, bearer) {
  await person.page.getByText("the token has expired").waitFor();
  await person.page.getByLabel("Your token").fill(bearer);
  await person.page.getByRole("button", { name: "Come in" }).click();
  await person.connected();
}

await step("who brings another token neither says nor owns what the first one wrote", async () => {
  const person = await comesWithToken("of.the.first", (text) => text.includes("never kept"));
  await person.say("kept of the first");
  await person.kept("kept of the first");
  await person.say("never kept of the first");
  await bringsToken(person, "of.the.second");
  await person.sees("kept of the first");
  await person.say("kept of the second");
  await person.kept("kept of the second");
  assert.deepEqual(await person.page.locator(".own p").allTextContents(), ["kept of the second"]);
  assert.equal(await person.page.getByText("never kept").count(), 0);
  await person.context.close();
});

await step("who renews a token says what was written before", async () => {
  const bearer = (number) => `head.${btoa(JSON.stringify({ sub: "dora", number })).replaceAll("=", "")}.signature`;
  let isOver = false;
  const person = await comesWithToken(bearer(1), (text) => {
    const isTooLate = !isOver && text.includes("too late");
    isOver ||= isTooLate;
    return isTooLate;
  });
  await person.say("just in time");
  await person.kept("just in time");
  await person.say("too late for the first");
  await bringsToken(person, bearer(2));
  await person.kept("too late for the first");
  assert.deepEqual(await person.page.locator(".own p").allTextContents(), ["just in time", "too late for the first"]);
  await person.context.close();
});

await step("what is said of a server that goes down stays true", async () => {
  const person = await closedAtFirst(1012, "the server goes down; come back in 2.5 s");
  await person.page.getByText("the server goes down; this page comes back by itself").waitFor();
  await person.page.locator("#state-countdown").filter({ hasText: "again in 2 s" }).waitFor();
  await person.picture("small-light-restarting");
  await person.connected();
  assert.equal(await person.page.locator("#notice").textContent(), "");
  await person.context.close();
});

await step("the conversation goes on after the server was killed", async () => {
  process.kill(Number(process.env.SERVER_PID), "SIGKILL");
  await ann.page.locator('#state[data-state="waiting"]').waitFor();
  await ann.say("said while the server was down");
  await ann.picture("large-dark-waiting");
  const { port } = direct;
  server = spawn(process.env.SERVER_COMMAND,
    ["serve", "--listen", `127.0.0.1:${port}`, ...process.env.SERVER_OPTIONS.split(" ")], { stdio: "ignore" });
  for (const person of [ann, bob]) {
    await person.connected();
    await person.sees("said while the server was down");
    await person.sees("is this kept?");
    await person.sees("Good morning, Bob");
    assert.equal(await person.page.getByText("began anew").count(), 0);
  }
  await ann.kept("said while the server was down");
  await ann.seesMembers("Anna", "Bob");
});

await step("older messages come as one scrolls to them", async () => {
  await ann.page.evaluate(async (room) => {
    const socket = new WebSocket(`${location.origin.replace("http", "ws")}/chat/${room}-long?name=Cleo`);
    await new Promise((opened) => { socket.onopen = opened; });
    for (let number = 1; number <= 230; number += 1) socket.send(`number ${number}.`);
    await new Promise((said) => {
      socket.onmessage = ({ data }) => { if (JSON.parse(data).offset === 230) said(); };
    });
    socket.close();
  }, room);
  await ann.page.getByLabel("Enter another room").fill(`${room}-long`);
  await ann.page.keyboard.press("Enter");
  await ann.sees("number 230.");
  assert.equal(await ann.page.locator(".said").filter({ hasText: "number 80." }).count(), 0);
  const top = ann.page.locator(".top");
  for (let tries = 0; tries < 50 && (await top.textContent()) !== "The conversation begins here"; tries += 1) {
    await ann.page.locator("#log").evaluate((log) => { log.scrollTop = 0; });
    await ann.page.waitForTimeout(100);
  }
  assert.equal(await top.textContent(), "The conversation begins here");
  await ann.picture("large-dark-history");
  const shown = await ann.page.locator(".said p").allTextContents();
  assert.deepEqual(shown, Array.from({ length: 230 }, (_, index) => `number ${index + 1}.`));
  assert.equal(await ann.page.locator(".lines .day").count(), 1);
  await ann.page.getByRole("navigation").getByRole("link", { name: room, exact: true }).click();
  await ann.sees("Good morning, Bob");
});

await step("in a large room the page counts, and finds out who is here", async () => {
  await ann.page.evaluate(async (room) => {
    const url = `${location.origin.replace("http", "ws")}/chat/${room}?name=`;
    const enter = (number) => new Promise((entered, refused) => {
      const socket = new WebSocket(url + `crowd-${number}`);
      socket.onmessage = () => entered(socket);
      socket.onclose = refused;
    });
    window.crowd = await Promise.all(Array.from({ length: 110 }, (_, number) => enter(number)));
  }, room);
  await ann.page.getByText("112 people").waitFor();
  const crowd = Array.from({ length: 110 }, (_, number) => `crowd-${number}`);
  await ann.seesMembers("Anna", "Bob", ...crowd);
  await ann.page.evaluate(() => window.crowd.forEach((socket) => { socket.onclose = null; socket.close(); }));
  await ann.page.getByText("2 people").waitFor();
  await ann.seesMembers("Anna", "Bob");
});

await step("the room sees who leaves", async () => {
  await bob.context.close();
  await ann.happened("Bob left");
  await ann.seesMembers("Anna");
});

await step("no script failed and the Content-Security-Policy was kept", async () => {
  assert.deepEqual([...ann.faults, ...bob.faults], []);
});

await browser.close();
wire.close();
server?.kill();
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed ? 1 : 0;
