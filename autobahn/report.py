"""report.py ROLE DIRECTORY: judges the suite's report and writes DIRECTORY/results.md.

The run fails when a case failed, when a case was answered less strictly than the suite knows how to ask without
being in NON_STRICT, when one in NON_STRICT was answered strictly after all, or when fewer cases ended than the suite has.
"""

import json
import os
import re
import sys

# Cases of which "non-strict" is the verdict we want, each with the reason.
NON_STRICT = {}

TITLES = {"axum": "server on axum"}

GROUPS = {
    1: "framing",
    2: "pings and pongs",
    3: "reserved bits",
    4: "opcodes",
    5: "fragmentation",
    6: "UTF-8",
    7: "close",
    9: "limits and large messages",
    10: "automatic fragmentation",
    12: "compression, kinds of payload",
    13: "compression, parameters",
}


def verdict(case):
    """The worse of what the suite says of the messages and of the closing."""
    both = {case["behavior"], case["behaviorClose"]}
    for known in ("OK", "INFORMATIONAL", "NON-STRICT"):
        if both <= {"OK", "INFORMATIONAL", known}:
            return known if known in both else "INFORMATIONAL" if "INFORMATIONAL" in both else "OK"
    return "FAILED"


def case_count(directory):
    """How many cases the suite said it would run."""
    for name in ("output", "log"):
        with open(os.path.join(directory, name)) as text:
            announced = re.search(r"will run (\d+) test cases", text.read())
        if announced:
            return int(announced[1])
    sys.exit("the suite did not say how many cases it would run")


def main(role, directory):
    with open(os.path.join(directory, "index.json")) as index:
        cases = json.load(index)["wskit"]
    verdicts = {name: verdict(case) for name, case in cases.items()}
    columns = ["OK", "INFORMATIONAL", "NON-STRICT", "FAILED"]

    with open(os.path.join(directory, "results.md"), "w") as table:
        print(f"# The Autobahn test suite, wskit as a {TITLES.get(role, role)}\n", file=table)
        print("| group | " + " | ".join(column.lower() for column in columns) + " |", file=table)
        print("|---" * (len(columns) + 1) + "|", file=table)
        for group, title in GROUPS.items():
            of_group = [verdicts[name] for name in verdicts if name.split(".")[0] == str(group)]
            counts = " | ".join(str(of_group.count(column)) for column in columns)
            print(f"| {group}: {title} | {counts} |", file=table)

    failed = sorted(name for name in verdicts if verdicts[name] == "FAILED")
    lax = {name for name in verdicts if verdicts[name] == "NON-STRICT"}
    for name in failed:
        case = cases[name]
        print(f"failed: {name}: {case['behavior']}, closing {case['behaviorClose']}, code {case['remoteCloseCode']}")
    for name in sorted(lax - NON_STRICT.keys()):
        print(f"non-strict: {name}")
    for name in sorted(NON_STRICT.keys() - lax):
        print(f"strict now, take it off the list: {name}")
    missing = case_count(directory) - len(cases)
    if missing:
        print(f"{missing} cases left no verdict")
    print(f"autobahn, {role}: {len(cases) - len(failed)} passed, {len(failed)} failed")
    return 1 if failed or missing or lax != NON_STRICT.keys() else 0


sys.exit(main(sys.argv[1], sys.argv[2]))
