#!/usr/bin/env python3
"""A server with a room of very many events, made by room_graph_bench: what joins, sends and /members cost in it, and
whether everything is found, once, by who pages back to its start while others join and send. Done when: 1,000,000 events
and 50,000 members within 1 GiB of memory.
   mkdir DIR; BACKPLANE_PLUGIN_FOLDER=... room_graph_bench 1000000 50000 DIR
   tests/bench/huge_room.py --data DIR [--program PATH]"""
import argparse
import collections
import os
import re
import shutil
import statistics
import sys
import threading
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from client import quote, register  # noqa: E402
from program import wait_for  # noqa: E402
from server import Server  # noqa: E402


def memory_mib(server):
    """Resident now, at most, and what of it now is not pages of the databases' files."""
    with open(f"/proc/{server.processes[0].process.pid}/status", encoding="ascii") as status:
        text = status.read()
    return [int(re.search(name + r":\s+(\d+)", text).group(1)) / 1024 for name in ("VmRSS", "VmHWM", "RssAnon")]


def tell(server, what, times):
    now, most, own = memory_mib(server)
    print(f"{what:20} median {statistics.median(times) * 1000:9.2f} ms  worst {max(times) * 1000:9.2f} ms  memory "
          f"{now:5.0f} MiB (its own {own:.0f}), at most {most:.0f}", flush=True)


def timed(work, times=1):
    taken = []
    for n in range(times):
        began = time.perf_counter()
        work(n)
        taken.append(time.perf_counter() - began)
    return taken


def page_back(user, room):
    """(all events from the last to the first, the time of each page)"""
    events, taken, token = [], [], None
    while True:
        began = time.perf_counter()
        page = user.messages(room, dir="b", limit=1000, **({"from": token} if token else {}))
        taken.append(time.perf_counter() - began)
        events += [event["event_id"] for event in page["chunk"]]
        token = page.get("end")
        if not token:
            return events, taken


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True)
    parser.add_argument("--program")
    options = parser.parse_args()
    if options.program:
        os.environ["BACKPLANE_BIN"] = os.path.abspath(options.program)
    with Server({"server_name": "test.example"}) as server:
        os.makedirs(server.path("data"))
        shutil.copy(os.path.join(options.data, "room_server.db"), server.path("data"))
        room = server.stores.value("room_server", "SELECT room_id FROM rooms")
        known = int(server.stores.value("room_server", "SELECT COUNT(*) FROM events WHERE sequence > 0"))
        server.start()
        indexed = lambda: int(server.stores.value("sync_api", "SELECT COUNT(*) FROM timeline")) >= known
        tell(server, "index of the room", timed(lambda _: wait_for("the index", indexed, 1200, 0.5)))
        users = [register(server) for _ in range(40)]
        tell(server, "join", timed(lambda n: users[n].join(room), 20))
        tell(server, "send", timed(lambda n: users[n % 20].send(room, f"message {n}"), 200))
        tell(server, "first sync", timed(lambda n: users[n].sync(), 5))
        tell(server, "/members", timed(lambda n: users[0].get(f"v3/rooms/{quote(room)}/members"), 3))
        tell(server, "/joined_members", timed(lambda n: users[0].get(f"v3/rooms/{quote(room)}/joined_members"), 3))
        tell(server, "/state", timed(lambda n: users[0].get(f"v3/rooms/{quote(room)}/state"), 3))

        stop, said = threading.Event(), []

        def live():
            for n, user in enumerate(users[20:]):
                if stop.is_set():
                    return
                user.join(room)
                said.append(user.send(room, f"joined {n}"))
                time.sleep(0.5)

        thread = threading.Thread(target=live)
        thread.start()
        began = time.perf_counter()
        events, pages = page_back(users[0], room)
        took = time.perf_counter() - began
        stop.set()
        thread.join()
        tell(server, "a page of 1000", pages)
        twice = [event for event, count in collections.Counter(events).items() if count > 1]
        total = int(server.stores.value("room_server", "SELECT COUNT(*) FROM events WHERE sequence > 0"))
        late = total - len(events)
        print(f"paged back through {len(events)} of {total} events in {took:.1f} s; {len(twice)} of them twice; "
              f"{late} came meanwhile ({len(said)} joins and messages each)")
        assert memory_mib(server)[1] <= 1024, "more than 1 GiB of memory"
        assert not twice and 0 <= late <= 2 * len(said) + 1, (twice[:5], late)


main()
