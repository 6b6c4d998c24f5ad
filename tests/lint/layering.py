#!/usr/bin/env python3
"""Who may include whom (docs/architecture.md, "Folders").

host      the SDK but for backplane/matrix (other than ids), itself, third parties; never a plugin
plugin    the SDK, itself, third parties; never the host or another plugin
sdk       itself, third parties in .cc files and private headers
          public headers: the standard library and public headers only
          backplane/base includes nothing of the SDK but base; backplane/matrix nothing but base and matrix, and
          nothing that does I/O, waits or tells the time
Beast, SOCI and Poco are slow to compile: at most ten .cc files outside the tests see each of them.
"""
import os

import tree

# Ids are texts with a type: the host may hand them on.
MATRIX_IDS = "backplane/matrix/ids.h"
HEAVY = {"Boost.Beast": "boost/beast", "SOCI": "soci/", "Poco": "Poco/"}
HEAVY_LIMIT = 10
IMPURE = {"chrono", "condition_variable", "ctime", "filesystem", "fstream", "future", "iostream", "mutex", "shared_mutex",
          "thread"}
IMPURE_BASE = {"clock.h", "executor.h", "gate.h", "logger.h", "metrics.h"}
STANDARD = set("""
algorithm any array atomic barrier bit bitset cassert cctype cerrno cfenv cfloat charconv chrono cinttypes climits clocale
cmath codecvt compare complex concepts condition_variable coroutine csetjmp csignal cstdarg cstddef cstdint cstdio cstdlib
cstring ctime cuchar cwchar cwctype deque exception execution filesystem format forward_list fstream functional future
initializer_list iomanip ios iosfwd iostream istream iterator latch limits list locale map memory memory_resource mutex new
numbers numeric optional ostream queue random ranges ratio regex scoped_allocator semaphore set shared_mutex
source_location span sstream stack stdexcept stop_token streambuf string string_view syncstream system_error thread tuple
type_traits typeindex typeinfo unordered_map unordered_set utility valarray variant vector version
""".split())


class Includes:
    """Include directives, and what they lead to inside the tree."""

    def __init__(self, root):
        self.root = root
        self.sources = tree.files(root, ".h", ".cc")
        self.known = set(self.sources)
        self.direct = {path: tree.includes(root, path) for path in self.sources}

    def part(self, path):
        """The part of the tree that a file belongs to: sdk, host, plugins/<name>, tests, ..."""
        steps = path.split("/")
        return "/".join(steps[:2]) if steps[0] == "plugins" else steps[0]

    def resolve(self, path, name, quoted):
        """The file of the tree that an include directive means, or None for what is not of the tree."""
        candidates = [f"sdk/include/{name}", f"sdk/testing/include/{name}"]
        if quoted:
            part = self.part(path)
            candidates = [os.path.normpath(os.path.join(os.path.dirname(path), name)), f"{part}/{name}",
                          f"{part}/src/{name}", name] + candidates
        return next((c for c in candidates if c in self.known), None)

    def reached(self, path):
        """Every include name seen by a file, its own and those of the headers of the tree: {name: first step there}."""
        seen, names, todo = {path}, {}, [(path, None)]
        while todo:
            current, first = todo.pop()
            for _, name, quoted in self.direct[current]:
                names.setdefault(name, first or name)
                target = self.resolve(current, name, quoted)
                if target and target not in seen:
                    seen.add(target)
                    todo.append((target, first or name))
        return names


def check_place(path, name, quoted, target, part, includes):
    """What is wrong with one include directive because of where it stands, or None."""
    if ".." in name.split("/"):
        return f"includes \"{name}\" with '..': name it from the root of its part"
    if path.startswith("tests/") or path.startswith("sdk/examples/"):
        return None
    if target and not target.startswith("sdk/") and includes.part(target) != part:
        return f"{part} may not include {target}: talk through an interface of the SDK"
    if name.startswith(("host/", "plugins/")) and part not in (name.split("/")[0], "/".join(name.split("/")[:2])):
        return f"{part} may not include {name}: talk through an interface of the SDK"
    if target and target.startswith("sdk/src/") and part != "sdk":
        return f"{target} is private to the SDK"
    if quoted and target is None and not name.startswith("backplane/"):
        return f"\"{name}\" is no file of {part}: third parties are included with <>"
    if path.startswith("sdk/include/"):
        posix = path.startswith("sdk/include/backplane/testing/") and name.startswith("sys/")
        if target is None and name not in STANDARD and not posix:
            return f"a public header includes <{name}>: only the standard library and public headers are allowed here"
        if target and not target.startswith("sdk/include/"):
            return f"a public header includes {target}, which is not installed"
    return check_sdk_area(path, name, target)


def check_sdk_area(path, name, target):
    if not path.startswith(("sdk/include/backplane/", "sdk/src/")):
        return None
    area = path.removeprefix("sdk/include/backplane/").removeprefix("sdk/src/").split("/")[0]
    inside = (target or "").startswith("sdk/")
    other = name.split("/")[1] if name.startswith("backplane/") and name.count("/") > 1 else area
    if area == "base" and inside and other != "base":
        return f"backplane/base may not include {name}: it is below the rest of the SDK"
    if area == "matrix":
        if inside and other not in ("base", "matrix"):
            return f"backplane/matrix may not include {name}: it is pure domain code"
        if name in IMPURE or (other == "base" and name.split("/")[-1] in IMPURE_BASE):
            return f"backplane/matrix may not include {name}: no I/O, clock, threads or logging there"
    return None


def check(root):
    includes = Includes(root)
    faults = []
    heavy = {library: [] for library in HEAVY}
    for path in includes.sources:
        part = includes.part(path)
        for line, name, quoted in includes.direct[path]:
            target = includes.resolve(path, name, quoted)
            fault = check_place(path, name, quoted, target, part, includes)
            if fault:
                faults.append(f"{path}:{line}: {fault}")
        if part == "tests" or not path.endswith(".cc"):
            continue
        reached = includes.reached(path)
        for library, prefix in HEAVY.items():
            if any(name.startswith(prefix) for name in reached):
                heavy[library].append(path)
        if part == "host":
            for name, first in sorted(reached.items()):
                if name.startswith("backplane/matrix/") and name != MATRIX_IDS:
                    faults.append(f"{path}:1: the host sees {name} (through {first}): it must not know what a room is")
    for library, paths in heavy.items():
        if len(paths) > HEAVY_LIMIT:
            faults.append(f"{paths[-1]}:1: {len(paths)} .cc files see {library}, at most {HEAVY_LIMIT} may "
                          f"(it takes half a minute to compile): {', '.join(paths)}")
    return faults


if __name__ == "__main__":
    tree.finish(check(tree.arguments(__doc__).parse_args().root))
