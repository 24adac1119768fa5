"""Reads `cargo metadata` and fails when a dependency's licence allows nothing of ALLOWED."""

import json
import re
import sys

ALLOWED = {
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CDLA-Permissive-2.0",  # certificate lists
    "ISC",
    "MIT",
    "MIT-0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
}


def allows(expression):
    """Whether an SPDX expression can be met with ALLOWED licences alone. AND binds closer than OR."""
    tokens = re.findall(r"[()]|[^\s()]+", expression.replace("/", " OR "))

    def alternatives():
        outcome = conjunction()
        while tokens and tokens[0] == "OR":
            tokens.pop(0)
            outcome = conjunction() or outcome
        return outcome

    def conjunction():
        outcome = licence()
        while tokens and tokens[0] == "AND":
            tokens.pop(0)
            outcome = licence() and outcome
        return outcome

    def licence():
        token = tokens.pop(0)
        if token == "(":
            outcome = alternatives()
            tokens.pop(0)
            return outcome
        if tokens and tokens[0] == "WITH":
            tokens.pop(0)
            token = f"{token} WITH {tokens.pop(0)}"
        return token in ALLOWED

    return alternatives()


packages = json.load(sys.stdin)["packages"]
# A package without a source is one of our own.
refused = [package for package in packages if package["source"] and not allows(package["license"] or "none")]
for package in refused:
    print(f"{package['name']} {package['version']}: {package['license']}")
print(f"licences: {len(packages)} packages, {len(refused)} refused")
sys.exit(1 if refused or not packages else 0)
