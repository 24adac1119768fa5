// `wskit serve`, with a folder of its own for its rooms.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";

export class Server {
  #data = mkdtempSync(path.join(tmpdir(), "wskit-"));
  #command;
  #options;
  #process;
  /** Where the page is. */
  url;

  /** Starts the command `wskit`, to be reached over `http` or `https`. */
  static async start(command, scheme) {
    const server = new Server();
    server.#command = command;
    server.#options = ["--data", server.#data, "--messages-per-second", "1000"];
    if (scheme === "https") server.#options.push("--tls-self-signed");
    process.on("exit", () => {
      server.#process.kill("SIGKILL");
      rmSync(server.#data, { recursive: true, force: true });
    });
    server.url = await server.#start(0);
    return server;
  }

  /** As a power cut would. */
  async kill() {
    const exit = once(this.#process, "exit");
    this.#process.kill("SIGKILL");
    await exit;
  }

  /** Starts again where it was. */
  async startAgain() {
    await this.#start(this.url.port);
  }

  async #start(port) {
    const options = ["serve", "--listen", `127.0.0.1:${port}`, ...this.#options];
    this.#process = spawn(this.#command, options, { stdio: ["ignore", "pipe", "inherit"] });
    const exit = once(this.#process, "exit").then(() => { throw new Error("wskit serve ended"); });
    const [line] = await Promise.race([once(createInterface(this.#process.stdout), "line"), exit]);
    return new URL(line.match(/https?:\/\/\S+/)[0]);
  }
}
