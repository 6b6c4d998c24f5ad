#!/usr/bin/env python3
"""Source files: aim at 120 lines, a warning over 400, a fault over 800."""
import tree

WARN, LIMIT = 400, 800
SUFFIXES = (".h", ".cc", ".py", ".sh", ".cmake", "CMakeLists.txt")


def check(root):
    faults, warnings = [], []
    for path in tree.files(root, *SUFFIXES):
        lines = tree.read(root, path).count("\n")
        if lines > LIMIT:
            faults.append(f"{path}:{LIMIT}: has {lines} lines, at most {LIMIT} are allowed: split it by what it does")
        elif lines > WARN:
            warnings.append(f"{path}: has {lines} lines; over {WARN}, think of splitting it")
    return faults, warnings


if __name__ == "__main__":
    tree.finish(*check(tree.arguments(__doc__).parse_args().root))
