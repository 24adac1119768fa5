// A story of steps, on a server of its own: `node STORY.test.mjs SCHEME WSKIT`, where SCHEME is http or https and WSKIT
// the command. The last line reads "N passed, N failed"; the exit code is 0 if nothing failed.

import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import { browser } from "./browser.mjs";
import { PATIENCE } from "./patience.mjs";
import { everybody } from "./people.mjs";
import { Server } from "./server.mjs";

const [, , scheme, command] = process.argv;
export const isHttps = scheme === "https";
export const server = await Server.start(command, scheme);

let passed = 0;
let failed = 0;

/** One step of the story. Later steps need the earlier ones, so the first failure ends it. */
export async function step(what, act) {
  if (failed) return;
  const tooLong = pause(4 * PATIENCE, null, { ref: false }).then(() => { throw new Error("it does not end"); });
  try {
    await Promise.race([act(), tooLong]);
    passed += 1;
    console.log(`ok      ${what}`);
  } catch (error) {
    failed += 1;
    console.log(`FAILED  ${what}: ${error.message.split("\n").slice(0, 14).join(" ")}`);
    for (const person of everybody) await person.picture(`failed-${person.name}`).catch(() => {});
  }
}

/** Where the page of a room is. */
export function at(room) {
  return new URL(`#${room}`, server.url);
}

export async function end() {
  await step("no script failed and the Content-Security-Policy was kept", async () => {
    assert.deepEqual(everybody.flatMap(({ faults }) => faults), []);
  });
  await browser.close();
  console.log(`${passed} passed, ${failed} failed`);
  process.exit(failed ? 1 : 0);
}
