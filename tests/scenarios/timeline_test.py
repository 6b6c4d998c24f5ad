"""What was said: sending, reading back, context, redaction."""
import threading

from client import bodies, quote, timeline
from server_case import ServerCase


class TimelineTest(ServerCase):
    def setUp(self):
        self.alice, self.bob = self.user(), self.user()
        self.room = self.room_of(self.alice, self.bob)

    def path(self, *parts):
        return "v3/rooms/" + quote(self.room, *parts)

    def test_talk_both_ways(self):
        self.alice.sync()
        self.bob.sync()
        for n in range(5):
            for sender, other in ((self.alice, self.bob), (self.bob, self.alice)):
                event = sender.send(self.room, f"message {n}")
                seen = other.sync_until_event(self.room, event)
                self.assertEqual((sender.user_id, f"message {n}"), (seen["sender"], seen["content"]["body"]))
                self.assertNotIn("transaction_id", seen.get("unsigned", {}))

    def test_the_sender_sees_his_transaction(self):
        self.alice.sync()
        event = self.alice.send(self.room, "an echo", transaction="echo 1")
        self.assertEqual("echo 1", self.alice.sync_until_event(self.room, event)["unsigned"]["transaction_id"])
        other = self.alice.log_in(self.alice.user_id)
        seen = next(e for e in timeline(other.sync(), self.room) if e["event_id"] == event)
        self.assertNotIn("transaction_id", seen.get("unsigned", {}))

    def test_a_parked_sync_is_woken(self):
        self.bob.sync()
        answers = []
        waiting = threading.Thread(target=lambda: answers.append(self.bob.sync(timeout=30000)))
        waiting.start()
        event = self.alice.send(self.room, "wake up")
        waiting.join(20)
        self.assertEqual([event], [e["event_id"] for e in timeline(answers[0], self.room)])

    def test_page_back_and_forth(self):
        sent = [self.alice.send(self.room, f"{n}") for n in range(25)]
        back, token, pages = [], None, 0
        while True:
            query = {"dir": "b", "limit": 10, **({"from": token} if token else {})}
            page = self.bob.messages(self.room, **query)
            back += page["chunk"]
            pages += 1
            self.assertLessEqual(len(page["chunk"]), 10)
            if "end" not in page:
                break
            token = page["end"]
        self.assertGreaterEqual(pages, 3)
        self.assertEqual("m.room.create", back[-1]["type"])
        self.assertEqual(len(back), len({e["event_id"] for e in back}))
        self.assertEqual(sent[::-1], [e["event_id"] for e in back if e["type"] == "m.room.message"])

        forth, token = [], None
        while True:
            page = self.bob.messages(self.room, dir="f", limit=10, **({"from": token} if token else {}))
            forth += page["chunk"]
            token = page.get("end")
            if not page["chunk"] or not token:
                break
        self.assertEqual([e["event_id"] for e in back][::-1], [e["event_id"] for e in forth])

    def test_messages_go_on_from_a_sync(self):
        self.bob.sync()
        sent = [self.alice.send(self.room, f"{n}") for n in range(30)]
        answer = self.bob.sync(filter={"room": {"timeline": {"limit": 5}}})
        part = answer["rooms"]["join"][self.room]["timeline"]
        self.assertTrue(part["limited"])
        seen = [e["event_id"] for e in part["events"]]
        self.assertEqual(sent[-5:], seen)
        gap = self.bob.messages(self.room, dir="b", limit=25, **{"from": part["prev_batch"]})["chunk"]
        self.assertEqual(sent[:-5], [e["event_id"] for e in gap][::-1])

    def test_messages_with_a_filter(self):
        self.alice.send(self.room, "from alice")
        event = self.bob.send(self.room, "from bob")
        self.alice.send(self.room, "react", type="org.example.other")
        page = self.bob.expect("GET", self.path("messages"), query={
            "dir": "b", "filter": '{"types":["m.room.message"],"senders":["%s"]}' % self.bob.user_id})
        self.assertEqual([event], [e["event_id"] for e in page["chunk"]])
        self.bob.refused(400, "M_INVALID_PARAM", "GET", self.path("messages"), query={"dir": "b", "filter": "{}", "limit": "few"})
        self.bob.refused(400, "M_MISSING_PARAM", "GET", self.path("messages"))
        self.user().refused(403, "M_FORBIDDEN", "GET", self.path("messages"), query={"dir": "b"})

    def test_event_and_context(self):
        sent = [self.alice.send(self.room, f"{n}") for n in range(9)]
        event = self.bob.get(self.path("event", sent[4]))
        self.assertEqual((sent[4], self.room, "4"), (event["event_id"], event["room_id"], event["content"]["body"]))
        around = self.bob.get(self.path("context", sent[4]), limit=4)
        self.assertEqual(sent[4], around["event"]["event_id"])
        self.assertEqual([sent[3], sent[2]], [e["event_id"] for e in around["events_before"]])
        self.assertEqual([sent[5], sent[6]], [e["event_id"] for e in around["events_after"]])
        self.assertIn("m.room.create", {e["type"] for e in around["state"]})
        before = self.bob.messages(self.room, dir="b", limit=2, **{"from": around["start"]})["chunk"]
        after = self.bob.messages(self.room, dir="f", limit=2, **{"from": around["end"]})["chunk"]
        self.assertEqual([sent[1], sent[0]], [e["event_id"] for e in before])
        self.assertEqual([sent[7], sent[8]], [e["event_id"] for e in after])
        outsider = self.user()
        for what in ("event", "context"):
            self.bob.refused(404, "M_NOT_FOUND", "GET", self.path(what, "$none"))
            outsider.refused(404 if what == "event" else 403, "M_NOT_FOUND" if what == "event" else "M_FORBIDDEN",
                             "GET", self.path(what, sent[4]))

    def test_redaction(self):
        for version in ("10", "12"):
            with self.subTest(version=version):
                self._redact_in(self.room_of(self.alice, self.bob, room_version=version), version)

    def _redact_in(self, room, version):
        kept = self.alice.send(room, "kept")
        event = self.bob.send(room, "regretted")
        self.bob.sync()
        redaction = self.alice.redact(room, event, reason="bad words")
        seen = self.bob.sync_until_event(room, redaction)
        self.assertEqual(event, seen["redacts"] if version == "10" else seen["content"]["redacts"])
        self.assertEqual("bad words", seen["content"]["reason"])
        gone = self.bob.get(f"v3/rooms/{quote(room, 'event', event)}")
        self.assertEqual({}, gone["content"])
        self.assertEqual(redaction, gone["unsigned"]["redacted_because"]["event_id"])
        page = {e["event_id"]: e for e in self.bob.messages(room, dir="b")["chunk"]}
        self.assertEqual(({}, "kept"), (page[event]["content"], page[kept]["content"]["body"]))
        self.bob.since = None
        self.assertEqual(["kept", None], bodies(timeline(self.bob.sync(), room)))
        self.bob.refused(403, "M_FORBIDDEN", "PUT", f"v3/rooms/{quote(room, 'redact', kept, 'x')}", {})
        own = self.bob.send(room, "of my own")
        self.bob.redact(room, own)

    def test_redaction_of_what_is_not_there(self):
        status, answer = self.alice.call("PUT", self.path("redact", "$" + "x" * 43, "1"), {})
        self.assertEqual((404, "M_NOT_FOUND"), (status, answer["errcode"]))

    def test_history_visibility(self):
        carol = self.user()
        room = self.alice.create_room(preset="public_chat", initial_state=[
            {"type": "m.room.history_visibility", "state_key": "", "content": {"history_visibility": "joined"}}])
        hidden = self.alice.send(room, "before carol")
        carol.join(room)
        shown = self.alice.send(room, "with carol")
        seen = [e["event_id"] for e in carol.messages(room, dir="b", limit=50)["chunk"]]
        self.assertIn(shown, seen)
        self.assertNotIn(hidden, seen)
        self.assertNotIn(hidden, [e["event_id"] for e in timeline(carol.sync(), room)])
        carol.refused(404, "M_NOT_FOUND", "GET", f"v3/rooms/{quote(room, 'event', hidden)}")

    def test_anyone_reads_a_world_readable_room(self):
        room = self.alice.create_room(preset="public_chat", initial_state=[
            {"type": "m.room.history_visibility", "state_key": "", "content": {"history_visibility": "world_readable"}}])
        event = self.alice.send(room, "to the world")
        outsider = self.user()
        self.assertIn(event, [e["event_id"] for e in outsider.messages(room, dir="b")["chunk"]])
        self.assertEqual("world_readable", outsider.state(room, "m.room.history_visibility")["history_visibility"])
