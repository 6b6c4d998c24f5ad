"""The plugins that were built with the program under test."""
import json
import os

from program import program

PLUGINS = os.path.join(os.path.dirname(os.path.dirname(program())), "lib", "backplane", "plugins")


def manifests():
    """The manifests beside the program: {name: manifest}."""
    found = {}
    for name in os.listdir(PLUGINS):
        if name.endswith(".json"):
            with open(os.path.join(PLUGINS, name), encoding="utf-8") as text:
                manifest = json.load(text)
                found[manifest["name"]] = manifest
    return found
