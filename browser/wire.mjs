// The wire between a browser and the server, which the test can cut as a bad network would.

import net from "node:net";

export class Wire {
  #sockets = new Set();
  #isCut = false;
  #server = net.createServer((near) => {
    if (this.#isCut) return near.destroy();
    const far = net.connect(this.#port, "127.0.0.1");
    for (const [socket, other] of [[near, far], [far, near]]) {
      this.#sockets.add(socket);
      socket.on("error", () => other.destroy());
      socket.on("close", () => this.#sockets.delete(socket));
    }
    // What ends well ends there too, behind all that was sent.
    near.pipe(far).pipe(near);
  });
  #port;

  /** Leads to the server at this URL; gives the wire and the URL of its near end. */
  static async to(url) {
    const wire = new Wire();
    wire.#port = Number(url.port);
    await new Promise((ready) => wire.#server.listen(0, "127.0.0.1", ready));
    const near = new URL(url);
    near.port = wire.#server.address().port;
    return [wire, near];
  }

  cut() {
    this.#isCut = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  mend() {
    this.#isCut = false;
  }

  close() {
    this.cut();
    this.#server.close();
  }
}
