#!/usr/bin/env python3
"""The sources are as clang-format 14 writes them (packaging/dependencies.txt pins it). To mend: format.py --fix"""
import os
import subprocess
from concurrent.futures import ThreadPoolExecutor

import tree

PROGRAM = "clang-format-14"


def run(root, paths, flags):
    return subprocess.run([PROGRAM, "--style=file", *flags, *paths], cwd=root, capture_output=True, text=True, check=False)


def check(root, fix):
    paths = tree.files(root, ".h", ".cc")
    if fix:
        run(root, paths, ["-i"]).check_returncode()
        return []
    shares = [paths[i:i + 16] for i in range(0, len(paths), 16)]
    with ThreadPoolExecutor(max_workers=2) as pool:
        results = list(pool.map(lambda share: run(root, share, ["--dry-run", "--Werror"]), shares))
    faults = {}
    for result in results:
        for line in result.stderr.splitlines():
            if ": error: " in line:
                faults.setdefault(line.split(":")[0], f"{':'.join(line.split(':')[:2])}: is not formatted: "
                                  f"run tests/lint/{os.path.basename(__file__)} --fix")
        if result.returncode and not faults:
            faults[""] = f"{PROGRAM}: {result.stderr.strip()}"
    return list(faults.values())


if __name__ == "__main__":
    parser = tree.arguments(__doc__)
    parser.add_argument("--fix", action="store_true")
    given = parser.parse_args()
    tree.finish(check(given.root, given.fix))
