// What every interop script in JavaScript shares: named checks, one line of outcome for each.
import { createRequire } from "node:module";

/** Finds packages through NODE_PATH, which `import` does not. */
export const require = createRequire(import.meta.url);

/** Runs a check and prints `ok NAME` or `not ok NAME: why`. */
export async function check(name, run) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error("no outcome within 180 s")), 180_000);
  });
  try {
    await Promise.race([run(), late]);
    console.log(`ok ${name}`);
  } catch (error) {
    console.log(`not ok ${name}: ${error.message.replaceAll("\n", " ")}`);
    process.exitCode = 1;
  } finally {
    clearTimeout(timer);
  }
}
