#!/usr/bin/env python3
"""Moves a large deployment from SQLite to a PostgreSQL of its own, and tells how long that takes. Done when: a million
events in at most 5 minutes, with the comparison.
   tests/bench/move_database.py [--program PATH] [--events 1000000] [--rooms 2000] [--members 50]"""
import argparse
import os
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import shapes  # noqa: E402
from client import register  # noqa: E402
from many_rooms import ManyRooms  # noqa: E402
from server import Server  # noqa: E402

def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program")
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--rooms", type=int, default=2000)
    parser.add_argument("--members", type=int, default=50)
    options = parser.parse_args()
    if options.program:
        os.environ["BACKPLANE_BIN"] = os.path.abspath(options.program)
    with Server(shape=shapes.Single()) as server:
        server.start()
        user = register(server)
        server.stop()
        began = time.monotonic()
        ManyRooms(options.events, options.rooms, options.members).write(server.path("data", "room_server.db"))
        size = os.path.getsize(server.path("data", "room_server.db"))
        print(f"generated in {time.monotonic() - began:.0f} s: {size / 1e6:.0f} MB")
        data = server.path("data")
        server.take_shape(shapes.Postgresql())
        began = time.monotonic()
        code, out, errors = server.run("migrate-database", "--from-data", data, patience=3600)
        print(out + errors)
        print(f"moved in {time.monotonic() - began:.1f} s")
        assert code == 0
        server.start()
        assert user.get("v3/account/whoami")["user_id"] == user.user_id


if __name__ == "__main__":
    main()
