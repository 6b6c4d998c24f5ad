"""Typing, receipts, and messages from device to device."""
from client import ephemeral, quote
from server_case import ServerCase


def to_device(answer):
    return answer.get("to_device", {}).get("events", [])


class EphemeralTest(ServerCase):
    def typing(self, user, room, typing, **more):
        user.put(f"v3/rooms/{quote(room)}/typing/{quote(user.user_id)}", {"typing": typing, **more})

    def sync_until_typing(self, user, room, wanted):
        return user.sync_until(f"{wanted} to type", lambda answer: any(
            set(event["content"]["user_ids"]) == wanted for event in ephemeral(answer, room, "m.typing")))

    def test_typing(self):
        alice, bob = self.user(), self.user()
        room = self.room_of(alice, bob)
        bob.sync()
        self.typing(alice, room, True, timeout=30000)
        self.sync_until_typing(bob, room, {alice.user_id})
        self.typing(bob, room, True, timeout=30000)
        self.sync_until_typing(bob, room, {alice.user_id, bob.user_id})
        self.typing(bob, room, False)
        self.sync_until_typing(bob, room, {alice.user_id})
        self.typing(alice, room, True, timeout=100)  # and time ends it
        self.sync_until_typing(bob, room, set())

    def test_who_may_type(self):
        alice, bob = self.user(), self.user()
        room = self.room_of(alice)
        path = f"v3/rooms/{quote(room)}/typing/"
        bob.refused(403, "M_FORBIDDEN", "PUT", path + quote(bob.user_id), {"typing": True})
        bob.refused(403, "M_FORBIDDEN", "PUT", path + quote(alice.user_id), {"typing": True})
        alice.refused(400, "M_BAD_JSON", "PUT", path + quote(alice.user_id), {"typing": "yes"})

    def receipts(self, answer, room):
        """{(event, type): {user: content}}"""
        return {(event_id, type): users for event in ephemeral(answer, room, "m.receipt")
                for event_id, types in event["content"].items() for type, users in types.items()}

    def receipt(self, user, room, type, event, body=None):
        user.post(f"v3/rooms/{quote(room)}/receipt/{type}/{quote(event)}", body)

    def test_receipts(self):
        alice, bob, carol = self.user(), self.user(), self.user()
        room = self.room_of(alice, bob, carol)
        first, second = alice.send(room, "first"), alice.send(room, "second")
        alice.sync()
        self.receipt(bob, room, "m.read", first)
        found = alice.sync_until("bob's receipt", lambda answer: self.receipts(answer, room).get((first, "m.read")))
        self.assertGreater(found[bob.user_id]["ts"], 1_600_000_000_000)
        self.receipt(bob, room, "m.read", second, {"thread_id": "main"})
        found = alice.sync_until("the next", lambda answer: self.receipts(answer, room).get((second, "m.read")))
        self.assertEqual("main", found[bob.user_id]["thread_id"])
        carol.since = None
        self.assertIn((second, "m.read"), self.receipts(carol.sync(), room))

    def test_private_receipts_are_private(self):
        alice, bob = self.user(), self.user()
        room = self.room_of(alice, bob)
        event = alice.send(room, "for your eyes")
        alice.sync()
        bob.sync()
        self.receipt(bob, room, "m.read.private", event)
        bob.sync_until("his own", lambda answer: self.receipts(answer, room).get((event, "m.read.private")))
        self.receipt(bob, room, "m.read", event)
        seen = {}

        def public(answer):
            seen.update(self.receipts(answer, room))
            return (event, "m.read") in seen

        alice.sync_until("the public one", public)
        self.assertNotIn((event, "m.read.private"), seen)

    def test_wrong_receipts(self):
        alice, bob = self.user(), self.user()
        room = self.room_of(alice)
        event = alice.send(room, "a message")
        path = f"v3/rooms/{quote(room)}/receipt/"
        alice.refused(400, "M_INVALID_PARAM", "POST", path + f"m.unknown/{quote(event)}", {})
        bob.refused(403, "M_FORBIDDEN", "POST", path + f"m.read/{quote(event)}", {})

    def test_read_markers(self):
        alice, bob = self.user(), self.user()
        room = self.room_of(alice, bob)
        first, second = alice.send(room, "first"), alice.send(room, "second")
        alice.sync()
        bob.sync()
        bob.post(f"v3/rooms/{quote(room)}/read_markers", {"m.fully_read": first, "m.read": second})
        marker = bob.sync_until("the marker", lambda answer: [
            event for event in answer.get("rooms", {}).get("join", {}).get(room, {}).get("account_data", {}).get("events", [])
            if event["type"] == "m.fully_read"])
        self.assertEqual({"event_id": first}, marker[0]["content"])
        alice.sync_until("the receipt", lambda answer: self.receipts(answer, room).get((second, "m.read")))

    def send(self, sender, messages, transaction=None):
        sender.put(f"v3/sendToDevice/org.example.note/{transaction or sender.transaction()}", {"messages": messages})

    def test_to_device(self):
        alice, bob = self.user(), self.user()
        tablet = bob.log_in(bob.user_id)
        for device in (bob, tablet):
            device.sync()
        self.send(alice, {bob.user_id: {bob.device_id: {"n": 1}}})
        events = bob.sync_until("the message", to_device)
        self.assertEqual([{"type": "org.example.note", "sender": alice.user_id, "content": {"n": 1}}], events)
        self.assertEqual([], to_device(bob.sync()))  # its token acknowledged it
        self.send(alice, {bob.user_id: {"*": {"n": 2}}})
        for device in (bob, tablet):
            self.assertEqual([{"n": 2}], [e["content"] for e in device.sync_until("the second", to_device)])

    def test_to_device_is_kept_until_it_is_acknowledged(self):
        alice, bob = self.user(), self.user()
        since = bob.sync()["next_batch"]
        for n in range(130):
            self.send(alice, {bob.user_id: {bob.device_id: {"n": n}}})
        first = bob.sync_until("the first part", to_device)
        self.assertLessEqual(len(first), 100)
        self.assertEqual(first, to_device(bob.sync(since=since)))  # the same token, the same messages
        seen = list(first)
        while len(seen) < 130:
            seen += bob.sync_until("the rest", to_device)
        self.assertEqual(list(range(130)), [event["content"]["n"] for event in seen])
        self.assertEqual([], to_device(bob.sync()))

    def test_to_device_once_for_a_transaction(self):
        alice, bob = self.user(), self.user()
        bob.sync()
        for _ in range(3):
            self.send(alice, {bob.user_id: {bob.device_id: {"n": 1}}}, transaction="same")
        self.send(alice, {bob.user_id: {bob.device_id: {"n": 2}}})
        seen = []
        bob.sync_until("both", lambda answer: seen.extend(to_device(answer)) or len(seen) >= 2)
        self.assertEqual([1, 2], [event["content"]["n"] for event in seen])

    def test_to_device_outlives_a_restart(self):
        alice, bob = self.user(), self.user()
        bob.sync()
        self.send(alice, {bob.user_id: {bob.device_id: {"n": 1}}})
        self.server.restart()
        self.assertEqual([{"n": 1}], [event["content"] for event in bob.sync_until("the message", to_device)])
