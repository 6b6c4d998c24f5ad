#!/usr/bin/env python3
"""Opens many long polls on one server; tells its memory, and the time that a message to a room of 100 of them takes to
reach all. Done when: 10,000 polls, at most 150 MB, and 100 ms at the median.
   ulimit -n 20000; tests/bench/long_polls.py [--program PATH] [--polls 10000] [--users 1000] [--room 100] [--messages 30]"""
import argparse
import asyncio
import json
import os
import resource
import statistics
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from client import register  # noqa: E402
from program import wait_for  # noqa: E402
from server import Server  # noqa: E402


class Poll(asyncio.Protocol):
    """One connection that polls for ever."""

    def __init__(self, token, since, heard):
        self.token, self.since, self.heard = token, since, heard
        self.data = b""

    def connection_made(self, transport):
        self.transport = transport
        self.ask()

    def ask(self):
        self.data = b""
        self.transport.write(f"GET /_matrix/client/v3/sync?timeout=600000&since={self.since} HTTP/1.1\r\nHost: test\r\n"
                             f"Authorization: Bearer {self.token}\r\n\r\n".encode())

    def data_received(self, data):
        self.data += data
        head, found, body = self.data.partition(b"\r\n\r\n")
        if not found:
            return
        length = next(int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        if len(body) < length:
            return
        now = time.perf_counter()
        assert b" 200 " in head[:20], head
        self.since = json.loads(body)["next_batch"]
        if self.heard:
            self.heard(now, body)
        self.ask()


async def measure(server, options):
    users = [register(server) for _ in range(options.users)]
    room = users[0].create_room(preset="public_chat")
    for user in users[1:options.room]:
        user.join(room)
    speaker = register(server)
    speaker.join(room)
    before = server.memory_kib()
    for user in users:
        user.sync()
        user.disconnect()
    arrivals = []
    loop = asyncio.get_running_loop()
    heard = lambda now, body: b'"measure ' in body and arrivals.append(now)
    for n in range(options.polls):
        # Each member of the room has one poll; the others share the rest.
        user = users[n] if n < options.room else users[options.room + (n - options.room) % (options.users - options.room)]
        await loop.create_connection(lambda: Poll(user.token, user.since, heard if n < options.room else None), "127.0.0.1", server.port)
    parked = lambda: server.metrics().sum("backplane_http_parked_requests")
    await asyncio.to_thread(wait_for, "the polls to be parked", lambda: parked() >= options.polls, 120, 0.2)
    after = server.memory_kib()
    print(f"memory: {before / 1024:.1f} MiB with {options.users} users; {after / 1024:.1f} MiB with {int(parked())} polls "
          f"({(after - before) / options.polls:.2f} KiB each)")
    times = []
    for n in range(options.messages):
        arrivals.clear()
        began = time.perf_counter()
        await asyncio.to_thread(speaker.send, room, f"measure {n}")
        while len(arrivals) < options.room:
            await asyncio.sleep(0.001)
        times.append((max(arrivals) - began) * 1000)
        await asyncio.sleep(0.1)
    times.sort()
    print(f"a message reached all {options.room} after: median {statistics.median(times):.1f} ms, best {times[0]:.1f}, worst "
          f"{times[-1]:.1f} ({options.messages} messages, with the time of this program)")
    print(f"memory at the end: {server.memory_kib() / 1024:.1f} MiB")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program")
    parser.add_argument("--polls", type=int, default=10_000)
    parser.add_argument("--users", type=int, default=1_000)
    parser.add_argument("--room", type=int, default=100)
    parser.add_argument("--messages", type=int, default=30)
    options = parser.parse_args()
    if options.program:
        os.environ["BACKPLANE_BIN"] = os.path.abspath(options.program)
    limit = options.polls + 1000
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(max(limit, 4096), hard), hard))
    with Server() as server:
        server.start()
        print(f"idle: {server.memory_kib() / 1024:.1f} MiB")
        asyncio.run(measure(server, options))


if __name__ == "__main__":
    main()
