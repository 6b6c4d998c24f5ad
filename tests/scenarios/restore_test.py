"""Databases that were put back from a backup, all or some of them, and `backplane restore`: no client hangs, each gets what
there is, and nothing newer is taken for what was written after the backup."""
import time
import unittest

import shapes
from client import bodies, joined, quote, register, timeline
from program import wait_for
from server import Server


class RestoreTest(unittest.TestCase):
    def setUp(self):
        self.server = Server()
        self.addCleanup(self.server.close)
        self.server.start()
        self.alice, self.bob = register(self.server), register(self.server)
        self.room = self.alice.create_room(preset="public_chat", name="the room")
        self.bob.join(self.room)

    def keep(self):
        """Stops, copies the databases, starts."""
        self.server.stop()
        self.server.stores.keep()
        self.server.start()

    def put_back(self, *names):
        """Stops, and starts with the copy; of all databases, or of these. Answers what the command said."""
        self.server.stop()
        self.server.stores.put_back(*names)
        code, out, errors = self.server.run("restore")
        self.assertEqual(0, code, errors)
        self.server.start()
        return out

    def quick_sync(self, client, **query):
        """A sync that could wait for long, and must not."""
        began = time.monotonic()
        answer = client.sync(timeout=60000, **query)
        self.assertLess(time.monotonic() - began, 20)
        return answer

    def talk(self, *texts):
        return [self.alice.send(self.room, text) for text in texts]

    def test_a_whole_backup(self):
        self.talk("before 1", "before 2")
        self.bob.sync()
        self.alice.put("v3/sendToDevice/org.example/before", {"messages": {self.bob.user_id: {"*": {"n": 0}}}})
        self.keep()
        lost = self.talk("lost 1", "lost 2", "lost 3")
        self.alice.put("v3/sendToDevice/org.example/1", {"messages": {self.bob.user_id: {"*": {"n": 1}}}})
        self.alice.put(f"v3/user/{quote(self.alice.user_id)}/account_data/org.example", {"lost": True})
        self.bob.sync_until_event(self.room, lost[-1])
        self.alice.sync()
        said = self.put_back()
        self.assertIn("room_server: room_events: another history\n", said)
        self.assertIn("sync_api: room_events: goes on where it was\n", said)
        self.assertNotIn("anew", said)
        answer = self.quick_sync(self.bob)
        numbers = lambda answer: [event["content"]["n"] for event in answer.get("to_device", {}).get("events", [])]
        # A host that has just started may not know yet how far another's log has come: then it is in the next answer.
        late = shapes.is_chosen("split") and not numbers(answer)
        self.assertEqual([0], self.bob.sync_until("the message to the device", numbers) if late else numbers(answer))
        self.assertEqual(["before 1", "before 2"], bodies(timeline(answer, self.room)))
        self.assertTrue({"m.room.create", "m.room.name"} <= {
            event["type"] for event in joined(answer, self.room)["state"]["events"] + timeline(answer, self.room)})
        self.quick_sync(self.alice)
        for n in range(3):  # and life goes on
            event, = self.talk(f"after {n}")
            self.bob.sync_until_event(self.room, event)
        self.assertEqual(["after 2", "after 1", "after 0", "before 2", "before 1"],
                         bodies(self.bob.messages(self.room, dir="b", limit=50)["chunk"]))

    def test_a_poll_that_waits_with_a_token_ahead(self):
        """The client has seen positions that come again for other events: it misses none of those."""
        self.bob.sync()
        self.keep()
        lost = self.talk(*(f"lost {n}" for n in range(5)))
        self.bob.sync_until_event(self.room, lost[-1])
        self.put_back()
        self.quick_sync(self.bob)
        events = self.talk(*(f"again {n}" for n in range(10)))
        seen = []

        def all_seen(answer):
            seen.extend(event["event_id"] for event in timeline(answer, self.room))
            return events[-1] in seen

        self.bob.sync_until("the events", all_seen)
        self.assertEqual(events, [event for event in seen if event in events])

    def test_only_the_rooms(self):
        """room_server is older than its consumers: their positions were never reached by this log."""
        self.talk("before")
        self.bob.sync()
        self.keep()
        lost = self.talk("lost 1", "lost 2")
        late_room = self.alice.create_room(preset="public_chat", name="lost room", invite=[self.bob.user_id])
        self.bob.sync_until_event(self.room, lost[-1])
        wait_for("the index to have it", lambda: late_room in self.bob.sync(since=None)["rooms"].get("invite", {}))
        said = self.put_back("room_server")
        self.assertIn("sync_api: room_events: begins anew", said)
        self.assertIn("client_api: room_events: begins anew", said)
        self.assertIn("sync_api: receipts: goes on where it was\n", said)
        answer = self.quick_sync(self.bob)
        wait_for("what there is", lambda: bodies(timeline(self.quick_sync(self.bob, since=None), self.room)) == ["before"])
        self.assertNotIn(late_room, answer["rooms"].get("invite", {}))
        event, = self.talk("after")
        self.bob.sync_until_event(self.room, event)
        self.assertEqual(["after", "before"], bodies(self.bob.messages(self.room, dir="b", limit=50)["chunk"]))
        # A profile still reaches the room: client_api's group began again, too.
        self.alice.put(f"v3/profile/{quote(self.alice.user_id)}/displayname", {"displayname": "Restored"})
        wait_for("the profile in the room",
                 lambda: self.bob.state(self.room, "m.room.member", self.alice.user_id).get("displayname") == "Restored")

    def test_again_and_again(self):
        """The same backup twice: what was written after the first time is gone, too, and known to be."""
        self.talk("before")
        self.keep()
        for n in range(2):
            self.put_back()
            self.quick_sync(self.bob)
            event, = self.talk(f"time {n}")
            self.bob.sync_until_event(self.room, event)
            said = bodies(self.bob.messages(self.room, dir="b", limit=50)["chunk"])
            self.assertEqual([f"time {n}", "before"], said)

    def test_not_while_it_runs(self):
        code, _, errors = self.server.run("restore")
        self.assertEqual(1, code)
        self.assertIn("error: the data folder cannot be used", errors)
        event, = self.talk("still here")
        self.bob.sync_until_event(self.room, event)

    def test_without_the_command(self):
        """A server of one process does what it can. Of several hosts, none may take old records for new ones."""
        self.bob.sync()
        self.keep()
        self.bob.sync_until_event(self.room, self.talk(*(f"lost {n}" for n in range(5)))[-1])
        self.server.stop()
        self.server.stores.put_back()
        if len(self.server.processes) > 1:
            rooms = self.server.host("room_server")
            code, _, errors = rooms.run("run")
            self.assertEqual(3, code, errors)
            self.assertIn("its producer's database has come to", errors)
            self.assertIn("`backplane restore`", errors)
            return
        self.server.start()
        self.quick_sync(self.bob)
        events = self.talk("after 1", "after 2")
        self.bob.sync_until_event(self.room, events[-1])

    def test_only_the_index(self):
        """sync_api is older than the rooms: it catches up."""
        self.talk("before")
        self.bob.sync()
        self.keep()
        texts = [f"kept {n}" for n in range(30)]
        events = self.talk(*texts)
        self.bob.sync_until_event(self.room, events[-1])
        self.put_back("sync_api")
        self.quick_sync(self.bob, since=None, filter={"room": {"timeline": {"limit": 100}}})
        wait_for("the index to catch up", lambda: bodies(timeline(
            self.bob.sync(since=None, filter={"room": {"timeline": {"limit": 100}}}), self.room)) == ["before", *texts])

    def test_only_the_accounts(self):
        """user_api is older: a device that it does not know is logged out, nothing else happens."""
        self.keep()
        phone = self.bob.log_in(self.bob.user_id)
        carol = register(self.server)
        self.put_back("user_api")
        for gone in (phone, carol):
            gone.refused(401, "M_UNKNOWN_TOKEN", "GET", "v3/sync")
        self.quick_sync(self.bob)
        event, = self.talk("still here")
        self.bob.sync_until_event(self.room, event)
