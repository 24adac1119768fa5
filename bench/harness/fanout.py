"""One speaks and 1,000 read: CPU of the server for each delivery of 125 bytes."""

import dataclasses
import subprocess

from harness import load, rounds, servers, tables
from harness.rounds import Cell

READERS = 1000
CELLS = [
    Cell("one at a time", {"burst": 1, "bursts": 200}),
    Cell("in bursts of 16", {"burst": 16, "bursts": 40}),
]
# A chat tells who said what when, so the text is that much shorter.
TEXT_BYTES = 125
CHAT_TEXT_BYTES = 38
ABOUT = [
    f"One of {READERS:,} connections speaks and all of them read, about 125 bytes for each delivery. `wskit serve` is the whole",
    "chat, without a disk: it orders and keeps what is said, and tells who said what when. The others pass it on:",
    "tokio-tungstenite through a broadcast channel, Node's ws with a loop, Bun with publish and subscribe.",
]


def serving(server: servers.Server) -> servers.Server | None:
    """The server that passes messages on, where there is one."""
    if server.name == "wskit":
        chat = ["serve", "--ephemeral", "--threads", "1", "--messages-per-second", "100000", "--listen", "127.0.0.1:{port}"]
        return dataclasses.replace(server, name="wskit serve", command=[server.command[0], *chat])
    if server.name == "tokio-tungstenite":
        command = [str(servers.BUILT / "broadcast-tokio-tungstenite"), "127.0.0.1:{port}"]
        return dataclasses.replace(server, build=servers.cargo("broadcast-tokio-tungstenite"), command=command)
    if server.build[0] == "npm":
        command = ["fanout.js" if part == "echo.js" else part for part in server.command]
        return dataclasses.replace(server, command=command)
    return None


def one(server: servers.Server, cell: Cell) -> dict:
    chat = server.name == "wskit serve"
    with servers.running(server) as (process, port):
        program = ["taskset", "--cpu-list", str(servers.LOAD_CORE), str(servers.BUILT / "fanout")]
        command = [*program, f"127.0.0.1:{port}", "/chat?name=a" if chat else "/", str(process.pid)]
        numbers = [READERS, cell.settings["burst"], cell.settings["bursts"], CHAT_TEXT_BYTES if chat else TEXT_BYTES]
        done = subprocess.run([*command, *map(str, numbers)], capture_output=True, text=True, timeout=120)
    if done.returncode:
        raise load.Failed(f"{server.name}: {done.stderr.strip()}")
    nanoseconds, length = map(float, done.stdout.split())
    return {"cpu_microseconds_per_message": nanoseconds / 1000, "bytes": length}


def measure(arguments) -> None:
    subprocess.run(servers.cargo("fanout"), cwd=servers.BENCH, check=True)
    found = [one for one in map(serving, arguments.chosen) if one]
    chosen = [server for server in found if arguments.no_build or servers.build(server)]
    outcomes = rounds.take(CELLS, chosen, arguments, one)
    lines = tables.head("Fan-out", chosen, arguments, timed=False)
    lines += [f"- {arguments.rounds} rounds in turn", "", *ABOUT]
    lines += tables.table("The server's CPU time for each delivery, in µs", outcomes, chosen, "cpu_microseconds_per_message", tables.short, spread=True)
    lines += tables.table("Bytes of each delivery, with the frame's header", outcomes, chosen, "bytes", "{:.0f}".format, best=None)
    tables.write("fanout", lines, outcomes, chosen, arguments)
