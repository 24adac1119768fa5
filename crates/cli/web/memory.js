// What the browser remembers for the page: as long as the page is open, if it lets pages remember no more.

/** A text under a key. */
class Text {
  #storage;
  #key;
  /** What the browser did not take. */
  #unstored = null;

  /** `storage` gives the browser's storage, which private windows may refuse. */
  constructor(storage, key) {
    this.#storage = storage;
    this.#key = `wskit.${key}`;
  }

  get() {
    if (this.#unstored !== null) return this.#unstored;
    try { return this.#storage().getItem(this.#key); } catch { return null; }
  }

  set(text) {
    try {
      this.#storage().setItem(this.#key, text);
      this.#unstored = null;
    } catch {
      // It may be full, too, and then it still has what was there before.
      this.#unstored = text;
    }
  }
}

/** Different texts, the newest last; the oldest are forgotten first. */
class Texts {
  #kept;
  #longest;

  constructor(kept, longest) {
    this.#kept = kept;
    this.#longest = longest;
  }

  get() {
    const text = this.#kept.get() ?? "";
    try {
      const texts = JSON.parse(text);
      if (Array.isArray(texts)) return texts;
    } catch { /* as below */ }
    // Earlier pages put blanks between.
    return text.split(" ").filter(Boolean);
  }

  add(text) {
    const others = this.get().filter((other) => other !== text);
    this.#kept.set(JSON.stringify([...others, text].slice(-this.#longest)));
  }

  clear() {
    this.#kept.set("[]");
  }
}

const browser = () => localStorage;
const tab = () => sessionStorage;

/** The name one has chosen. */
export const chosenName = new Text(browser, "name");

/** The token that the page was opened with; it goes with the tab. */
export const token = new Text(tab, "token");

/** The rooms one has been in, without the lobby. */
export const rooms = new Texts(new Text(browser, "rooms"), 7);

/** Which messages are one's own, by room, epoch and offset: names go from one person to another. */
export const own = new Texts(new Text(tab, "own"), 500);
