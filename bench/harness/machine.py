"""What the figures were measured on, and with which versions."""

import datetime
import json
import os
import platform
import re
import subprocess
import tomllib

from harness.servers import BENCH, REPOSITORY, Server


def describe() -> dict[str, str]:
    return {
        "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "processor": f"{processor()}, {os.cpu_count()} cores",
        "system": f"{platform.system()} {platform.release()}",
        "rustc": output("rustc", "--version").removeprefix("rustc "),
        "Node": output("node", "--version"),
        "wskit": commit(),
    }


def commit() -> str:
    """What of wskit is measured. Results that were written before, and the README that shows them, do not change it."""
    git = ["git", "-C", str(REPOSITORY)]
    is_changed = output(*git, "status", "--porcelain", "--", ".", ":!bench/results", ":!README.md") != ""
    return output(*git, "describe", "--always", "--exclude=*") + ("-dirty" if is_changed else "")


def versions(servers: list[Server]) -> dict[str, str]:
    """The version of each peer, from the lock files."""
    crates = tomllib.loads((BENCH / "Cargo.lock").read_text())["package"]
    locked = {crate["name"]: crate["version"] for crate in crates}
    found = {}
    for server in servers:
        npm = server.folder / "package-lock.json"
        if npm.exists():
            found[server.name] = json.loads(npm.read_text())["packages"][f"node_modules/{server.package}"]["version"]
        elif server.package in locked:
            found[server.name] = locked[server.package]
    return found


def processor() -> str:
    with open("/proc/cpuinfo") as file:
        model = re.search(r"^model name\s*: (.*)", file.read(), re.MULTILINE)
    return model[1] if model else platform.machine()


def output(*command: str) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
