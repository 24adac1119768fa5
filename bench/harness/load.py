"""Runs the load generator."""

import json
import subprocess

from harness.servers import BENCH, BUILT, LOAD_CORE, SERVER_CORE, Server, builds, cargo, running


class Failed(Exception):
    """A server did not do what was asked of it."""


def build() -> None:
    if not builds(cargo("load"), BENCH):
        raise SystemExit("the load generator does not build")


def echo(
    server: Server,
    *,
    bytes: int,
    connections: int,
    in_flight: int,
    kind: str,
    warm_up: float,
    seconds: float,
    compression: str | None = None,
    prefix: list[str] = [],
    core: int | None = SERVER_CORE,
) -> dict:
    """What one server, freshly started, does in one cell."""
    with running(server, compression, core, prefix) as (process, port):
        command = ["taskset", "--cpu-list", str(LOAD_CORE), str(BUILT / "load"), "echo", f"127.0.0.1:{port}"]
        command += ["--pid", str(process.pid), "--bytes", str(bytes), "--connections", str(connections)]
        command += ["--in-flight", str(in_flight), "--kind", kind]
        command += ["--warm-up-seconds", str(max(warm_up, server.warm_up_min)), "--seconds", str(seconds)]
        if compression:
            command += ["--compression", compression]
        if not server.websocket:
            command += ["--raw"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60 + warm_up + seconds)
    if done.returncode:
        raise Failed(f"{server.name}: {done.stderr.strip()}")
    return json.loads(done.stdout)
