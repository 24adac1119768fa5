"""The command line: which parts are measured, and how long."""

import argparse
import importlib
import sys
import time
import traceback

from harness import load, servers

# Each part is a module with `measure(arguments)`; these in this order if none is named.
PARTS = {
    "echo": "CPU, rate, latency and memory of plain messages sent back",
    "compressed": "the same with permessage-deflate, and the ratio",
    "syscalls": "system calls for each message",
    "instructions": "instructions in user space for each message and each connection",
    "clients": "instructions and system calls of a client for each message and its reply",
    "keys": "nanoseconds of the accept value and of masking keys",
    "threads": "rate and CPU of wskit with two threads beside one",
    "uring": "CPU of a prototype on io_uring",
    "memory": "resident memory for each idle connection",
    "openings": "CPU for each connection opened, upgraded and ended",
    "fanout": "CPU for each delivery of one message to 1,000 readers",
    "rooms": "deliveries, their delay and memory in rooms of all sizes; acknowledged messages on disk",
}


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="bench/run",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="\n".join(["parts:", *(f"  {part:<12} {what}" for part, what in PARTS.items()), "  build        build only"]),
    )
    parser.add_argument("parts", nargs="*", metavar="part", help="what to measure; all by default")
    parser.add_argument("--rounds", type=int, default=3, help="rounds over all servers, for each cell")
    parser.add_argument("--seconds", type=float, default=0.6, help="how long each measurement lasts")
    parser.add_argument("--warm-up", type=float, default=0.2, metavar="SECONDS", help="how long the load runs before it")
    parser.add_argument("--servers", help="only these, separated by commas: " + ", ".join(s.name for s in servers.SERVERS))
    parser.add_argument("--cells", help="only cells of which the name contains one of these, separated by commas")
    parser.add_argument("--no-build", action="store_true", help="take what was built before")
    arguments = parser.parse_args()
    if unknown := set(arguments.parts) - set(PARTS) - {"build"}:
        parser.error(f"no such part: {', '.join(unknown)}")

    start = time.monotonic()
    chosen = servers.named(arguments.servers)
    if not arguments.no_build:
        load.build()
        chosen = [server for server in chosen if servers.build(server)]
        print(f"built in {time.monotonic() - start:.0f} s", flush=True)
    arguments.chosen = [server for server in chosen if server.is_built()]
    failed = [part for part in arguments.parts or PARTS if part != "build" and not measured(part, arguments)]
    if failed:
        print(f"not measured: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


def measured(part: str, arguments: argparse.Namespace) -> bool:
    """Measures a part, and says whether that went well: the others are measured all the same."""
    begun = time.monotonic()
    try:
        importlib.import_module(f"harness.{part}").measure(arguments)
    except Exception:
        traceback.print_exc()
        return False
    print(f"{part} took {time.monotonic() - begun:.0f} s", flush=True)
    return True
