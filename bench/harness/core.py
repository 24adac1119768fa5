"""Counts the instructions of the protocol core alone, and fails if they have risen beyond what is kept.

`--set` keeps what is counted now; the change that does so says why.
"""

import json
import os
import subprocess
import sys

from harness import callgrind, servers

KEPT = servers.BENCH / "core/expected.json"
RISE_MAX = 0.04
ACTIONS = ["receive-binary", "receive-text", "receive-multibyte", "receive-parts", "send", "send-masked"]
SIZES = [16, 125, 1024, 65536]
MESSAGES = 100
# Copies with vectors: a long one would be a single instruction that valgrind counts once for every byte.
ENVIRONMENT = {**os.environ, "GLIBC_TUNABLES": "glibc.cpu.x86_rep_movsb_threshold=1073741824"}


def instructions(action: str, size: int) -> float:
    def run(count: int) -> int:
        with callgrind.counting() as (prefix, total):
            program = [servers.BUILT / "core-costs", action, str(size), str(count), str(2 * MESSAGES)]
            subprocess.run([*prefix, *program], env=ENVIRONMENT, check=True)
            return total()

    return callgrind.each(run, MESSAGES)


def compiler() -> str:
    return subprocess.check_output(["rustc", "--version"], text=True).strip()


def main(arguments: list[str]) -> int:
    counted = {action: {str(size): instructions(action, size) for size in SIZES} for action in ACTIONS}
    if arguments == ["--set"]:
        KEPT.write_text(json.dumps({"compiler": compiler(), "instructions": counted}, indent=2) + "\n")
        return 0
    kept = json.loads(KEPT.read_text())
    risen = False
    print(f"{'':18}{'bytes':>8}{'kept':>10}{'now':>10}")
    for action, size in [(action, str(size)) for action in ACTIONS for size in SIZES]:
        before, now = kept["instructions"][action][size], counted[action][size]
        too_many = now > before * (1 + RISE_MAX)
        risen |= too_many
        print(f"{action:18}{size:>8}{before:10.1f}{now:10.1f}{'  risen' if too_many else ''}")
    if risen:
        print(f"Kept with {kept['compiler']}, counted with {compiler()}; another compiler or processor counts otherwise.")
        print("If the rise is meant, keep it with `.ci/instructions --set`, and say why in the commit.")
    return int(risen)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
