"""Instructions in user space, counted by valgrind: the same on a busy machine as on an idle one.

Valgrind hides AVX-512 and the instructions for SHA, so what runs under it does without them.
"""

import contextlib
import pathlib
import tempfile
from collections.abc import Callable


@contextlib.contextmanager
def counting():
    """Gives the command to run a program under, and what tells the instructions once it has ended."""
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder) / "out"
        yield ["valgrind", "--tool=callgrind", "--quiet", f"--callgrind-out-file={out}"], lambda: total(out)


def total(out: pathlib.Path) -> int:
    for line in out.read_text().splitlines():
        if line.startswith(("summary:", "totals:")):
            return int(line.split()[1])
    raise RuntimeError("callgrind has counted nothing; did the program end by itself?")


def each(run: Callable[[int], int], count: int) -> float:
    """Instructions for each of what `run` does so many times: what two runs differ by."""
    return (run(2 * count) - run(count)) / count
