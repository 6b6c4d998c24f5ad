#!/usr/bin/env python3
"""That nginx takes the sample for a split server, and that it sends each route of sync_api there and no other."""
import json
import os
import re
import shutil
import subprocess
import tempfile

import tree

SAMPLE = "config/profiles/split/nginx.conf"


def paths(root, plugin):
    """Paths that the plugin answers, with something in place of each parameter and of each list of versions."""
    with open(os.path.join(root, "plugins", plugin, "plugin.json"), encoding="utf-8") as text:
        routes = json.load(text)["routes"]
    for route in routes:
        path = re.sub(r"\{[^}]*\}", "!x:example.org", route.split(" ", 1)[1])
        for version in ("v3", "r0"):
            yield path.replace("v3|r0", version)


def check_routes(root, sample):
    pattern = re.search(r"location ~ (\S+) \{\s*proxy_pass http://backplane_sync;", sample)
    if pattern is None:
        yield f"{SAMPLE}:1: there is no location for backplane_sync"
        return
    for plugin, wanted in (("sync_api", True), ("client_api", False)):
        for path in paths(root, plugin):
            if (re.search(pattern.group(1), path) is not None) != wanted:
                yield f"{SAMPLE}:1: {path} of {plugin} goes to the wrong hosts: correct the location of backplane_sync"


def check_syntax(sample):
    nginx = shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if nginx is None:
        yield f"{SAMPLE}:1: nginx is not installed: see packaging/dependencies.txt"
        return
    with tempfile.TemporaryDirectory(prefix="backplane-nginx-") as folder:
        # The test of a config opens its sockets: not that of the sample.
        sample = re.sub(r"listen \d+;", f"listen unix:{folder}/socket;", sample)
        kept = "".join(f"{kind}_temp_path {folder}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        path = os.path.join(folder, "nginx.conf")
        with open(path, "w", encoding="utf-8") as out:
            out.write(f"pid {folder}/pid;\nevents {{}}\nhttp {{\naccess_log off;\n{kept}{sample}}}\n")
        done = subprocess.run([nginx, "-t", "-q", "-p", folder, "-e", "stderr", "-c", path], capture_output=True, text=True,
                              timeout=60, check=False)
    if done.returncode != 0 or done.stderr.strip():
        yield f"{SAMPLE}:1: nginx does not take it: {done.stderr.strip()}"


if __name__ == "__main__":
    given = tree.arguments(__doc__).parse_args()
    text_of_sample = tree.read(given.root, SAMPLE)
    tree.finish([*check_routes(given.root, text_of_sample), *check_syntax(text_of_sample)])
