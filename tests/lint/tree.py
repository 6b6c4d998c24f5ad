"""What the lint tests share: which files there are, what a file includes, and how faults are printed.

Every lint takes --root (the source tree, by default the one it lies in) and ends with status 1 when it found a fault.
A fault is one line, `path:line: what is wrong: what to do`.
"""
import argparse
import os
import re
import subprocess
import sys

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
SKIPPED_FOLDERS = {".git", "build", "__pycache__", ".cache"}


def arguments(description):
    parser = argparse.ArgumentParser(description=description)
    here = os.path.dirname(os.path.abspath(__file__))
    parser.add_argument("--root", default=os.path.dirname(os.path.dirname(here)))
    return parser


def files(root, *suffixes):
    """The tree's files as relative paths: what git tracks or would add, or all of them where there is no git."""
    listed = subprocess.run(["git", "-C", root, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                            capture_output=True, check=False)
    top = subprocess.run(["git", "-C", root, "rev-parse", "--show-toplevel"], capture_output=True, check=False)
    if listed.returncode == 0 and os.path.realpath(top.stdout.decode().strip()) == os.path.realpath(root):
        names = [name for name in listed.stdout.decode().split("\0") if name]
    else:
        names = []
        for folder, folders, inside in os.walk(root):
            folders[:] = [f for f in folders if f not in SKIPPED_FOLDERS and not f.startswith("build-")]
            names += [os.path.relpath(os.path.join(folder, name), root) for name in inside]
    return sorted(name for name in set(names)
                  if name.endswith(suffixes or ("",)) and os.path.isfile(os.path.join(root, name)))


def read(root, path):
    with open(os.path.join(root, path), encoding="utf-8", errors="replace") as file:
        return file.read()


def includes(root, path):
    """(line, name, quoted) of each include directive."""
    found = []
    for number, line in enumerate(read(root, path).splitlines(), 1):
        match = INCLUDE.match(line)
        if match:
            found.append((number, match.group(2), match.group(1) == '"'))
    return found


def finish(faults, warnings=()):
    for line in warnings:
        print(f"warning: {line}")
    for line in faults:
        print(line)
    print(f"{len(faults)} faults, {len(warnings)} warnings")
    sys.exit(1 if faults else 0)
