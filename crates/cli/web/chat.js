// The chat page: what each event does, and what each thing a person does sends.

import { element, face, make } from "./dom.js";
import { Line } from "./line.js";
import { Log } from "./log.js";
import { chosenName, own, rooms, token } from "./memory.js";
import { explain } from "./opening.js";
import { Outbox } from "./outbox.js";

const LOBBY = "lobby";
const here = { room: "", name: "", members: [], count: 0, epoch: null, offset: 0, first: 1 };
const log = new Log(() => line.send({ history: { before: log.oldest ?? here.offset + 1, limit: 50 } }));
const outbox = new Outbox((command) => line.send(command), log);
/** The offset at which everything that was missed is here; 0 when nothing is missing. */
let missing = 0;
let unread = 0;
/** What was begun in each room and not said there. */
const drafts = new Map();
/** The id of the command for another name, and whether it is still to be answered. */
const NAMING = "name";
let naming = false;
/** When it was last asked who is here, and the timer of the next time. */
let asked = 0;
let asking = 0;

const line = new Line(
  () => {
    const url = new URL(`/chat/${encodeURIComponent(here.room)}`, location.href);
    url.protocol = url.protocol.replace("http", "ws");
    const name = chosenName.get();
    if (name) url.searchParams.set("name", name);
    url.searchParams.set("client", outbox.client);
    // Who was here says what it has, and gets what it missed.
    if (here.epoch) {
      url.searchParams.set("epoch", here.epoch);
      url.searchParams.set("offset", here.offset);
    }
    // A page cannot set headers, and addresses are written into the logs of proxies.
    // Of what cannot be one the server is to say so: the browser would only throw.
    const bearer = token.get()?.replace(/[^\w.-]/g, "_");
    return bearer ? [url, ["wskit.chat", `bearer.${bearer}`]] : [url];
  },
  (event) => heard[event.event]?.(event),
  showState,
);

/** What each event does. Events of later servers that are not known here are passed over. */
const heard = {
  welcome(welcome) {
    const again = here.epoch !== null;
    const { name, members, count, epoch, first } = welcome;
    Object.assign(here, { name, members, count, first });
    log.quietly(true);
    if (!again) {
      here.epoch = epoch;
      here.offset = welcome.offset;
      for (const message of welcome.history) log.said(message, isOwn(message));
      log.happened("You are here as ", make("bdi", "", name));
    } else if (epoch === here.epoch && welcome.offset > here.offset) {
      missing = welcome.offset;
      log.away();
    }
    log.keptFrom(first);
    if (!missing) caughtUp(again);
    if (here.room !== LOBBY) rooms.add(here.room);
    notice("");
    showRooms();
    showMembers();
    explain(welcome.connection);
    outbox.sendAll();
  },
  gap({ epoch, from }) {
    if (epoch === here.epoch) {
      log.happened("Some messages from while you were away are no longer kept");
    } else if (here.offset > 0) {
      log.clear();
      log.happened("This conversation began anew");
    }
    Object.assign(here, { epoch, first: from, offset: from - 1 });
    log.keptFrom(from);
  },
  history({ first, messages }) {
    here.first = first;
    log.before(messages.map((message) => [message, isOwn(message)]));
    log.keptFrom(first);
  },
  message(message) {
    here.offset = message.offset;
    // As long as one is here nobody else has the name, so there is no need to wait until the server says whose it is.
    const isMine = !missing && outbox.heard(message, here.name);
    // The acknowledgement comes behind it, and the page may be left in between.
    if (isMine) own.add(place(message.offset));
    log.said(message, isMine || isOwn(message));
    if (missing && here.offset >= missing) caughtUp(true);
    if (document.hidden) {
      unread += 1;
      showTitle();
    }
  },
  joined({ name, count }) {
    here.members.push(name);
    changed(count, make("bdi", "", name), " came in");
  },
  left({ name, count }) {
    here.members = here.members.filter((member) => member !== name);
    changed(count, make("bdi", "", name), " left");
  },
  presence({ count }) {
    here.count = count;
    showMembers();
    askWho();
  },
  members({ members, count }) {
    Object.assign(here, { members, count });
    showMembers();
  },
  renamed({ from, to }) {
    here.members = here.members.map((member) => (member === from ? to : member));
    if (from === here.name) {
      here.name = to;
      chosenName.set(to);
    }
    changed(here.count, make("bdi", "", from), " is now ", make("bdi", "", to));
  },
  acknowledged({ id, offset }) {
    if (id === NAMING) {
      named();
      return;
    }
    own.add(place(offset));
    log.own(offset);
    if (outbox.acknowledged(id)) notice("");
  },
  error({ reason, text, id }) {
    if (id === NAMING) {
      naming = false;
      nameNotice(text);
      return;
    }
    if (outbox.refused(id, reason)) return;
    giveBack(outbox.take(id));
    notice(text);
    showMembers();
  },
};

