// How long is waited for what comes later.

import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";

/** Nothing takes so many milliseconds, not even on a slow machine. */
export const PATIENCE = 60_000;

/** Looks again and again until this is seen. */
export async function becomes(look, wanted) {
  const end = Date.now() + PATIENCE;
  let seen = await look();
  while (!isDeepStrictEqual(seen, wanted) && Date.now() < end) {
    await pause(50);
    seen = await look();
  }
  assert.deepEqual(seen, wanted);
}
