#!/usr/bin/env python3
"""A page that the program writes is what it writes now: generated.py PAGE PROGRAM ARGUMENT..."""
import difflib
import subprocess
import sys

import tree


def check(root, page, command):
    printed = subprocess.run(command, capture_output=True, text=True, check=False)
    if printed.returncode:
        return [f"{page}:1: {' '.join(command)} failed: {printed.stderr.strip()}"]
    lines = difflib.unified_diff(tree.read(root, page).splitlines(), printed.stdout.splitlines(), page, "now", lineterm="",
                                 n=0)
    changes = [line for line in lines if not line.startswith("@@")]
    if not changes:
        return []
    return [f"{page}:1: is not what the program writes: write it anew with `{' '.join(command)} >{page}`", *changes]


if __name__ == "__main__":
    parser = tree.arguments(__doc__)
    parser.add_argument("page")
    parser.add_argument("command", nargs="...")
    given = parser.parse_args()
    if not given.command:
        sys.exit("generated.py: which command writes the page?")
    tree.finish(check(given.root, given.page, given.command))
