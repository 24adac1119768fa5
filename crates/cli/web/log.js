// The conversation, as it is shown.

import { element, face, make } from "./dom.js";

const clock = new Intl.DateTimeFormat([], { timeStyle: "short" });
const calendar = new Intl.DateTimeFormat([], { weekday: "long", day: "numeric", month: "long" });

/** Makes the lines of messages that follow one another. */
class Writer {
  #last = null;

  /** The lines of one message: perhaps the day before it. */
  said({ offset, from, text, time }, own) {
    const when = new Date(time);
    const day = calendar.format(when);
    const lines = this.#last?.day === day ? [] : [make("p", "day", day)];
    // Two people may have had one name, one after the other.
    const isSame = this.#last?.from === from && this.#last.own === own;
    const goesOn = isSame && this.#last.day === day && when - this.#last.when < 5 * 60_000;
    const stamp = make("time", "", clock.format(when));
    stamp.dateTime = time;
    const header = make("header", "", make("bdi", "", from), stamp);
    const article = make("article", `said${goesOn ? " more" : ""}`, face(from), header, words(text));
    article.dataset.offset = offset;
    if (own) markOwn(article);
    this.#last = { from, own, day, when };
    return [...lines, article];
  }

  /** The next message begins anew with its name. */
  interrupted() {
    if (this.#last) this.#last.from = null;
  }
}

/** Shows that a message is one's own. Nothing is heard of it before the server has it for good. */
function markOwn(article) {
  article.classList.add("own");
  article.dataset.kept = "";
  article.querySelector("header bdi").after(make("span", "you", "you"));
}

function words(text) {
  const made = make("p", "", text);
  made.dir = "auto";
  return made;
}

/** The messages and what happened between them, oldest first; older ones come as one scrolls to them. */
export class Log {
  #box = element("log");
  #newer = element("newer");
  #top = make("p", "happened top");
  #lines = make("div", "lines");
  #outbox = make("div", "outbox");
  #writer = new Writer();
  #first = 1;
  #asked = false;
  /** So many lines are kept while one looks at the newest. */
  static kept = 1000;

  /** `older` asks for what was said before, and returns whether that could be asked. */
  constructor(older) {
    this.older = older;
    this.#box.replaceChildren(this.#top, this.#lines, this.#outbox);
    this.#newer.onclick = () => this.#toEnd();
    this.#box.onscroll = () => {
      if (this.#atEnd()) this.#newer.hidden = true;
      this.#askForOlder();
    };
    new ResizeObserver(() => { if (this.#newer.hidden) this.#toEnd(); }).observe(this.#box);
  }

  /** The offset of the oldest message shown. */
  get oldest() {
    const shown = this.#lines.querySelector("[data-offset]");
    return shown ? Number(shown.dataset.offset) : undefined;
  }

  clear() {
    this.#lines.replaceChildren();
    this.#top.textContent = "";
    this.#writer = new Writer();
    this.#first = 1;
    this.#asked = false;
  }

  said(message, own) {
    for (const made of this.#writer.said(message, own)) this.#add(made);
  }

  /** It turned out that a message is one's own. */
  own(offset) {
    const article = this.#lines.querySelector(`[data-offset="${offset}"]:not(.own)`);
    if (article) markOwn(article);
  }

  happened(...parts) {
    this.#add(make("p", "happened", ...parts));
    this.#writer.interrupted();
  }

  /** What comes now was said while one was away. */
  away() {
    this.#add(make("p", "day away", "While you were away"));
    this.#writer.interrupted();
  }

  /** Shows a message that is not kept yet, under all others. */
  pending(text, name) {
    const mark = make("span", "mark", "");
    const shown = make("article", "said own pending", face(name), words(text), mark);
    this.#outbox.append(shown);
    this.#toEnd();
    return {
      say(state) { mark.textContent = state; },
      remove() { shown.remove(); },
      get isShown() { return shown.isConnected; },
    };
  }

  /** Puts older messages before all others and leaves what is looked at where it is. */
  before(messages) {
    this.#asked = false;
    const writer = new Writer();
    const older = messages.flatMap(([message, own]) => writer.said(message, own));
    const day = this.#lines.querySelector(".day:not(.away)");
    if (day === this.#lines.firstElementChild && older.findLast((made) => made.matches(".day"))?.textContent === day?.textContent) {
      day?.remove();
    }
    const fromEnd = this.#box.scrollHeight - this.#box.scrollTop;
    this.quietly(true);
    this.#lines.prepend(...older);
    this.#box.scrollTop = this.#box.scrollHeight - fromEnd;
    this.quietly(false);
  }

  /** The offset of the oldest message that is kept: says at the top whether there are older ones. */
  keptFrom(first) {
    this.#first = first;
    const complete = (this.oldest ?? 1) <= first;
    this.#top.textContent = !complete ? "" : first > 1 ? "Older messages are no longer kept" : "The conversation begins here";
    this.#askForOlder();
  }

  /** Whether what is added is not read aloud, as is right for many at once. */
  quietly(quiet) {
    if (quiet) this.#box.setAttribute("aria-live", "off");
    else requestAnimationFrame(() => this.#box.setAttribute("aria-live", "polite"));
  }

  #askForOlder() {
    if (this.#asked || this.#box.scrollTop > this.#box.clientHeight || (this.oldest ?? 1) <= this.#first) return;
    this.#asked = this.older();
    if (this.#asked) {
      this.#top.textContent = "Older messages are on their way";
      // An answer that is lost with the line must not end the asking.
      setTimeout(() => { this.#asked = false; }, 5_000);
    }
  }

  #add(made) {
    const atEnd = this.#atEnd();
    this.#lines.append(made);
    if (!atEnd) {
      this.#newer.hidden = false;
      return;
    }
    let trimmed = false;
    while (this.#lines.childElementCount > Log.kept) {
      this.#lines.firstElementChild.remove();
      trimmed = true;
    }
    if (trimmed) this.#top.textContent = "";
    this.#toEnd();
  }

  #atEnd() {
    return this.#box.scrollHeight - this.#box.scrollTop - this.#box.clientHeight < 48;
  }

  #toEnd() {
    this.#box.scrollTop = this.#box.scrollHeight;
    this.#newer.hidden = true;
  }
}
