"""Connections that are opened, upgraded and ended, beside a bare server with a fixed answer."""

import subprocess
import time

from harness import load, rounds, servers, tables
from harness.rounds import Cell

CONNECTIONS = 6400
WARM_UP = 640


def floor(name: str) -> servers.Server:
    return servers.Server(name, servers.cargo(name), [str(servers.BUILT / name), "127.0.0.1:{port}"], websocket=False)


CANNED = floor("canned")
FLOORS = [CANNED, floor("tokio-canned")]
CELLS = [Cell("ended by a reset", {"end": "reset"}), Cell("ended by a closing handshake", {"end": "close"})]
ABOUT = [
    "Connections opened, upgraded and ended, 32 at a time. The floor, canned, reads whatever comes, answers with a fixed 101,",
    "and the next with a fixed Close; it checks nothing. tokio-canned is the same on Tokio, with a task for each connection,",
    "and tells the runtime's share.",
]


def cpu_seconds(process: int) -> float:
    """What all threads of a process have used: `clock_getcpuclockid` has no name in Python."""
    return time.clock_gettime((~process << 3) | 2)


def build() -> list[servers.Server]:
    """Builds what opens connections, and gives the floors."""
    subprocess.run(servers.cargo("openings"), cwd=servers.BENCH, check=True)
    return [server for server in FLOORS if servers.build(server)]


def open_and_end(server: servers.Server, port: int, end: str, count: int) -> None:
    """Opens so many connections, 32 at a time, and ends each by "reset" or "close"."""
    program = ["taskset", "--cpu-list", str(servers.LOAD_CORE), str(servers.BUILT / "openings")]
    command = [*program, f"127.0.0.1:{port}", end, str(count)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    if done.returncode:
        raise load.Failed(f"{server.name}: {done.stderr.strip()}")


def one(server: servers.Server, cell: Cell) -> dict:
    with servers.running(server) as (process, port):
        open_and_end(server, port, cell.settings["end"], WARM_UP)
        before = cpu_seconds(process.pid)
        open_and_end(server, port, cell.settings["end"], CONNECTIONS)
        return {"cpu_microseconds_per_message": (cpu_seconds(process.pid) - before) * 1e6 / CONNECTIONS}


def measure(arguments) -> None:
    chosen = [*build(), *(server.for_openings() for server in arguments.chosen if server.websocket)]
    outcomes = rounds.take(CELLS, chosen, arguments, one, base=CANNED.name)
    lines = tables.head("Opening handshakes", chosen, arguments, timed=False)
    lines += [f"- {arguments.rounds} rounds in turn, {CONNECTIONS:,} connections each", "", *ABOUT]
    lines += tables.table("The server's CPU time, as a multiple of canned's in the same round", outcomes, chosen, "multiple", tables.short, spread=True)
    lines += tables.table("In µs for each connection", outcomes, chosen, "cpu_microseconds_per_message", tables.short)
    tables.write("openings", lines, outcomes, chosen, arguments)