/** A large room tells only how many came and went. Asks who is here, and not again for some time, for many may ask. */
function askWho() {
  if (asking) return;
  const wait = Math.max(0, asked + 10_000 - Date.now()) + Math.random() * 2_000;
  asking = setTimeout(() => {
    asking = 0;
    asked = Date.now();
    line.send({ who: true });
  }, wait);
}

/** Everything that was missed is here. */
function caughtUp(again) {
  missing = 0;
  if (again) log.happened("You are back as ", make("bdi", "", here.name));
  log.quietly(false);
}

/** What is said here is known by this, and by its name to nobody: names go from one person to another. */
function place(offset) {
  return `${here.room} ${here.epoch} ${offset}`;
}

function isOwn({ offset }) {
  return own.get().includes(place(offset));
}

function changed(count, ...what) {
  here.count = count;
  log.happened(...what);
  showMembers();
}

function showMembers() {
  element("count").textContent = here.count > 1 ? `${here.count} people` : here.count ? "only you" : "";
  const people = here.members.map((name) =>
    make("li", "", face(name), make("bdi", "", name), ...(name === here.name ? [make("span", "you", "you")] : [])));
  const unlisted = here.count - here.members.length;
  if (unlisted > 0) people.push(make("li", "more", `and ${unlisted} more`));
  element("members").replaceChildren(...people);
  // A name that is asked for, or was refused, is not taken out of its field.
  const isKept = naming || element("name-notice").textContent || document.activeElement === element("name");
  if (!isKept) element("name").value = here.name;
}

/** The name in the field is one's own now. */
function named() {
  naming = false;
  nameNotice("");
  openMenu(false);
  element("message").focus();
  showMembers();
}

function nameNotice(text) {
  element("name-notice").textContent = text;
  element("name").setAttribute("aria-invalid", String(text !== ""));
}

function showState(state, { seconds, code, reason }) {
  const words = { connecting: "Connecting", open: "Connected", waiting: "Offline", ended: "Closed" };
  if (element("state-text").textContent !== words[state]) element("state-text").textContent = words[state];
  element("state").dataset.state = state;
  element("state-countdown").replaceChildren(...(state === "waiting" ? [make("span", "wide", "again in "), `${seconds} s`] : []));
  element("retry").hidden = state !== "waiting";
  if (state === "ended") showWayOn(code, reason);
  else if (reason) notice(reason);
  element("way-on").hidden = state !== "ended";
  element("composer").hidden = state === "ended";
  if (state !== "open") naming = false;
  if (state === "waiting" || state === "ended") {
    missing = 0;
    log.quietly(false);
    outbox.waits();
  }
}

/** One may not come in like this, or not stay: says why, and what may be changed. */
function showWayOn(code, reason) {
  Object.assign(here, { members: [], count: 0 });
  showMembers();
  element("reason").textContent = reason || "The server ended the connection for good";
  const [room, bearer] = { 4401: [false, true], 4403: [true, true] }[code] ?? [true, false];
  element("token-form").hidden = !bearer;
  // The token may be good later, as while the server gets other keys.
  element("same-token").hidden = !bearer || !token.get();
  element("other-rooms").hidden = !room;
  element("to-lobby").hidden = here.room === LOBBY;
  element("token").value = "";
}

function showTitle() {
  document.title = `${unread ? `(${unread}) ` : ""}${here.room} · wskit`;
}

function notice(text) {
  if (element("notice").textContent !== text) element("notice").textContent = text;
}

/** Puts a text that was not said back where it was typed, unless something new is there. */
function giveBack(text) {
  if (text && !element("message").value) {
    element("message").value = text;
    fit();
  }
}

// ── Rooms ───────────────────────────────────────────────────────────────────────────────────────────────────

