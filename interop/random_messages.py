"""The same random messages on every run, JSON-like and binary."""

import json
import random

WORDS = ["name", "größe", "🔑", "true", "messages", "the same words"]


def random_messages(seed):
    source = random.Random(seed)

    def item():
        return {source.choice(WORDS): source.randrange(100_000), source.choice(WORDS): None}

    while True:
        kind = source.randrange(10)
        if kind == 0:
            yield ""
        elif kind == 1:
            yield b""
        elif kind <= 3:
            letters = source.choice([2, 256])
            yield bytes(source.randrange(letters) for _ in range(source.randrange(3000)))
        else:
            yield json.dumps([item() for _ in range(source.randrange(60))], ensure_ascii=False)
