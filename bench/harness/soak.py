"""`wskit serve` for long, at half of its load, with clients that come and go: nothing may grow, and nothing be left."""

import argparse
import asyncio
import dataclasses
import pathlib
import re
import statistics
import subprocess
import tempfile
import time
import urllib.request

from harness import servers, visitors

ROOMS, MEMBERS = 20, 25
# Idle and broken clients are found soon enough to see it in a short run.
OPTIONS = "--threads 2 --keepalive-interval 20 --keepalive-timeout 20 --opening-timeout 5 --messages-per-second 1000000"
# So small that it is full soon, for what fills up is no leak.
HISTORY = "--history-messages 2000 --history-bytes 1048576"
# What resident memory may grow by from the second quarter of the time to the last.
GROWTH_MAX, GROWTH_BYTES_MAX = 1.05, 4 << 20
# How long everybody may take to be gone after the end.
GONE_SECONDS_MAX = 30


@dataclasses.dataclass
class Sample:
    seconds: float
    resident_bytes: int
    descriptors: int
    threads: int
    connections: int
    members: int
    rooms: int
    delivered: int

    def line(self) -> str:
        figures = [self.seconds, self.resident_bytes / (1 << 20), self.descriptors, self.threads]
        figures += [self.connections, self.members, self.rooms, self.delivered]
        return "".join(f"{figure:>12,.0f}" for figure in figures)


HEAD = "".join(f"{name:>12}" for name in ["seconds", "MiB", "descriptors", "threads", "connections", "members", "rooms", "delivered"])


class Watched:
    """The server's process, and what it tells of itself."""

    def __init__(self, process: subprocess.Popen, api: int):
        self.folder = pathlib.Path(f"/proc/{process.pid}")
        self.metrics = f"http://127.0.0.1:{api}/metrics"
        self.begun = time.monotonic()

    def sample(self) -> Sample:
        with urllib.request.urlopen(self.metrics, timeout=20) as answer:
            text = answer.read().decode()
        status = (self.folder / "status").read_text()
        def metric(name):
            return int(re.search(rf"^wskit_{name} (\d+)$", text, re.M)[1])
        return Sample(
            seconds=time.monotonic() - self.begun,
            resident_bytes=int(re.search(r"^VmRSS:\s*(\d+)", status, re.M)[1]) << 10,
            # The connection that asks for the metrics is one of them.
            descriptors=len(list((self.folder / "fd").iterdir())),
            threads=int(re.search(r"^Threads:\s*(\d+)", status, re.M)[1]),
            connections=metric("connections"),
            members=metric("members"),
            rooms=metric("rooms"),
            delivered=metric("messages_delivered_total"),
        )

    def closings(self) -> str:
        """How many connections the server closed, by the code."""
        with urllib.request.urlopen(self.metrics, timeout=20) as answer:
            counts = re.findall(r'^wskit_closed_total{code="(\d+)"} (\d+)$', answer.read().decode(), re.M)
        return ", ".join(f"{count} with {code}" for code, count in counts) or "none"

    async def sample_every(self, seconds: float, samples: list[Sample]) -> None:
        while True:
            await asyncio.sleep(seconds)
            samples.append(await asyncio.to_thread(self.sample))
            print(samples[-1].line(), flush=True)

    def sample_when_gone(self, before: Sample) -> Sample:
        """When all have gone, or have had the time to."""
        until = time.monotonic() + GONE_SECONDS_MAX
        while True:
            after = self.sample()
            if (after.members == 0 and after.descriptors <= before.descriptors) or time.monotonic() > until:
                return after
            time.sleep(0.5)


async def use(port: int, seconds: float, each_second: float, watched: Watched, every: float, samples: list[Sample]):
    """Loads the server for so long; how the load ended, and who came."""
    came: dict[str, int] = {}
    command = [servers.BUILT / "soak", f"127.0.0.1:{port}", ROOMS, MEMBERS, seconds]
    pipe = asyncio.subprocess.PIPE
    load = await asyncio.create_subprocess_exec(*map(str, command), stdout=pipe, stderr=pipe)
    sampling = asyncio.create_task(watched.sample_every(every, samples))
    await visitors.come_and_go(port, ROOMS, each_second, seconds, came)
    told, complaint = await load.communicate()
    sampling.cancel()
    await asyncio.gather(sampling, return_exceptions=True)
    return load.returncode, told.decode().strip(), complaint.decode().strip(), came


def faults(before: Sample, samples: list[Sample], after: Sample, load_status: int, complaint: str) -> list[str]:
    found = []
    if load_status:
        found.append(f"the load has failed: {complaint}")
    quarter = len(samples) // 4
    early, late = ([one.resident_bytes for one in part] for part in [samples[quarter : 2 * quarter], samples[3 * quarter :]])
    if not early or not late:
        found.append("there are too few samples to say whether memory is flat; let it run for longer, or sample more often")
    else:
        first, last = statistics.median(early), statistics.median(late)
        print(f"memory: {first / (1 << 20):.1f} MiB in the second quarter of the time, {last / (1 << 20):.1f} MiB in the last")
        if last > max(GROWTH_MAX * first, first + GROWTH_BYTES_MAX):
            found.append("memory grows")
    for what in ["descriptors", "connections", "members", "rooms"]:
        left = getattr(after, what) - getattr(before, what)
        if left > 0:
            found.append(f"{left} {what} are left over")
    return found


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench/soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--every", type=float, metavar="SECONDS", help="how often it is looked at; 100 times by default")
    parser.add_argument("--visitors", type=float, default=10, metavar="N", help="how many come in a second")
    parser.add_argument("--no-build", action="store_true", help="take what was built before")
    arguments = parser.parse_args()
    wskit = servers.named("wskit")[0]
    if not arguments.no_build and not (servers.build(wskit) and servers.builds(servers.cargo("fanout"), servers.BENCH)):
        return 2

    seconds, api = 60 * arguments.minutes, servers.free_port()
    samples: list[Sample] = []
    with tempfile.TemporaryDirectory(dir=servers.BENCH / "target") as folder:
        words = f"serve {OPTIONS} {HISTORY} --data {folder} --api-listen 127.0.0.1:{api} --listen 127.0.0.1:{{port}}"
        server = dataclasses.replace(wskit, command=[wskit.command[0], *words.split()], plain=[])
        with servers.running(server, core=None) as (process, port):
            watched = Watched(process, api)
            # What the first connection brings with it is no leak.
            asyncio.run(visitors.polite(port, 0))
            before = watched.sample()
            print(HEAD, before.line(), sep="\n", flush=True)
            every = arguments.every or seconds / 100
            status, told, complaint, came = asyncio.run(use(port, seconds, arguments.visitors, watched, every, samples))
            after = watched.sample_when_gone(before)
            print(after.line())
            closings = watched.closings()
    print(f"{told or 0} messages were read by the steady; visitors: {', '.join(f'{count} {name}' for name, count in came.items())}")
    print(f"closed by the server: {closings}")
    found = faults(before, samples, after, status, complaint)
    print("\n".join(f"FAULT: {fault}" for fault in found) or "good: memory is flat, and nobody and nothing is left over")
    return 1 if found else 0
