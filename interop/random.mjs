// The same random messages on every run, JSON-like and binary.

const words = ["name", "größe", "🔑", "true", "messages", "the same words"];

/** Gives a function that makes the next message. */
export function randomMessages(seed) {
  let state = seed;
  const below = (limit) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (state >>> 8) % limit;
  };
  const word = () => words[below(words.length)];
  return () => {
    const kind = below(10);
    if (kind === 0) return "";
    if (kind === 1) return new Uint8Array(0);
    if (kind <= 3) {
      const letters = [2, 256][below(2)];
      return Uint8Array.from({ length: below(3000) }, () => below(letters));
    }
    return JSON.stringify(Array.from({ length: below(60) }, () => ({ [word()]: below(100_000), [word()]: null })));
  };
}
