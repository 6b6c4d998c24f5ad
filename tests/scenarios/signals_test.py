"""What signals do: TERM drains, HUP reloads, QUIT tells, and a second TERM does not wait."""
import signal
import threading
import time
import unittest

from client import Client, joined, register
from program import wait_for
from server import Server


class SignalsTest(unittest.TestCase):
    def server(self, **config):
        server = Server(config)
        self.addCleanup(server.close)
        return server.start()

    def parked(self, server, polls):
        wait_for(f"{polls} polls to be parked", lambda: server.metrics().sum("backplane_http_parked_requests") >= polls)

    def test_term_answers_parked_syncs(self):
        server = self.server()
        users = [register(server) for _ in range(5)]
        answers, stopping = [], threading.Event()

        def poll(user):
            """Asks again as clients do: a host that has only just started may answer early, with nothing."""
            since, answer = user.since, None
            while not answer or (answer[0] == 200 and not stopping.is_set()):
                answer = user.call("GET", "v3/sync", query={"since": since, "timeout": 60000})
            answers.append((since, answer))

        for user in users:
            user.sync()
        threads = [threading.Thread(target=poll, args=[user]) for user in users]
        for thread in threads:
            thread.start()
        self.parked(server, 5)
        stopping.set()
        began = time.monotonic()
        server.signal(signal.SIGTERM)
        self.assertEqual(0, server.wait())
        self.assertLess(time.monotonic() - began, 10)
        for thread in threads:
            thread.join(30)
        self.assertEqual(5, len(answers))
        for since, (status, body) in answers:
            self.assertEqual(200, status)
            self.assertEqual({}, {name: part for name, part in body.get("rooms", {}).items() if part})
            self.assertEqual(since, body["next_batch"])
        self.assertIn("host: stopped", server.log())
        server.start()  # and the tokens still hold
        room = users[0].create_room()
        users[0].sync_until("the room", lambda answer: joined(answer, room))

    def test_term_finishes_what_has_begun(self):
        server = self.server()
        user = register(server)
        room = user.create_room()
        acknowledged, go_on = [], True

        def send():
            while go_on:
                try:
                    acknowledged.append(user.send(room, "x"))
                except Exception:  # noqa: the server has gone
                    return

        thread = threading.Thread(target=send)
        thread.start()
        wait_for("some messages", lambda: len(acknowledged) > 20)
        server.signal(signal.SIGTERM)
        self.assertEqual(0, server.wait())
        go_on = False
        thread.join(30)
        server.start()
        there = [event["event_id"] for event in user.messages(room, dir="b", limit=1000)["chunk"]]
        self.assertLessEqual(set(acknowledged), set(there))

    def test_int_stops_as_well(self):
        server = self.server()
        server.signal(signal.SIGINT)
        self.assertEqual(0, server.wait())

    def test_hup_reloads_the_log_level(self):
        server = self.server()
        user = register(server)
        self.assertNotIn(" debug ", server.log())
        server.config["log"] = {"level": "debug"}
        server.write_config()
        server.signal(signal.SIGHUP)
        wait_for("the reload", lambda: "host: reloaded log_level=debug faults=0" in server.log())
        user.create_room()
        wait_for("a line of that level", lambda: " debug " in server.log())

    def test_hup_with_faults_changes_nothing(self):
        server = self.server()
        server.write("backplane.yaml", {**server.config, "no_such_option": 1})
        server.signal(signal.SIGHUP)
        wait_for("the fault", lambda: "error: unknown option 'no_such_option'" in server.log())
        register(server).sync()

    def test_quit_tells_what_it_does(self):
        server = self.server()
        server.signal(signal.SIGQUIT)
        wait_for("the state", lambda: "host: state ready=true" in server.log())
        register(server).sync()

    def test_health(self):
        server = self.server()
        self.assertEqual((200, 200), (server.health("live"), server.health("ready")))
        Client(server).refused(404, "M_UNRECOGNIZED", "GET", "/metrics")  # not where clients are
