#!/usr/bin/env python3
"""That the unit of one process and that of each host of a split server are alike but for names and folders, and that
systemd takes them."""
import os
import shutil
import subprocess
import tempfile

import tree

SINGLE, SPLIT, TARGET = (f"packaging/systemd/{name}" for name in
                         ("backplane.service.in", "backplane@.service.in", "backplane.target"))
# What an instance has for itself.
OWN = ("Description=", "Environment=", "EnvironmentFile=", "StateDirectory=", "RuntimeDirectory=", "WorkingDirectory=",
       "PartOf=", "WantedBy=", "#")


def shared_lines(root, path):
    return [line for line in tree.read(root, path).splitlines() if line and not line.startswith(OWN)]


def check(root):
    if shared_lines(root, SINGLE) != shared_lines(root, SPLIT):
        yield f"{SPLIT}:1: differs from {SINGLE} in more than names and folders: make the same change in both"
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        yield f"{SPLIT}:1: systemd-analyze is not installed: see packaging/dependencies.txt"
        return
    with tempfile.TemporaryDirectory(prefix="backplane-units-") as folder:
        names = []
        for path in (SINGLE, SPLIT, TARGET):
            text = tree.read(root, path).replace("@CMAKE_INSTALL_FULL_BINDIR@/backplane", "/bin/true")
            text = text.replace("@CMAKE_INSTALL_FULL_DATADIR@", "/usr/share")
            name = os.path.basename(path).removesuffix(".in").replace("@.", "@core.")
            with open(os.path.join(folder, name), "w", encoding="utf-8") as out:
                out.write(text)
            names.append(os.path.join(folder, name))
        done = subprocess.run([analyze, "verify", "--man=no", *names], capture_output=True, text=True, timeout=60, check=False)
    for line in done.stderr.splitlines():
        if folder in line and "backplane" in line:
            yield f"{SPLIT}:1: systemd-analyze: {line}"


if __name__ == "__main__":
    given = tree.arguments(__doc__).parse_args()
    tree.finish(list(check(given.root)))
