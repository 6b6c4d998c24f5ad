"""A component that was away misses nothing: sync_api is disabled, or loses its database, while clients go on."""
import unittest

from client import joined, quote, register, timeline
from program import wait_for
from server import Server

WIDE = {"room": {"timeline": {"limit": 100}}}


class DisableTest(unittest.TestCase):
    def setUp(self):
        self.server = Server()
        self.addCleanup(self.server.close)
        self.server.start()
        self.alice, self.bob = register(self.server), register(self.server)
        self.room = self.alice.create_room(preset="public_chat", name="before")
        self.bob.join(self.room)
        self.alice.send(self.room, "before")
        self.bob.sync()

    def enable(self, enabled):
        self.server.stop()
        verb = "enable" if enabled else "disable"
        code, _, errors = self.server.run("plugins", verb, "sync_api")
        self.assertEqual(0, code, errors)
        self.server.start()

    def do_everything(self):
        """What clients do while sync_api is away. Answers what has to be seen."""
        events = [self.alice.send(self.room, f"away {n}") for n in range(20)]
        events.append(self.alice.set_state(self.room, "m.room.name", {"name": "while away"}))
        events.append(self.alice.redact(self.room, events[3]))
        self.late = self.alice.create_room(preset="private_chat", name="late", invite=[self.bob.user_id])
        self.alice.send(self.late, "in a late room")
        self.bob.post(f"v3/rooms/{quote(self.room)}/receipt/m.read/{quote(events[5])}")
        self.bob.put(f"v3/user/{quote(self.bob.user_id)}/account_data/org.example", {"while": "away"})
        return events

    def to_device(self, n):
        self.alice.put(f"v3/sendToDevice/org.example/away{n}", {"messages": {self.bob.user_id: {"*": {"n": n}}}})

    def check_everything(self, answer, events):
        self.assertEqual(events, [event["event_id"] for event in timeline(answer, self.room)][-len(events):])
        self.assertEqual({}, next(e for e in timeline(answer, self.room) if e["event_id"] == events[3])["content"])
        self.assertIn(self.late, answer["rooms"]["invite"])
        receipts = [event for event in joined(answer, self.room)["ephemeral"]["events"] if event["type"] == "m.receipt"]
        self.assertIn(self.bob.user_id, receipts[0]["content"][events[5]]["m.read"])
        self.assertIn({"while": "away"}, [event["content"] for event in answer["account_data"]["events"]])

    def check_goes_on(self):
        event = self.alice.send(self.room, "after")
        self.bob.sync_until_event(self.room, event)
        self.bob.join(self.late)
        self.bob.sync_until("the late room", lambda answer: joined(answer, self.late))

    def test_disabled_for_a_while(self):
        self.enable(False)
        self.bob.refused(404, "M_UNRECOGNIZED", "GET", "v3/sync")
        events = self.do_everything()
        for n in range(3):
            self.to_device(n)
        self.enable(True)
        # It catches up before it answers an immediate sync, so that one is enough.
        answer = self.bob.sync(filter=WIDE)
        self.assertFalse(timeline(answer, self.room) and joined(answer, self.room)["timeline"].get("limited"))
        self.assertEqual(events, [event["event_id"] for event in timeline(answer, self.room)])
        self.check_everything(answer, events)
        self.assertEqual([0, 1, 2], [event["content"]["n"] for event in answer["to_device"]["events"]])
        self.check_goes_on()

    def test_its_database_is_gone(self):
        self.enable(False)
        events = self.do_everything()
        self.server.stop()
        self.server.stores.remove("sync_api")
        self.server.run("plugins", "enable", "sync_api")
        self.server.start()
        answer = wait_for("the snapshot", lambda: (lambda found: joined(found, self.room) and self.late in found["rooms"]["invite"] and found)(
            self.bob.sync(since=None, filter=WIDE)))
        self.check_everything(answer, events)
        self.check_goes_on()
        self.assertGreater(self.server.metrics().sum("backplane_sync_api_log_snapshots_total", topic="room_events"), 0)

    def test_its_database_is_gone_and_a_client_has_a_token(self):
        """Its token is of a history that the new index never had; a poll with it neither hangs nor misses anything."""
        self.server.stop()
        self.server.stores.remove("sync_api")
        self.server.start()
        events = [self.alice.send(self.room, f"{n}") for n in range(5)]
        seen = []

        def all_seen(answer):
            seen.extend(event["event_id"] for event in timeline(answer, self.room) if event["event_id"] in events)
            return len(seen) >= len(events)

        self.bob.sync_until("the events", all_seen, filter=WIDE)
        self.assertEqual(events, seen)
