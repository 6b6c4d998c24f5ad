#!/usr/bin/env python3
"""docs/wiring.md is what `backplane wiring --format markdown` prints: it comes from the plugins' manifests."""
import difflib
import subprocess

import tree

PAGE = "docs/wiring.md"


def check(root, program):
    printed = subprocess.run([program, "wiring", "--format", "markdown"], capture_output=True, text=True, check=False)
    if printed.returncode:
        return [f"{PAGE}:1: `backplane wiring` failed: {printed.stderr.strip()}"]
    lines = difflib.unified_diff(tree.read(root, PAGE).splitlines(), printed.stdout.splitlines(), PAGE, "now", lineterm="", n=0)
    changes = [line for line in lines if not line.startswith("@@")]
    if not changes:
        return []
    return [f"{PAGE}:1: is not what the manifests say: write it anew with `backplane wiring --format markdown`", *changes]


if __name__ == "__main__":
    parser = tree.arguments(__doc__)
    parser.add_argument("program")
    given = parser.parse_args()
    tree.finish(check(given.root, given.program))
