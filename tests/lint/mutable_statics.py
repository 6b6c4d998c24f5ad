#!/usr/bin/env python3
"""No mutable static object in the SDK, a plugin or the host: everything hangs on the Host that a plugin gets, so that
several servers live in one process.

Reads the sections of object files: what is in .data, .bss, .tdata or .tbss can change. A constant that is built when
the program starts (a static const std::map) lies there too, and is better a constexpr array. What has to stay is
listed in mutable_statics.allow, one regular expression a line for the demangled name, with the reason behind a #.
"""
import os
import re
import subprocess

import tree

FOREIGN = ("boost::", "std::", "Poco::", "soci::", "fmt::", "spdlog::", "nlohmann::", "YAML::", "simdjson::", "testing::",
           "__gnu_cxx::", "asio::", "typeinfo ", "vtable ", "VTT ", "construction vtable ", "DW.ref.", "__")
CHANGING = re.compile(r"\.(t?bss|t?data)(\.(?!rel\.ro)|$)")


def allowed(path):
    patterns = []
    with open(path, encoding="utf-8") as file:
        for line in file:
            pattern = line.split("#")[0].strip()
            if pattern:
                patterns.append(re.compile(pattern))
    return patterns


def statics(objects):
    """{demangled name: object file} of every static object that can change."""
    missing = [path for path in objects if not os.path.exists(path)]
    if missing:
        raise SystemExit(f"{missing[0]} is not there: build everything first")
    listed = subprocess.run(["objdump", "--syms", "--demangle", *objects], capture_output=True, text=True, check=True)
    found, current = {}, ""
    for line in listed.stdout.splitlines():
        if line.endswith(":     file format elf64-x86-64") or ":     file format " in line:
            current = line.split(":     file format ")[0]
            continue
        # value, seven flags ("O": object), section, size, then the name: "0... l     O .bss	0...8 name"
        match = re.match(r"^[0-9a-f]{16} (.{7}) (\S+)\t[0-9a-f]{16} +(?:\.hidden +)?(.*)$", line)
        if not match or not CHANGING.match(match.group(2)):
            continue
        flags, section, name = match.groups()
        if "d" in flags or name == section:  # the section itself
            continue
        found.setdefault(re.sub(r"^guard variable for ", "", name), current)
    return found


def check(root, objects, allow):
    faults = []
    patterns = allowed(allow)
    for name, path in sorted(statics(objects).items()):
        if name.startswith(FOREIGN) or any(pattern.search(name) for pattern in patterns):
            continue
        faults.append(f"{os.path.relpath(path, root)}:1: the static object '{name}' can change: let it hang on the Host, "
                      "or make it constexpr")
    return faults


if __name__ == "__main__":
    parser = tree.arguments(__doc__)
    parser.add_argument("--allow", default=os.path.join(os.path.dirname(os.path.abspath(__file__)), "mutable_statics.allow"))
    parser.add_argument("list", help="a file that names object files, one a line")
    given = parser.parse_args()
    with open(given.list, encoding="utf-8") as names:
        tree.finish(check(given.root, [name for name in names.read().split() if name.endswith(".o")], given.allow))
