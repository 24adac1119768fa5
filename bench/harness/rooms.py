"""Rooms of many sizes: deliveries, their delay and memory; and how many messages a second are acknowledged."""

import argparse
import contextlib
import dataclasses
import json
import os
import pathlib
import re
import subprocess
import tempfile
import time
import urllib.request

from harness import fanout, load, pictures, rounds, servers, tables
from harness.rounds import Cell, Outcomes, spreads

BURSTS = {1: "one at a time", 16: "in bursts of 16"}
CELLS = [Cell(f"{count:,} readers", {"rooms": 1, "members": count}) for count in [10, 100, 1000, 5000]]
CELLS.append(Cell("1,000 rooms of 10", {"rooms": 1000, "members": 10}))
# Compressed, only these: what is compressed once costs the less for each, the more there are.
COMPRESSED = ["1,000 readers", "1,000 rooms of 10"]
# A server that is measured in both ways opens thousands of connections for each, so there are no more rounds than this.
ROUNDS_MAX = 2
# On the disk of the bench, for what is in memory is no disk.
FOLDER = servers.BENCH / "target"
PUBLISHERS = {"200 publishers × 4": (200, 4), "200 publishers × 32": (200, 32), "1,000 publishers × 16": (1000, 16)}
ABOUT = [
    "Rooms of which one member speaks and all read, one server on one core and the readers on another. The speaker says one",
    "message, or 16 at once, and goes on when all have read them, so the delay is that of a server that is always busy. Each",
    "delivery is JSON of about 125 bytes: from `wskit serve` with its offset, its sender and its time, 38 bytes of it",
    "text; from the others just what was said, as long. `wskit serve` keeps every message before it is delivered: on disk,",
    "as it does by default, with two flushes for each commit, or in memory. Compressed, every message is compressed by",
    "itself, once for all. The others keep nothing, number nothing and tell nobody who comes and goes.",
]


@dataclasses.dataclass(frozen=True)
class Kept:
    """How `wskit serve` is started."""

    name: str
    on_disk: bool
    compressed: bool = False


KEPT = [Kept("wskit in memory", False), Kept("wskit on disk", True)]
KEPT += [dataclasses.replace(kept, name=f"{kept.name}, deflate", compressed=True) for kept in KEPT]
SERVE = ["serve", "--threads", "1", "--messages-per-second", "1000000", "--rooms", "100000", "--listen", "127.0.0.1:{port}"]


@contextlib.contextmanager
def serving(server: servers.Server, kept: Kept | None, *more: str):
    """A server that passes on what is said, its process and its port; kept on a disk in a folder of its own."""
    if kept is None:
        with servers.running(server) as running:
            yield running
        return
    with tempfile.TemporaryDirectory(dir=FOLDER) as folder:
        place = ["--data", folder] if kept.on_disk else ["--ephemeral"]
        compression = "shared" if kept.compressed else "off"
        command = [server.command[0], *SERVE, "--compression", compression, *place, *more]
        with servers.running(dataclasses.replace(server, command=command, plain=[])) as running:
            yield running


def one(server: servers.Server, cell: Cell, arguments) -> dict:
    kept = next((kept for kept in KEPT if kept.name == server.name), None)
    if kept and kept.compressed and cell.name not in COMPRESSED:
        return {}
    with serving(server, kept) as (process, port):
        target = "/chat/room-ROOM?name=a" if kept else "/ROOM"
        text = fanout.CHAT_TEXT_BYTES if kept else fanout.TEXT_BYTES
        warm_up = max(arguments.warm_up, server.warm_up_min)
        settings = [cell.settings["rooms"], cell.settings["members"], text, warm_up, arguments.seconds]
        bursts = ",".join(map(str, BURSTS))
        deflate = ["deflate"] if kept and kept.compressed else []
        told = run("rooms", f"127.0.0.1:{port}", target, process.pid, *settings, bursts, *deflate)
    found = json.loads(told)
    outcome = {burst["burst"]: figures(burst) | {"memory": found["memory"]} for burst in found["bursts"]}
    return {"by_burst": outcome, "cpu_microseconds_per_message": outcome[16]["cpu_microseconds_per_message"]}


def figures(burst: dict) -> dict:
    deliveries, cpu = burst["deliveries"], burst["cpu_seconds"]
    return burst | {
        "cpu_microseconds_per_message": cpu / deliveries * 1e6,
        "per_cpu_second": deliveries / cpu,
        "per_second": deliveries / burst["seconds"],
    }


def run(program: str, *arguments) -> str:
    command = ["taskset", "--cpu-list", servers.LOAD_CORE, servers.BUILT / program, *arguments]
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=120)
    if done.returncode:
        raise load.Failed(f"{program}: {done.stderr.strip()}")
    return done.stdout


def by_burst(measured: Outcomes) -> Outcomes:
    """A row for each cell and burst."""
    return {
        f"{cell}, {called}": {
            name: [outcome["by_burst"][burst] for outcome in of_server if outcome] for name, of_server in of_cell.items()
        }
        for cell, of_cell in measured.items()
        for burst, called in BURSTS.items()
    }


