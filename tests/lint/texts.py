#!/usr/bin/env python3
"""The tree's texts: no absolute path of somebody's machine, no package registry's host, no marks of a merge, and no link between the
documents that leads nowhere."""
import os
import re

import tree

BINARY = (".png", ".jpg", ".ico", ".gz", ".db")
# Written in pieces, so that this file does not name them.
HOSTS = [".".join(parts) for parts in (
    ("pypi", "org"), ("pythonhosted", "org"), ("npmjs", "org"), ("proxy", "golang", "org"), ("crates", "io"),
    ("repo1", "maven", "org"), ("repo", "maven", "apache", "org"), ("deb", "debian", "org"), ("ftp", "debian", "org"))]
HOST = re.compile("|".join(re.escape(host) for host in HOSTS))
MACHINE = re.compile(r"(?<![\w.$}~/-])/(?:work|root|home)/[\w.]")
CONFLICT = re.compile(r"^(<{7} |>{7} |={7}$)")
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)\s]*)?\)")


def check(root):
    faults = []
    for path in tree.files(root):
        if path.endswith(BINARY):
            continue
        for number, line in enumerate(tree.read(root, path).splitlines(), 1):
            if MACHINE.search(line):
                faults.append(f"{path}:{number}: names an absolute path of a machine")
            if CONFLICT.search(line):
                faults.append(f"{path}:{number}: has the marks of a merge that nobody finished")
            if HOST.search(line):
                faults.append(f"{path}:{number}: names a package registry's host: the user's own client knows where it is")
            if path.endswith(".md"):
                for target in LINK.findall(line):
                    if "://" in target or target.startswith("mailto:"):
                        continue
                    if not os.path.exists(os.path.join(root, os.path.dirname(path), target)):
                        faults.append(f"{path}:{number}: the link to {target} leads nowhere")
    return faults


if __name__ == "__main__":
    tree.finish(check(tree.arguments(__doc__).parse_args().root))
