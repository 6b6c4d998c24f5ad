"""Who may read a room without being in it: those who never joined, those who left, those who have forgotten it."""
from client import quote, timeline
from server_case import ServerCase

VISIBILITIES = ("world_readable", "shared", "invited", "joined")


def ids(events):
    return [event["event_id"] for event in events]


class PeekingTest(ServerCase):
    def setUp(self):
        self.alice, self.stranger = self.user(), self.user()

    def room(self, visibility, **options):
        return self.alice.create_room(preset="public_chat", initial_state=[
            {"type": "m.room.history_visibility", "state_key": "", "content": {"history_visibility": visibility}}], **options)

    def set_visibility(self, room, visibility):
        return self.alice.set_state(room, "m.room.history_visibility", {"history_visibility": visibility})

    def path(self, room, *parts):
        return f"v3/rooms/{quote(room, *parts)}"

    def refuse_all(self, user, room, event):
        """Nothing of the room is told."""
        for parts in (("state",), ("state", "m.room.create"), ("state", "m.room.member", self.alice.user_id), ("members",),
                      ("joined_members",), ("aliases",), ("context", event)):
            user.refused(403, "M_FORBIDDEN", "GET", self.path(room, *parts))
        for direction in "bf":
            user.refused(403, "M_FORBIDDEN", "GET", self.path(room, "messages"), query={"dir": direction})
        # Spec: GET /event, 404: "The event was not found or you do not have permission to read this event."
        user.refused(404, "M_NOT_FOUND", "GET", self.path(room, "event", event))

    def refuse_writing(self, user, room, event):
        for method, parts, body in (
                ("PUT", ("send", "m.room.message", user.transaction()), {"msgtype": "m.text", "body": "let me in"}),
                ("PUT", ("send", "m.reaction", user.transaction()),
                 {"m.relates_to": {"rel_type": "m.annotation", "event_id": event, "key": "x"}}),
                ("PUT", ("state", "m.room.topic", ""), {"topic": "mine"}),
                ("PUT", ("redact", event, user.transaction()), {}),
                ("PUT", ("typing", user.user_id), {"typing": True}),
                ("POST", ("receipt", "m.read", event), {}),
                ("POST", ("read_markers",), {"m.fully_read": event}),
                ("POST", ("invite",), {"user_id": user.user_id}),
                ("POST", ("kick",), {"user_id": self.alice.user_id}),
                ("POST", ("upgrade",), {"new_version": "11"})):
            user.refused(403, "M_FORBIDDEN", method, self.path(room, *parts), body)

    def test_anybody_reads_what_is_world_readable_and_does_nothing_else(self):
        room = self.room("world_readable", room_alias_name="open", name="Open")
        said = self.alice.send(room, "to the world")
        user = self.stranger
        self.assertIn(said, ids(user.messages(room, dir="b")["chunk"]))
        self.assertIn(said, ids(user.messages(room, dir="f", limit=50)["chunk"]))
        state = user.get(self.path(room, "state"))
        self.assertLessEqual({"m.room.create", "m.room.name", "m.room.member"}, {event["type"] for event in state})
        self.assertEqual("Open", user.state(room, "m.room.name")["name"])
        self.assertEqual("join", user.state(room, "m.room.member", self.alice.user_id)["membership"])
        user.refused(404, "M_NOT_FOUND", "GET", self.path(room, "state", "m.room.topic"))
        self.assertEqual([self.alice.user_id], [e["state_key"] for e in user.get(self.path(room, "members"))["chunk"]])
        self.assertEqual(said, user.get(self.path(room, "event", said))["event_id"])
        context = user.get(self.path(room, "context", said))
        self.assertEqual(said, context["event"]["event_id"])
        self.assertTrue(context["events_before"] and context["state"])
        # Spec: GET /aliases, "If the room's m.room.history_visibility maps to world_readable, any user can call this endpoint."
        self.assertEqual(["#open:test"], user.get(self.path(room, "aliases"))["aliases"])
        # Spec: GET /joined_members, "The current user must be in the room for it to work".
        user.refused(403, "M_FORBIDDEN", "GET", self.path(room, "joined_members"))

        self.refuse_writing(user, room, said)
        self.assertEqual([said], [e["event_id"] for e in user.messages(room, dir="b", limit=1)["chunk"]])
        for query in ({}, {"filter": {"room": {"include_leave": True}}}, {"full_state": "true"}):
            answer = user.sync(since=None, **query)
            self.assertNotIn(room, str(answer.get("rooms")))
        self.assertEqual([], user.get("v3/joined_rooms")["joined_rooms"])

    def test_nobody_else_reads_anything_else(self):
        for visibility in VISIBILITIES[1:]:
            with self.subTest(visibility):
                room = self.room(visibility)
                said = self.alice.send(room, "among us")
                self.refuse_all(self.stranger, room, said)
                self.refuse_writing(self.stranger, room, said)
                # An invite, a ban or a knock lets nobody look in either.
                invited = self.user()
                self.alice.invite(room, invited)
                self.refuse_all(invited, room, said)
                invited.leave(room)
                self.refuse_all(invited, room, said)
                self.alice.post(self.path(room, "ban"), {"user_id": invited.user_id})
                self.refuse_all(invited, room, said)

    def test_what_is_said_meanwhile_is_not_shown_later(self):
        room = self.room("shared")
        user = self.stranger
        before = self.alice.send(room, "before")
        self.refuse_all(user, room, before)
        opened = self.set_visibility(room, "world_readable")
        first = self.alice.send(room, "first")
        shown = [first, opened]
        self.assertEqual(shown, ids(user.messages(room, dir="b", limit=50)["chunk"]))
        between = {}
        for visibility in VISIBILITIES[1:]:
            closed = self.set_visibility(room, visibility)
            between[visibility] = self.alice.send(room, visibility)
            self.refuse_all(user, room, first)
            again = self.set_visibility(room, "world_readable")
            more = self.alice.send(room, f"after {visibility}")
            # Spec: Room History Visibility, a change "from world_readable to joined or from joined to world_readable" is seen.
            shown = [more, again, closed] + shown
            self.assertEqual(shown, ids(user.messages(room, dir="b", limit=50)["chunk"]))
            self.assertEqual(shown[::-1], ids(user.messages(room, dir="f", limit=50)["chunk"]))
        for hidden in (before, *between.values()):
            user.refused(404, "M_NOT_FOUND", "GET", self.path(room, "event", hidden))
            self.assertEqual(404, user.call("GET", self.path(room, "context", hidden))[0])
        context = user.get(self.path(room, "context", first), limit=50)
        around = [context["event"]["event_id"], *ids(context["events_before"]), *ids(context["events_after"])]
        self.assertEqual(set(shown), set(around))
        # Who joins sees what was shared meanwhile, and nothing that was not.
        user.join(room)
        seen = ids(user.messages(room, dir="b", limit=50)["chunk"])
        self.assertIn(between["shared"], seen)
        self.assertIn(before, seen)
        for visibility in ("invited", "joined"):
            self.assertNotIn(between[visibility], seen)

    def test_who_has_left_sees_what_was_theirs_to_see(self):
        for visibility in VISIBILITIES[1:]:
            with self.subTest(visibility):
                room, bob = self.room(visibility, room_alias_name=f"left-{visibility}"), self.user()
                early = self.alice.send(room, "before bob")
                bob.join(room)
                self.alice.set_state(room, "m.room.topic", {"topic": "of then"})
                with_bob = self.alice.send(room, "with bob")
                bob.leave(room)
                self.alice.set_state(room, "m.room.topic", {"topic": "of now"})
                carol = self.user()
                carol.join(room)
                late = self.alice.send(room, "after bob")

                seen = ids(bob.messages(room, dir="b", limit=50)["chunk"])
                self.assertIn(with_bob, seen)
                self.assertNotIn(late, seen)
                self.assertEqual(visibility == "shared", early in seen)
                # Spec: "If the user has left the room then the state is taken from the state of the room when they left."
                self.assertEqual("of then", bob.state(room, "m.room.topic")["topic"])
                topics = [e["content"] for e in bob.get(self.path(room, "state")) if e["type"] == "m.room.topic"]
                self.assertEqual([{"topic": "of then"}], topics)
                bob.refused(404, "M_NOT_FOUND", "GET", self.path(room, "state", "m.room.member", carol.user_id))
                members = {e["state_key"]: e["content"]["membership"] for e in bob.get(self.path(room, "members"))["chunk"]}
                self.assertEqual({self.alice.user_id: "join", bob.user_id: "leave"}, members)
                context = bob.get(self.path(room, "context", with_bob), limit=50)
                self.assertNotIn(late, ids(context["events_after"]))
                self.assertNotIn(carol.user_id, {e.get("state_key") for e in context["state"]})
                bob.refused(404, "M_NOT_FOUND", "GET", self.path(room, "event", late))
                for parts in (("joined_members",), ("aliases",)):
                    bob.refused(403, "M_FORBIDDEN", "GET", self.path(room, *parts))
                self.refuse_writing(bob, room, with_bob)
                # Nor does an invite, or a ban, show more, or less.
                self.alice.invite(room, bob)
                self.assertEqual(seen, ids(bob.messages(room, dir="b", limit=50)["chunk"])[-len(seen):])
                self.assertEqual("of then", bob.state(room, "m.room.topic")["topic"])
                self.alice.post(self.path(room, "ban"), {"user_id": bob.user_id})
                self.assertEqual("of then", bob.state(room, "m.room.topic")["topic"])
                bob.refused(404, "M_NOT_FOUND", "GET", self.path(room, "event", late))

    def test_who_has_left_a_world_readable_room_reads_on(self):
        room, bob = self.room("world_readable"), self.user()
        bob.join(room)
        bob.leave(room)
        late = self.alice.send(room, "to the world")
        self.assertIn(late, ids(bob.messages(room, dir="b")["chunk"]))
        self.assertEqual("leave", bob.state(room, "m.room.member", bob.user_id)["membership"])
        bob.post(self.path(room, "forget"))
        self.assertIn(late, ids(bob.messages(room, dir="b")["chunk"]))
        self.set_visibility(room, "shared")
        self.refuse_all(bob, room, late)

    def test_what_is_forgotten_is_not_read_until_they_join_again(self):
        room, bob = self.room("joined"), self.user()
        path = self.path(room, "forget")
        bob.refused(403, "M_FORBIDDEN", "POST", path, {})
        bob.join(room)
        # Spec: POST /forget, 400 M_UNKNOWN: "The user has not left the room".
        bob.refused(400, "M_UNKNOWN", "POST", path, {})
        with_bob = self.alice.send(room, "with bob")
        bob.sync_until_event(room, with_bob)
        bob.leave(room)
        self.assertIn(with_bob, ids(bob.messages(room, dir="b")["chunk"]))
        bob.post(path)
        bob.post(path)  # once more is no fault
        everything = {"room": {"include_leave": True}}
        for step in (lambda: None, lambda: self.alice.post(self.path(room, "ban"), {"user_id": bob.user_id}),
                     lambda: self.alice.post(self.path(room, "unban"), {"user_id": bob.user_id})):
            step()
            self.refuse_all(bob, room, with_bob)
            self.assertNotIn(room, str(bob.sync().get("rooms")))
            self.assertNotIn(room, str(bob.sync(since=None, filter=everything).get("rooms")))
        without_bob = self.alice.send(room, "without bob")
        bob.join(room)
        again = self.alice.send(room, "with bob again")
        answer = bob.sync(since=None)
        self.assertIn(again, ids(timeline(answer, room)))
        for seen in (ids(timeline(answer, room)), ids(bob.messages(room, dir="b", limit=50)["chunk"])):
            self.assertIn(again, seen)
            self.assertNotIn(without_bob, seen)
        bob.refused(404, "M_NOT_FOUND", "GET", self.path(room, "event", without_bob))
        self.assertEqual({self.alice.user_id, bob.user_id}, set(bob.get(self.path(room, "joined_members"))["joined"]))
