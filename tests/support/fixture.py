#!/usr/bin/env python3
"""What tests of one run of ctest share, such as a PostgreSQL server: it takes seconds to start.
   tests/support/fixture.py up|down NAME FOLDER      (ctest runs it: FIXTURES_SETUP and FIXTURES_CLEANUP)
`up` leaves a process behind that keeps the thing, and writes where it is to a file in FOLDER, named after the run of ctest,
so that several runs do not meet. The process ends at `down`, or when its ctest has ended without that. Tests find the
thing with find(); FOLDER is in BACKPLANE_TEST_FIXTURES."""
import json
import os
import signal
import subprocess
import sys
import time

sys.dont_write_bytecode = True


def _file(folder, name):
    # Fixtures and tests are children of the same ctest.
    return os.path.join(folder, f"{name}.{os.getppid()}.json")


def _lives(process):
    """Whether the process is there; one that has ended may still have its entry."""
    try:
        with open(f"/proc/{process}/stat", encoding="utf-8") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def find(name):
    """What `up` told of it; nothing when this is no run of ctest."""
    folder = os.environ.get("BACKPLANE_TEST_FIXTURES")
    if not folder:
        return None
    with open(_file(folder, name), encoding="utf-8") as told:
        return json.load(told)


def make(name):
    """Starts the thing: (an object with close(), what to tell of it)."""
    if name == "postgresql":
        import postgresql
        server = postgresql.PostgresqlServer()
        return server, {"folder": server.folder}
    if name == "kafka":
        from kafka.kafka import KafkaBroker
        broker = KafkaBroker()
        broker.start()
        return broker, {"bootstrap": broker.bootstrap}
    raise SystemExit(f"fixture.py: there is no fixture '{name}'")


def keep(name, file, ctest):
    """The process that is left behind."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    thing, told = make(name)
    try:
        with open(file + ".new", "w", encoding="utf-8") as out:
            json.dump({**told, "keeper": os.getpid()}, out)
        os.rename(file + ".new", file)
        while _lives(ctest):
            time.sleep(0.5)
    finally:
        thing.close()
        if os.path.exists(file):
            os.remove(file)


def up(name, folder):
    os.makedirs(folder, exist_ok=True)
    file = _file(folder, name)
    if os.path.exists(file):  # of an earlier process with the same number
        os.remove(file)
    log = os.path.join(folder, f"{name}.log")
    with open(log, "w", encoding="utf-8") as out:
        keeper = subprocess.Popen([sys.executable, __file__, "keep", name, file, str(os.getppid())], start_new_session=True,
                                  stdin=subprocess.DEVNULL, stdout=out, stderr=out)
    while not os.path.exists(file):
        if keeper.poll() is not None:
            with open(log, encoding="utf-8") as said:
                raise SystemExit(f"fixture.py: {name} could not be started:\n{said.read()}")
        time.sleep(0.02)


def down(name, folder):
    file = _file(folder, name)
    with open(file, encoding="utf-8") as told:
        keeper = json.load(told)["keeper"]
    os.kill(keeper, signal.SIGTERM)
    while _lives(keeper):
        time.sleep(0.02)


if __name__ == "__main__":
    verb, *words = sys.argv[1:]
    {"up": up, "down": down, "keep": keep}[verb](*words)
