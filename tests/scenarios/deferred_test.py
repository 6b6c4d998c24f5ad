"""Deferred calls that never answer hold no thread: with as many of them under way as the surface has workers, and
several times that, others are served as before."""
import http.client
import os
import time

from server_case import ServerCase

WORKERS = 64
SENDS = 200


class DeferredTest(ServerCase):
    config = {"workers": {"client": WORKERS}, "plugin_dirs": ["default", os.environ["BACKPLANE_STUCK_PLUGIN_FOLDER"]]}

    def stuck_requests(self, count):
        connections = []
        for _ in range(count):
            connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=60)
            connection.request("GET", "/_stuck")
            self.addCleanup(connection.close)
            connections.append(connection)
        return connections

    def slowest_sends(self, alice, room):
        """The median and the 99th percentile of the time that a send takes, in milliseconds."""
        times = []
        for n in range(SENDS):
            begun = time.monotonic()
            alice.send(room, f"message {n}")
            times.append((time.monotonic() - begun) * 1000)
        times.sort()
        return times[len(times) // 2], times[len(times) * 99 // 100]

    def test_sends_go_on(self):
        alice = self.user()
        room = self.room_of(alice)
        before = self.slowest_sends(alice, room)
        self.stuck_requests(WORKERS * 4)
        during = self.slowest_sends(alice, room)
        print(f"a send in ms, median and p99: {before[0]:.1f} {before[1]:.1f} alone, "
              f"{during[0]:.1f} {during[1]:.1f} beside {WORKERS * 4} calls that never answer")
        # Were a worker held by each of them, no send would end before its deadline of 30 s.
        self.assertLess(during[1], 5000)
        parked = self.server.metrics().find("backplane_http_parked_requests")
        self.assertEqual(WORKERS * 4, sum(value for _, value in parked), parked)
