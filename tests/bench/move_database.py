#!/usr/bin/env python3
"""Moves a large deployment from SQLite to a PostgreSQL of its own, and tells how long that takes. Done when: a million
events in at most 5 minutes, with the comparison.
   tests/bench/move_database.py [--program PATH] [--events 1000000] [--rooms 2000] [--members 50]"""
import argparse
import os
import resource
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import postgresql  # noqa: E402
import shapes  # noqa: E402
from client import register  # noqa: E402
from many_rooms import ManyRooms  # noqa: E402
from server import Server  # noqa: E402


def database_cpu():
    """Seconds that PostgreSQL's processes have used, also those that have ended."""
    server = postgresql.shared().process.pid
    ticks = 0
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{entry}/stat", encoding="ascii") as stat:
                fields = stat.read().rsplit(")", 1)[1].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(fields[1]) == server:
            ticks += int(fields[11]) + int(fields[12])
        elif int(entry) == server:  # and its children's that have ended
            ticks += sum(int(field) for field in fields[11:15])
    return ticks / os.sysconf("SC_CLK_TCK")


def program_cpu():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


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
        cpu, cpu_there = program_cpu(), database_cpu()
        began = time.monotonic()
        code, out, errors = server.run("migrate-database", "--from-data", data, patience=3600)
        print(out + errors)
        print(f"moved in {time.monotonic() - began:.1f} s; CPU: the program {program_cpu() - cpu:.1f} s, PostgreSQL "
              f"{database_cpu() - cpu_there:.1f} s")
        assert code == 0
        server.start()
        assert user.get("v3/account/whoami")["user_id"] == user.user_id


if __name__ == "__main__":
    main()
