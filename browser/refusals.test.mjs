// A server that does not let somebody in, or not stay, says why; the page goes on from there.

import assert from "node:assert/strict";
import { becomes } from "./patience.mjs";
import { Person, phone } from "./people.mjs";
import { at, end, step } from "./story.mjs";

/** Somebody whose first connection is closed with this code, before anything is heard of the server. */
async function closedAtFirst(code, reason) {
  const person = await Person.sitDown("Dora", phone);
  let isFirst = true;
  await person.page.routeWebSocket(/\/chat\//, (socket) => {
    if (!isFirst) return socket.connectToServer();
    isFirst = false;
    return socket.close({ code, reason });
  });
  return person;
}

/** The token that the page comes with. */
const token = (person) => person.page.evaluate(() => sessionStorage.getItem("wskit.token"));

await step("who is asked for another token can bring one", async () => {
  const dora = await closedAtFirst(4401, "the token is not valid here");
  const { page } = dora;
  await dora.opens(at("garden"));
  await page.getByText("the token is not valid here").waitFor();
  assert.equal(await dora.message.isVisible(), false);
  assert.equal(await page.getByRole("button", { name: "Choose another room" }).isVisible(), false);
  assert.equal(await page.getByRole("heading", { name: "Here now" }).isVisible(), false);
  assert.equal(await page.getByRole("button", { name: "Try again" }).isVisible(), false);
  await dora.picture("small-light-token");
  await page.getByLabel("Your token").fill("no token (at all)");
  await page.getByRole("button", { name: "Come in" }).click();
  await dora.isIn("garden");
  assert.equal(await token(dora), "no token (at all)");
  await dora.message.waitFor();
  await dora.context.close();
});

await step("who came with a token can try again with it", async () => {
  const dora = await closedAtFirst(4401, "the token is not valid here");
  await dora.opens(at("garden&token=good.later"));
  const again = dora.page.getByRole("button", { name: "Try again" });
  await again.waitFor();
  await dora.picture("small-light-try-again");
  await again.click();
  await dora.isIn("garden");
  assert.equal(await token(dora), "good.later");
  await dora.context.close();
});

/** Somebody who comes with a token, which expires when a text is said of which this is true. */
async function comesWithToken(bearer, isTooLate) {
  const person = await Person.sitDown("Dora");
  await person.page.routeWebSocket(/\/chat\//, (socket) => {
    const server = socket.connectToServer();
    socket.onMessage((text) => {
      if (isTooLate(text)) socket.close({ code: 4401, reason: "the token has expired" });
      else server.send(text);
    });
  });
  await person.opensIn("cellar", at(`cellar&token=${bearer}`));
  return person;
}

/** The token has expired, and somebody brings another. */
async function bringsToken(person, bearer) {
  await person.page.getByText("the token has expired").waitFor();
  await person.page.getByLabel("Your token").fill(bearer);
  await person.page.getByRole("button", { name: "Come in" }).click();
  await person.isIn("cellar");
}

await step("who brings another token neither says nor owns what the first one wrote", async () => {
  const dora = await comesWithToken("of.the.first", (text) => text.includes("never kept"));
  await dora.say("kept of the first");
  await dora.kept("kept of the first");
  await dora.say("never kept of the first");
  await bringsToken(dora, "of.the.second");
  await dora.sees("kept of the first");
  await dora.say("kept of the second");
  await dora.kept("kept of the second");
  assert.deepEqual(await dora.page.locator(".own p").allTextContents(), ["kept of the second"]);
  assert.equal(await dora.page.getByText("never kept").count(), 0);
  await dora.context.close();
});

await step("who renews a token says what was written before", async () => {
  const bearer = (number) => `head.${btoa(JSON.stringify({ sub: "dora", number })).replaceAll("=", "")}.signature`;
  let isOver = false;
  const dora = await comesWithToken(bearer(1), (text) => {
    const isTooLate = !isOver && text.includes("too late");
    isOver ||= isTooLate;
    return isTooLate;
  });
  await dora.say("just in time");
  await dora.kept("just in time");
  await dora.say("too late for the first");
  await bringsToken(dora, bearer(2));
  await dora.kept("too late for the first");
  assert.deepEqual(await dora.page.locator(".own p").allTextContents(), ["just in time", "too late for the first"]);
  await dora.context.close();
});

await step("what is said of a server that goes down stays true", async () => {
  const dora = await closedAtFirst(1012, "the server goes down; come back in 90 s");
  const countdown = dora.page.locator("#state-countdown");
  const notice = dora.page.locator("#notice");
  // The page's clock is the test's to put forward.
  await dora.page.clock.install();
  await dora.opens(at("garden"));
  await countdown.filter({ hasText: /again in [6-9]\d s/ }).waitFor();
  await dora.picture("small-light-restarting");
  await dora.page.clock.fastForward(60_000);
  await countdown.filter({ hasText: /again in [1-3]?\d s/ }).waitFor();
  assert.equal(await notice.textContent(), "the server goes down; this page comes back by itself");
  await dora.page.clock.fastForward(30_000);
  await dora.isIn("garden");
  await becomes(() => notice.textContent(), "");
  await dora.context.close();
});

await end();
