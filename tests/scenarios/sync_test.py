"""What /sync tells: initial, incremental, full state, filters, lazy members, gaps, sections."""
import json
import threading
import time

from client import bodies, joined, quote, timeline
from server_case import ServerCase


def members(answer, room):
    """Whose member events are in the room's state or timeline."""
    part = joined(answer, room)
    events = part.get("state", {}).get("events", []) + part.get("timeline", {}).get("events", [])
    return {event["state_key"] for event in events if event["type"] == "m.room.member"}


class SyncTest(ServerCase):
    def test_initial(self):
        alice, bob = self.user(), self.user()
        room = self.room_of(alice, bob, name="A room", invite=[])
        for n in range(12):
            alice.send(room, f"{n}")
        answer = bob.sync()
        part = joined(answer, room)
        self.assertTrue(part["timeline"]["limited"])
        self.assertEqual([f"{n}" for n in range(2, 12)], bodies(part["timeline"]["events"]))
        state = {(event["type"], event["state_key"]): event["content"] for event in part["state"]["events"]}
        self.assertEqual({"name": "A room"}, state["m.room.name", ""])
        self.assertLessEqual({("m.room.member", alice.user_id), ("m.room.member", bob.user_id), ("m.room.create", "")}, set(state))
        self.assertEqual(2, part.get("summary", {}).get("m.joined_member_count", 2))
        for event in part["timeline"]["events"] + part["state"]["events"]:
            self.assertLessEqual({"event_id", "type", "sender", "origin_server_ts", "content"}, set(event))
            self.assertFalse({"auth_events", "prev_events", "hashes", "signatures", "depth"} & set(event))
            self.assertNotIn("room_id", event)
        self.assertEqual({}, {name: part for name, part in bob.sync().get("rooms", {}).items() if part})

    def test_incremental_has_what_is_new_only(self):
        alice, bob = self.user(), self.user()
        quiet, room = self.room_of(alice, bob), self.room_of(alice, bob)
        bob.sync()
        alice.set_state(room, "m.room.topic", {"topic": "one"})
        event = alice.send(room, "new")
        answer = bob.sync()  # at once, so with all that is committed
        self.assertNotIn(quiet, answer["rooms"]["join"])
        part = joined(answer, room)
        self.assertFalse(part["timeline"].get("limited", False))
        self.assertEqual(["m.room.topic", "m.room.message"], [e["type"] for e in part["timeline"]["events"]])
        self.assertEqual(event, part["timeline"]["events"][-1]["event_id"])
        self.assertEqual([], part.get("state", {}).get("events", []))

    def test_the_same_token_twice(self):
        alice, bob = self.user(), self.user()
        room = self.room_of(alice, bob)
        since = bob.sync()["next_batch"]
        event = alice.send(room, "again")
        for _ in range(2):
            self.assertEqual([event], [e["event_id"] for e in timeline(bob.sync(since=since), room)])

    def test_state_in_a_gap(self):
        alice, bob = self.user(), self.user()
        room = self.room_of(alice, bob)
        bob.sync()
        alice.set_state(room, "m.room.topic", {"topic": "in the gap"})
        for n in range(20):
            alice.send(room, f"{n}")
        part = joined(bob.sync(filter={"room": {"timeline": {"limit": 3}}}), room)
        self.assertTrue(part["timeline"]["limited"])
        self.assertEqual({"m.room.topic": {"topic": "in the gap"}}, {e["type"]: e["content"] for e in part["state"]["events"]})

    def test_full_state(self):
        alice, bob = self.user(), self.user()
        room = self.room_of(alice, bob, name="known")
        bob.sync()
        answer = bob.sync(full_state="true")
        self.assertIn("m.room.name", {e["type"] for e in joined(answer, room)["state"]["events"]})

    def test_filters(self):
        alice, bob = self.user(), self.user()
        room, other = self.room_of(alice, bob, name="one"), self.room_of(alice, bob)
        alice.send(room, "from alice")
        bob.send(room, "from bob")
        only = {"room": {"rooms": [room], "timeline": {"types": ["m.room.message"], "not_senders": [alice.user_id]},
                         "state": {"types": ["m.room.na*"]}}}
        number = bob.post(f"v3/user/{quote(bob.user_id)}/filter", only)["filter_id"]
        self.assertEqual(only, bob.get(f"v3/user/{quote(bob.user_id)}/filter/{number}"))
        for given in (number, json.dumps(only)):
            with self.subTest(filter=given):
                answer = bob.sync(since=None, filter=given)
                self.assertEqual([room], list(answer["rooms"]["join"]))
                self.assertEqual(["from bob"], bodies(timeline(answer, room)))
                self.assertEqual(["m.room.name"], [e["type"] for e in joined(answer, room)["state"]["events"]])
        bob.refused(404, "M_NOT_FOUND", "GET", f"v3/user/{quote(bob.user_id)}/filter/999")
        bob.refused(403, "M_FORBIDDEN", "GET", f"v3/user/{quote(alice.user_id)}/filter/{number}")
        status, answer = bob.call("GET", "v3/sync", query={"filter": "{not json"})
        self.assertEqual((400, "M_NOT_JSON"), (status, answer["errcode"]))
        # A poll stays parked while only what is filtered out happens.
        bob.sync(filter=only)
        alice.send(other, "not for this filter")
        answer = bob.sync(timeout=200, filter=only)
        self.assertEqual({}, answer.get("rooms", {}).get("join", {}))

    def test_lazy_members(self):
        users = [self.user() for _ in range(9)]
        room = self.room_of(*users)
        for n in range(12):
            users[8].send(room, f"{n}")
        reader = users[0]
        lazy = {"room": {"state": {"lazy_load_members": True}, "timeline": {"limit": 5}}}
        answer = reader.sync(filter=lazy)
        summary = joined(answer, room)["summary"]
        self.assertEqual((9, 5), (summary["m.joined_member_count"], len(summary["m.heroes"])))
        # Whoever speaks in the timeline, those that the room is named after, and perhaps oneself.
        self.assertEqual({users[8].user_id, *summary["m.heroes"], reader.user_id}, members(answer, room) | {reader.user_id})
        next_part = lambda: reader.sync_until("more", lambda found: joined(found, room) and found, filter=lazy)
        users[8].send(room, "again")
        self.assertEqual(set(), members(next_part(), room))
        users[7].send(room, "me too")
        self.assertEqual({users[7].user_id}, members(next_part(), room))

    def test_nothing_new_waits_and_answers_empty(self):
        alice = self.user()
        alice.sync()
        began = time.monotonic()
        answer = alice.sync(timeout=300)
        self.assertGreaterEqual(time.monotonic() - began, 0.25)
        self.assertEqual({}, {name: part for name, part in answer.get("rooms", {}).items() if part})

    def test_a_joined_room_arrives_whole(self):
        alice, bob = self.user(), self.user()
        room = self.room_of(alice, name="whole")
        bob.sync()
        bob.join(room)
        part = joined(bob.sync_until("the room", lambda answer: joined(answer, room) and answer), room)
        types = {e["type"] for e in part.get("state", {}).get("events", []) + part["timeline"]["events"]}
        self.assertLessEqual({"m.room.create", "m.room.name", "m.room.power_levels", "m.room.join_rules", "m.room.member"}, types)

    def test_own_writes_are_seen_at_once(self):
        alice = self.user()
        room = self.room_of(alice)
        alice.sync()
        for n in range(10):
            event = alice.send(room, f"{n}")
            self.assertEqual([event], [e["event_id"] for e in timeline(alice.sync(), room)])
            newest = alice.messages(room, dir="b", limit=1)["chunk"]
            self.assertEqual([event], [e["event_id"] for e in newest])

    def test_two_pollers_see_one_order(self):
        """Several senders at once: every receiver gets every event once, all in the same order."""
        senders = [self.user() for _ in range(4)]
        receivers = [self.user() for _ in range(3)]
        room = self.room_of(*senders, *receivers)
        for receiver in receivers:
            receiver.sync()
        sent = {sender.user_id: [] for sender in senders}

        def talk(sender):
            for n in range(25):
                sent[sender.user_id].append(sender.send(room, f"{n}"))

        seen = {receiver.user_id: [] for receiver in receivers}

        def listen(receiver):
            until = time.monotonic() + 60
            while len(seen[receiver.user_id]) < 100 and time.monotonic() < until:
                seen[receiver.user_id] += timeline(receiver.sync(timeout=2000, filter={"room": {"timeline": {"limit": 100}}}), room)

        threads = [threading.Thread(target=talk, args=[s]) for s in senders]
        threads += [threading.Thread(target=listen, args=[r]) for r in receivers]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        orders = {tuple(event["event_id"] for event in events) for events in seen.values()}
        self.assertEqual(1, len(orders))
        order = orders.pop()
        self.assertEqual(sorted(sum(sent.values(), [])), sorted(order))
        for sender, events in sent.items():
            self.assertEqual(events, [e["event_id"] for e in seen[receivers[0].user_id] if e["sender"] == sender])
