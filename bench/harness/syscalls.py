"""System calls for each message, counted by strace in short runs of their own."""

import argparse
import dataclasses
import re
import shutil
import tempfile

from harness import echo, load, rounds, tables

CELLS = [
    echo.cell(16, 50, 1),
    echo.cell(16, 50, 32),
    echo.cell(1 << 10, 50, 32),
    echo.cell(16 << 10, 50, 1),
    echo.cell(256 << 10, 50, 1),
]


def measure(arguments) -> None:
    if not shutil.which("strace"):
        print("syscalls: strace is not here")
        return

    def run(server, cell, seconds):
        # What is sent while warming up would be counted by strace, but not among the messages.
        server = dataclasses.replace(server, warm_up_min=0)
        with tempfile.NamedTemporaryFile("r") as summary:
            prefix = ["strace", "-f", "-c", "-U", "calls,name", "-o", summary.name]
            outcome = load.echo(server, **cell.settings, warm_up=0, seconds=seconds, prefix=prefix)
            calls = {name: int(count) for count, name in re.findall(r"^\s*(\d+)\s+(\w+)$", summary.read(), re.MULTILINE)}
        return calls, outcome

    def one(server, cell):
        if server.text_only and cell.settings["kind"] == "binary":
            return None
        before, short = run(server, cell, arguments.seconds)
        calls, long = run(server, cell, 3 * arguments.seconds)
        calls = {name: count - before.get(name, 0) for name, count in calls.items() if name != "total"}
        return long | {"calls": calls, "calls_per_message": sum(calls.values()) / (long["messages"] - short["messages"])}

    once = argparse.Namespace(**vars(arguments) | {"rounds": 1})
    outcomes = rounds.take(CELLS, arguments.chosen, once, one)
    lines = tables.head("System calls", arguments.chosen, once, timed=False)
    lines += [f"- what two runs differ by, of {once.seconds} s and of three times as long, without warm-up"]
    lines += ["", "So the start, the openings and the end are not among them."]
    lines += tables.table("System calls for each message", outcomes, arguments.chosen, "calls_per_message", lambda x: f"{x:.3f}")
    tables.write("syscalls", lines, outcomes, arguments.chosen, once)
