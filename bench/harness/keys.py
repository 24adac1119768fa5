"""The accept value and masking keys, in nanoseconds."""

import subprocess

from harness import servers, tables

PEER = servers.peer("tungstenite", "tungstenite")
WHAT = {
    "accept-wskit": "accept value, wskit",
    "accept-tungstenite": "accept value, tungstenite",
    "masking-key-in-bulk": "masking key from a generator in bulk, as wskit's client has it",
    "masking-key-from-the-system": "masking key from the system, one by one",
}
ABOUT = [
    "The accept value of an opening handshake, from the key as it stands in the request to the text of the response (wskit",
    "checks the key too); and the randomness of a masking key. The least of 50 rounds of 20,000.",
]


def measure(arguments) -> None:
    if not arguments.no_build:
        subprocess.run(servers.cargo("keys"), cwd=servers.BENCH, check=True)
    pinned = ["taskset", "--cpu-list", str(servers.SERVER_CORE)]
    told = subprocess.run([*pinned, servers.BUILT / "keys"], capture_output=True, text=True, check=True).stdout
    print(told, end="", flush=True)
    outcomes = {}
    lines = tables.head("Keys", [PEER], arguments, timed=False)
    lines += ["", *ABOUT, "", "| what | nanoseconds | allocations |", "|---|---|---|"]
    for line in told.splitlines():
        name, nanoseconds, allocations = line.split()
        outcomes[WHAT[name]] = {"keys": [{"nanoseconds": float(nanoseconds), "allocations": float(allocations)}]}
        lines.append(f"| {WHAT[name]} | {nanoseconds} | {allocations} |")
    tables.write("keys", lines, outcomes, [PEER], arguments)