/** Enters the room that the address names after its #, with the token that may stand behind: `#lobby&token=…`. */
function enter() {
  let wanted = "";
  const [room, bearer] = location.hash.slice(1).split("&token=");
  try { wanted = decodeURIComponent(room); } catch { /* not a room then */ }
  if (bearer) {
    // Nobody is to read it over a shoulder, or to copy it with the address.
    comeWith(bearer);
    history.replaceState(null, "", `#${room}`);
  }
  wanted = wanted.toLowerCase() || LOBBY;
  if (wanted === here.room) {
    if (bearer) line.open();
    return;
  }
  const unsaid = [...outbox.clear(), element("message").value].filter((text) => text.trim());
  if (here.room) drafts.set(here.room, unsaid.join("\n"));
  element("message").value = drafts.get(wanted) ?? "";
  fit();
  Object.assign(here, { room: wanted, members: [], count: 0, epoch: null, offset: 0, first: 1 });
  missing = 0;
  log.clear();
  notice("");
  nameNotice("");
  element("room-title").textContent = wanted;
  element("opening-body").replaceChildren();
  showRooms();
  showMembers();
  showTitle();
  openMenu(false);
  line.open();
}

/** Who comes with another token may be another person, under whose name nothing of the first is to be said or shown. */
function comeWith(bearer) {
  const before = token.get();
  token.set(bearer);
  if (bearer === before || (userOf(bearer) ?? bearer) === userOf(before)) return;
  outbox.clear();
  own.clear();
  drafts.clear();
  // It is entered anew.
  here.room = "";
}

/** Whom a token names, where it says so to everybody, as a JWT does. */
function userOf(bearer) {
  try {
    return JSON.parse(atob(bearer.split(".")[1].replaceAll("-", "+").replaceAll("_", "/"))).sub;
  } catch {
    return undefined;
  }
}

/** A room is in the list once one has been in it, for not every name is that of a room. */
function showRooms() {
  element("rooms").replaceChildren(...[LOBBY, ...rooms.get().sort()].map((room) => {
    const link = make("a", "", room);
    link.href = `#${encodeURIComponent(room)}`;
    if (room === here.room) link.setAttribute("aria-current", "page");
    return make("li", "", link);
  }));
}

/** On a phone the rooms and people lie over the conversation, which then is out of reach. */
function openMenu(open) {
  element("menu").setAttribute("aria-expanded", String(open));
  document.querySelector("main").inert = open;
}

const phone = matchMedia("(max-width: 46rem)");
phone.onchange = () => openMenu(false);

element("menu").onclick = () => openMenu(element("menu").getAttribute("aria-expanded") !== "true");
element("room-form").onsubmit = (submit) => {
  submit.preventDefault();
  location.hash = encodeURIComponent(element("room").value.toLowerCase());
  element("room").value = "";
};
element("name-form").onsubmit = (submit) => {
  submit.preventDefault();
  const name = element("name").value.trim();
  if (name === here.name) {
    chosenName.set(name);
    named();
    return;
  }
  naming = line.send({ name, id: NAMING });
  nameNotice(naming ? "" : "You are not connected; change your name when you are back.");
};
element("name").oninput = () => nameNotice("");
element("retry").onclick = () => line.open();
element("token-form").onsubmit = (submit) => {
  submit.preventDefault();
  comeWith(element("token").value.trim());
  if (here.room) line.open();
  else enter();
};
element("again").onclick = () => line.open();
element("choose-room").onclick = () => {
  if (phone.matches) openMenu(true);
  element("room").focus();
};

// ── Saying something ────────────────────────────────────────────────────────────────────────────────────────

/** Grows the field with what is in it. */
function fit() {
  const field = element("message");
  field.style.height = "auto";
  field.style.height = `${field.scrollHeight + 2}px`;
}

element("composer").onsubmit = (submit) => {
  submit.preventDefault();
  const text = element("message").value;
  if (!text.trim()) return;
  outbox.put(text, here.name);
  element("message").value = "";
  fit();
  element("message").focus();
};
element("message").oninput = fit;
element("message").onkeydown = (key) => {
  if (key.key !== "Enter" || key.shiftKey || key.isComposing) return;
  key.preventDefault();
  element("composer").requestSubmit();
};

document.onkeydown = (key) => {
  if (key.key !== "Escape" || element("menu").getAttribute("aria-expanded") !== "true") return;
  openMenu(false);
  element("menu").focus();
};
document.onvisibilitychange = () => {
  if (document.hidden) return;
  unread = 0;
  showTitle();
  line.hurry();
};
addEventListener("online", () => line.hurry());
addEventListener("hashchange", enter);
// The fragment names the room, so the skip link moves the focus by itself.
document.querySelector(".skip").addEventListener("click", event => {
  event.preventDefault();
  element("message").focus();
});
enter();
