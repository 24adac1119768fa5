// The conversation, as it is shown.

import { element, face, make } from "./dom.js";

const clock = new Intl.DateTimeFormat([], { hour: "2-digit", minute: "2-digit" });
const calendar = new Intl.DateTimeFormat([], { weekday: "long", day: "numeric", month: "long" });

/** The messages and what happened between them, oldest first. */
export class Log {
  #box = element("log");
  #newer = element("newer");
  #last = null;
  static kept = 1000;

  constructor() {
    this.#newer.onclick = () => this.#toEnd();
    this.#box.onscroll = () => { if (this.#atEnd()) this.#newer.hidden = true; };
    new ResizeObserver(() => { if (this.#newer.hidden) this.#toEnd(); }).observe(this.#box);
  }

  clear() {
    this.#box.replaceChildren();
    this.#last = null;
  }

  said({ from, text, time }, own) {
    const when = new Date(time);
    const day = calendar.format(when);
    if (this.#last?.day !== day) this.#add(make("p", "day", day));
    const goesOn = this.#last?.from === from && this.#last.day === day && when - this.#last.when < 5 * 60_000;
    const stamp = make("time", "", clock.format(when));
    stamp.dateTime = time;
    const header = make("header", "", make("bdi", "", from), ...(own ? [make("span", "you", "you")] : []), stamp);
    const words = make("p", "", text);
    words.dir = "auto";
    this.#add(make("article", `said${own ? " own" : ""}${goesOn ? " more" : ""}`, face(from), header, words), own);
    this.#last = { from, day, when };
  }

  happened(...parts) {
    this.#add(make("p", "happened", ...parts));
    if (this.#last) this.#last.from = null;
  }

  /** Adds many at once without having each read aloud. */
  quietly(fill) {
    this.#box.setAttribute("aria-live", "off");
    fill();
    this.#toEnd();
    requestAnimationFrame(() => this.#box.setAttribute("aria-live", "polite"));
  }

  #add(line, follow = false) {
    const stay = !follow && !this.#atEnd();
    this.#box.append(line);
    while (this.#box.childElementCount > Log.kept) this.#box.firstElementChild.remove();
    if (stay) this.#newer.hidden = false;
    else this.#toEnd();
  }

  #atEnd() {
    return this.#box.scrollHeight - this.#box.scrollTop - this.#box.clientHeight < 48;
  }

  #toEnd() {
    this.#box.scrollTop = this.#box.scrollHeight;
    this.#newer.hidden = true;
  }
}
