// How this connection was opened.

import { element, make } from "./dom.js";

const guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/** The accept value that RFC 6455 asks for, computed here; null where the browser has no SHA-1 for the page. */
async function acceptFor(key) {
  if (!globalThis.crypto?.subtle) return null;
  const digest = await crypto.subtle.digest("SHA-1", new TextEncoder().encode(key + guid));
  return btoa(String.fromCharCode(...new Uint8Array(digest)));
}

/** Shows how this connection was opened, from the `connection` of a welcome. */
export async function explain({ http_version, key, accept, subprotocol, extensions }) {
  const rows = [];
  const row = (term, ...description) => rows.push(make("div", "", make("dt", "", term), make("dd", "", ...description)));
  const code = (text, id) => Object.assign(make("code", "", text), id ? { id } : {});
  if (key) {
    const bytes = Array.from(atob(key), (byte) => byte.charCodeAt(0).toString(16).padStart(2, "0"));
    row("The key your browser sent", code(key, "key"));
    row("The key's 16 bytes", code(`${bytes.slice(0, 8).join(" ")}\n${bytes.slice(8).join(" ")}`, "key-bytes"));
    row("The accept value the server answered", code(accept ?? "none", "accept"));
    const computed = await acceptFor(key);
    const [verdict, wrong] =
      computed === null ? ["Pages opened over https or from this machine recompute it here.", false]
      : computed === accept ? ["✓ Recomputed in this page: it matches.", false]
      : [`✗ Recomputed in this page: ${computed}. It does not match!`, true];
    const sign = make("span", `verdict${wrong ? " wrong" : ""}`, verdict);
    sign.id = "verdict";
    row("How the two belong together",
      "accept = base64(SHA-1(key + ", code(guid), ")). So only a server that speaks WebSocket, and no cache, can answer.", sign);
  } else {
    row("Key", "None: over this version of HTTP a connection is opened without one.");
  }
  row("Opened over", `HTTP/${http_version}`, location.protocol === "https:" ? ", encrypted" : "");
  row("Subprotocol", subprotocol ? code(subprotocol) : "none");
  const compressed = extensions.some((extension) => extension.startsWith("permessage-deflate"));
  row("Extensions", extensions.length ? code(extensions.join(", ")) : "none", compressed ? "" : "; messages travel uncompressed");
  element("opening-body").replaceChildren(make("dl", "", ...rows));
}
