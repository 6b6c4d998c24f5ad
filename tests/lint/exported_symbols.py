#!/usr/bin/env python3
"""Every plugin exports backplane_plugin_entry and nothing else: one more symbol (a GNU_UNIQUE one of a template, say)
and plugins can get at each other's objects."""
import os
import subprocess

import tree

ENTRY = "backplane_plugin_entry"


def exported(path):
    listed = subprocess.run(["nm", "--dynamic", "--defined-only", "--format=posix", path], capture_output=True, text=True,
                            check=True)
    return {line.split()[0].split("@")[0] for line in listed.stdout.splitlines() if line.strip()}


def check(plugins):
    faults = []
    for path in plugins:
        if not os.path.exists(path):
            raise SystemExit(f"{path} is not there: build everything first")
        symbols = exported(path)
        if ENTRY not in symbols:
            faults.append(f"{path}:1: does not export {ENTRY}: write BACKPLANE_PLUGIN(Class) in its plugin.cc")
        for symbol in sorted(symbols - {ENTRY}):
            faults.append(f"{path}:1: exports {symbol}: build it with backplane_add_plugin()")
    return faults


if __name__ == "__main__":
    parser = tree.arguments(__doc__)
    parser.add_argument("plugin", nargs="+")
    tree.finish(check(parser.parse_args().plugin))
