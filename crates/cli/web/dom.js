// Making elements. What others wrote is only ever set as text: text is text, never markup.

export const element = (id) => document.getElementById(id);

/** Makes an element from its tag, class, and children, which are strings or nodes. */
export function make(tag, className, ...children) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.append(...children);
  return made;
}

/** A round sign for a person: the first character as seen, on a colour of the name's own. */
export function face(name) {
  const [first] = new Intl.Segmenter().segment(name);
  const sign = make("span", "face", first ? first.segment.toUpperCase() : "?");
  let hash = 0;
  for (const character of name) hash = Math.imul(hash ^ character.codePointAt(0), 0x9e3779b1) ^ (hash >>> 15);
  sign.style.setProperty("--hue", (hash >>> 9) % 360);
  sign.setAttribute("aria-hidden", "true");
  return sign;
}
