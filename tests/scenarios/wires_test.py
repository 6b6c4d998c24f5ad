"""That the wiring of the manifests is what carries a chat: calls by wire, records by topic."""
import unittest

from client import quote, register
from server import Server

TOPICS_OF_LOG = {"1": ["client_data"], "2": ["room_events"], "3": ["typing", "receipts", "send_to_device"], "4": ["room_events"]}


class WiresTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server()
        cls.addClassCleanup(cls.server.close)
        cls.server.start()
        cls.chat(cls.server)

    @staticmethod
    def chat(server):
        alice, bob = register(server), register(server)
        room = alice.create_room(preset="public_chat")
        bob.join(room)
        bob.sync()
        event = alice.send(room, "hello")
        bob.sync_until_event(room, event)
        bob.get(f"v3/rooms/{quote(room)}/event/{quote(event)}")
        alice.put(f"v3/rooms/{quote(room)}/typing/{quote(alice.user_id)}", {"typing": True})
        bob.post(f"v3/rooms/{quote(room)}/receipt/m.read/{quote(event)}")
        alice.put("v3/sendToDevice/org.example/1", {"messages": {bob.user_id: {"*": {}}}})
        bob.put(f"v3/user/{quote(bob.user_id)}/account_data/org.example", {"n": 1})
        alice.put(f"v3/profile/{quote(alice.user_id)}/displayname", {"displayname": "Alice"})
        wanted = {"typing", "receipt", "to_device", "account_data"}

        def seen(answer):
            part = answer.get("rooms", {}).get("join", {}).get(room, {})
            types = {event["type"] for event in part.get("ephemeral", {}).get("events", [])}
            if "m.typing" in types:
                wanted.discard("typing")
            if "m.receipt" in types:
                wanted.discard("receipt")
            if answer.get("to_device", {}).get("events"):
                wanted.discard("to_device")
            if answer.get("account_data", {}).get("events"):
                wanted.discard("account_data")
            return not wanted

        bob.sync_until("everything", seen)

    def test_wires(self):
        metrics = self.server.metrics()
        for wire, ends in (("4", {("client_api", "room_server")}), ("6", {("client_api", "edu_server")}),
                           ("user", {("client_api", "user_api"), ("sync_api", "user_api")}), ("2", {("sync_api", "room_server")}),
                           ("more", {("edu_server", "room_server"), ("edu_server", "user_api")})):
            for caller, provider in ends:
                with self.subTest(wire=wire, caller=caller, provider=provider):
                    calls = metrics.sum("backplane_calls_total", wire=wire, **{"from": caller, "to": provider})
                    self.assertGreater(calls, 0)
                    self.assertEqual(0, metrics.sum("backplane_calls_errors_total", wire=wire, method="submit_draft"))

    def test_logs(self):
        metrics = self.server.metrics()
        for log, topics in TOPICS_OF_LOG.items():
            consumer = "client_api" if log == "4" else "sync_api"
            for topic in topics:
                with self.subTest(log=log, topic=topic):
                    self.assertGreater(metrics.sum("backplane_" + self.producer(topic) + "_log_published_total", topic=topic), 0)
                    got = sum(metrics.sum(f"backplane_{consumer}_log_{how}_total", topic=topic) for how in ("consumed", "tailed"))
                    self.assertGreater(got, 0)

    def producer(self, topic):
        return {"client_data": "user_api", "room_events": "room_server"}.get(topic, "edu_server")

    def test_names(self):
        """Every metric is Backplane's, and none names a user or a room."""
        for name, labels, _ in self.server.metrics().samples:
            self.assertRegex(name, "^(backplane|process)_")
            for value in labels.values():
                self.assertNotRegex(value, "^[@!#$].*:|user[0-9]")

    def test_wiring_is_the_documented_one(self):
        code, out, err = self.server.run("wiring")
        self.assertEqual((0, ""), (code, err))
        for word in ("client_api", "sync_api", "room_server", "edu_server", "user_api", "room_events", "client_data"):
            self.assertIn(word, out)
