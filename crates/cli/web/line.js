// The connection: opens, and opens again.

/** Keeps one WebSocket to one room open, with growing, jittered pauses between the attempts. */
export class Line {
  #socket = null;
  #attempts = 0;
  #timer = 0;

  /** `address` gives the URL and the subprotocols for each attempt; `heard` gets each event, `changed` each change of state. */
  constructor(address, heard, changed) {
    Object.assign(this, { address, heard, changed });
  }

  open() {
    this.close();
    this.changed("connecting", {});
    const socket = new WebSocket(...this.address());
    this.#socket = socket;
    socket.onmessage = ({ data }) => {
      if (this.#socket !== socket) return;
      const event = JSON.parse(data);
      if (event.event === "welcome") {
        this.#attempts = 0;
        this.changed("open", {});
      }
      this.heard(event);
    };
    socket.onclose = ({ code, reason }) => {
      if (this.#socket !== socket) return;
      this.#socket = null;
      // "Not like this", "who are you?", "not you": to try the same again is no use.
      if ([1008, 4401, 4403].includes(code)) this.changed("ended", { code, reason });
      else this.#wait(reason);
    };
  }

  /** Closes for good; no event of this socket is heard any more. */
  close() {
    clearTimeout(this.#timer);
    this.#timer = 0;
    this.#socket?.close(1000);
    this.#socket = null;
  }

  /** Opens at once if it waits. */
  hurry() {
    if (this.#timer) this.open();
  }

  /** Returns whether the command could be handed to the browser. */
  send(command) {
    if (this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(JSON.stringify(command));
    return true;
  }

  #wait(why) {
    // One second doubled up to thirty, and of that between half and all, so that not everybody returns at once. A
    // server that goes down advises each when to come back.
    const longest = Math.min(30_000, 1000 * 2 ** this.#attempts++);
    const advice = /come back in (\d{1,2}(?:\.\d)?) s/;
    const advised = advice.exec(why)?.[1];
    // The seconds that are left are told beside it; these would not stay true.
    const reason = why.replace(advice, "this page comes back by itself");
    const until = Date.now() + (advised ? advised * 1000 : longest * (0.5 + Math.random() / 2));
    const tick = () => {
      const left = until - Date.now();
      if (left <= 0) return this.open();
      this.changed("waiting", { seconds: Math.ceil(left / 1000), reason });
      this.#timer = setTimeout(tick, left % 1000 || 1000);
    };
    tick();
  }
}
