"""What every interop script in Python shares: named checks, one line of outcome for each."""

import asyncio

failures = 0


async def check(name, run):
    """Runs a check and prints `ok NAME` or `not ok NAME: why`."""
    global failures
    try:
        await asyncio.wait_for(run(), 180)
        print(f"ok {name}", flush=True)
    except Exception as error:
        failures += 1
        print(f"not ok {name}: {error!r}", flush=True)


def outcome():
    """What to exit with."""
    return 1 if failures else 0