def publish(server: servers.Server, publishers: int, in_flight: int, arguments) -> dict:
    """How many messages a second are acknowledged, and how many of them share a commit."""
    api = servers.free_port()
    with serving(server, KEPT[1], "--api-listen", f"127.0.0.1:{api}") as (_, port):
        rate = float(run("publish", f"127.0.0.1:{port}", publishers, in_flight, 0.5, max(1.5, arguments.seconds)))
        with urllib.request.urlopen(f"http://127.0.0.1:{api}/metrics") as answer:
            metrics = answer.read().decode()
    def metric(name):
        return float(re.search(rf"^wskit_{name} (\S+)$", metrics, re.M)[1])
    together = metric("messages_kept_total") / metric("commit_seconds_count")
    return {"acknowledged": rate, "together": together, "commits": rate / together}


def flushes_per_second(seconds: float = 1) -> float:
    """How often the disk flushes 4 KiB that were written, and nothing else."""
    with tempfile.TemporaryFile(dir=FOLDER) as file:
        begun, count = time.monotonic(), 0
        while time.monotonic() < begun + seconds:
            os.pwrite(file.fileno(), os.urandom(4096), 4096 * (count % 256))
            os.fdatasync(file.fileno())
            count += 1
        return count / (time.monotonic() - begun)


def durable(wskit: servers.Server, arguments) -> tuple[list[str], Outcomes]:
    taken = {name: [] for name in PUBLISHERS}
    flushes = []
    for _ in range(arguments.rounds):
        flushes.append({"flushes": flushes_per_second()})
        for name, (publishers, in_flight) in PUBLISHERS.items():
            outcome = publish(wskit, publishers, in_flight, arguments)
            taken[name].append(outcome)
            print(f"{name}: {outcome['acknowledged']:,.0f} acknowledged a second", flush=True)
    outcomes: Outcomes = {name: {"wskit on disk": taken[name]} for name in taken}
    flush = spreads({"disk": flushes}, "flushes")["disk"]
    lines = ["", "## Acknowledged messages", ""]
    lines += ["Publishers, each in a room of its own, with so many messages on their way; an acknowledged message is on disk."]
    lines += [f"The disk flushes {tables.text(flush, '{:,.0f}'.format, True, False)} times a second when it does nothing else."]
    lines += ["", "| publishers | acknowledged a second | commits a second | messages in each commit |", "|---|---|---|---|"]
    for name, of_cell in outcomes.items():
        found = [spreads(of_cell, figure)["wskit on disk"] for figure in ["acknowledged", "commits", "together"]]
        lines += [f"| {name} | {' | '.join(tables.text(one, '{:,.0f}'.format, True, False) for one in found)} |"]
    return lines, outcomes


def measure(arguments) -> None:
    subprocess.run(servers.cargo("fanout"), cwd=servers.BENCH, check=True)
    arguments = argparse.Namespace(**vars(arguments) | {"rounds": min(arguments.rounds, ROUNDS_MAX)})
    found: list[servers.Server] = [one for one in map(fanout.serving, arguments.chosen) if one]
    built = [server for server in found if arguments.no_build or servers.build(server)]
    wskit = next((server for server in built if server.name == "wskit serve"), None)
    ours = [dataclasses.replace(wskit, name=kept.name) for kept in KEPT] if wskit else []
    chosen = ours + [server for server in built if server is not wskit]
    outcomes = by_burst(rounds.take(CELLS, chosen, arguments, lambda server, cell: one(server, cell, arguments)))

    lines = tables.head("Rooms", chosen, arguments) + ["", *ABOUT]

    def add(title, figure, number, best="least", spread=False):
        lines.extend(tables.table(title, outcomes, chosen, figure, number, best, spread))

    thousands = lambda value: tables.short(value / 1000)
    add("Deliveries for each second of the server's CPU, in thousands", "per_cpu_second", thousands, "most", spread=True)
    add("Deliveries a second, in thousands", "per_second", thousands, "most", spread=True)
    add("Delay until half have it, in ms (p50)", "p50_ms", tables.short)
    add("Delay until 99 % have it, in ms (p99)", "p99_ms", tables.short)
    add("Delay until 99.9 % have it, in ms (p99.9)", "p999_ms", tables.short)
    add("Bytes of each delivery, with the frame's header", "bytes", "{:.0f}".format, best=None)
    once = {row: of_row for row, of_row in outcomes.items() if BURSTS[1] in row}
    lines += tables.table("Growth of resident memory for each connection, in bytes", once, chosen, "memory", "{:,.0f}".format)
    if wskit:
        more, published = durable(wskit, arguments)
        lines += more
        outcomes |= published
    panels = {row: spreads(of_row, "per_cpu_second") for row, of_row in outcomes.items() if any(spreads(of_row, "per_cpu_second"))}
    for of_panel in panels.values():
        for spread in of_panel.values():
            spread.median, spread.least, spread.most = (value / 1000 for value in [spread.median, spread.least, spread.most])
    title = "Thousands of deliveries for each second of the server's CPU; more is better"
    pictures.bars("rooms", title, panels, set(), most=float("inf"))
    tables.write("rooms", lines, outcomes, chosen, arguments)
