// What was written and is not acknowledged yet.

/** Keeps each message until the server has it on disk, and sends it again under the same id if the line breaks. */
export class Outbox {
  #waiting = new Map();
  #count = 0;
  /** What this page calls itself to the server, so that what is sent again is known again. */
  client = Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");

  /** `send` returns whether the command could be handed on; `log` shows what waits. */
  constructor(send, log) {
    Object.assign(this, { send, log });
  }

  put(text, name) {
    const id = `${this.#count += 1}`;
    this.#waiting.set(id, { text, shown: this.log.pending(text, name) });
    this.#send(id);
  }

  /** Sends all that waits, in its order. */
  sendAll() {
    for (const id of this.#waiting.keys()) this.#send(id);
  }

  /** The line is broken: shows that nothing is on its way. */
  waits() {
    for (const { shown } of this.#waiting.values()) shown.say("Waits for the connection");
  }

  /** A message came: returns whether it is the oldest that waits, which the log shows now. */
  heard({ from, text }, name) {
    if (from !== name) return false;
    const oldest = [...this.#waiting.values()].find(({ shown }) => shown.isShown);
    if (oldest?.text !== text) return false;
    oldest.shown.remove();
    return true;
  }

  /** Returns whether the id was one of these. */
  acknowledged(id) {
    this.#waiting.get(id)?.shown.remove();
    return this.#waiting.delete(id);
  }

  /** Returns whether it will be tried again. */
  refused(id, reason) {
    const pause = { too_fast: 1500, busy: 1500, not_kept: 10_000 }[reason];
    if (!pause || !this.#waiting.has(id)) return false;
    this.#waiting.get(id).shown.say("Waits for the server");
    setTimeout(() => this.#send(id), pause);
    return true;
  }

  /** Takes a message out; its text, if it was here. */
  take(id) {
    const waiting = this.#waiting.get(id);
    waiting?.shown.remove();
    this.#waiting.delete(id);
    return waiting?.text;
  }

  /** Forgets all that waits; the texts of what was never sent. */
  clear() {
    const unsent = [...this.#waiting.values()].filter(({ wasSent }) => !wasSent).map(({ text }) => text);
    for (const id of [...this.#waiting.keys()]) this.take(id);
    return unsent;
  }

  #send(id) {
    const waiting = this.#waiting.get(id);
    if (!waiting) return;
    const sent = this.send({ say: waiting.text, id });
    waiting.wasSent ||= sent;
    waiting.shown.say(sent ? "Sending" : "Waits for the connection");
  }
}
