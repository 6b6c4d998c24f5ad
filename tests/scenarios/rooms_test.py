"""Making rooms, what they are called, and who may change what in them."""
from client import Refused, quote, timeline
from server_case import ServerCase

# What each preset sets, by the specification of createRoom: join rule, history visibility, guest access.
PRESETS = {
    "private_chat": ("invite", "shared", "can_join"),
    "trusted_private_chat": ("invite", "shared", "can_join"),
    "public_chat": ("public", "shared", "forbidden"),
}


class RoomsTest(ServerCase):
    def test_presets(self):
        alice, bob = self.user(), self.user()
        for version in ("1", "3", "6", "10", "11", "12"):
            for preset, expected in PRESETS.items():
                room = alice.create_room(preset=preset, room_version=version, invite=[bob.user_id])
                state = {event["type"]: event for event in alice.get(f"v3/rooms/{quote(room)}/state") if event["state_key"] == ""}
                content = {type: event["content"] for type, event in state.items()}
                found = (content["m.room.join_rules"]["join_rule"],
                         content["m.room.history_visibility"]["history_visibility"],
                         content.get("m.room.guest_access", {}).get("guest_access", "forbidden"))
                with self.subTest(preset=preset, version=version):
                    self.assertEqual(expected, found)
                    self.assertEqual(version, content["m.room.create"]["room_version"])
                    self.assertEqual(alice.user_id, state["m.room.create"]["sender"])
                    self._check_power(preset, version, content, alice, bob)

    def _check_power(self, preset, version, content, alice, bob):
        users = content["m.room.power_levels"].get("users", {})
        trusted = preset == "trusted_private_chat"
        if version == "12":  # creators have more power than any number, and are not in the list
            self.assertNotIn(alice.user_id, users)
            self.assertEqual([bob.user_id] if trusted else [], content["m.room.create"].get("additional_creators", []))
        else:
            self.assertEqual(100, users[alice.user_id])
            self.assertEqual(100 if trusted else None, users.get(bob.user_id))

    def test_default_version_and_id(self):
        alice = self.user()
        room = alice.create_room()
        self.assertEqual("12", alice.state(room, "m.room.create")["room_version"])
        self.assertNotIn(":", room)  # the hash of its create event
        self.assertTrue(alice.create_room(room_version="11").endswith(":test"))
        alice.refused(400, "M_UNSUPPORTED_ROOM_VERSION", "POST", "v3/createRoom", {"room_version": "org.example.none"})

    def test_everything_that_a_creator_may_ask_for(self):
        alice = self.user()
        room = alice.create_room(
            preset="private_chat", name="A name", topic="A topic", room_alias_name="asked_for", visibility="public",
            creation_content={"m.federate": False, "org.example": "kept"},
            initial_state=[{"type": "m.room.join_rules", "state_key": "", "content": {"join_rule": "knock"}},
                           {"type": "org.example.state", "state_key": "key", "content": {"a": 1}}],
            power_level_content_override={"events_default": 7})
        self.assertEqual("A name", alice.state(room, "m.room.name")["name"])
        self.assertEqual("A topic", alice.state(room, "m.room.topic")["topic"])
        self.assertEqual("knock", alice.state(room, "m.room.join_rules")["join_rule"])
        self.assertEqual({"a": 1}, alice.state(room, "org.example.state", "key"))
        self.assertEqual(7, alice.state(room, "m.room.power_levels")["events_default"])
        self.assertEqual("kept", alice.state(room, "m.room.create")["org.example"])
        self.assertIs(False, alice.state(room, "m.room.create")["m.federate"])
        self.assertEqual("#asked_for:test", alice.state(room, "m.room.canonical_alias")["alias"])
        self.assertEqual(room, alice.get(f"v3/directory/room/{quote('#asked_for:test')}")["room_id"])
        self.assertEqual({"visibility": "public"}, alice.get(f"v3/directory/list/room/{quote(room)}"))

    def test_a_direct_room(self):
        alice, bob = self.user(), self.user()
        room = alice.create_room(preset="trusted_private_chat", is_direct=True, invite=[bob.user_id])
        invite = bob.sync()["rooms"]["invite"][room]["invite_state"]["events"]
        own = next(event for event in invite if event["type"] == "m.room.member" and event["state_key"] == bob.user_id)
        self.assertIs(True, own["content"]["is_direct"])
        self.assertEqual(alice.user_id, own["sender"])
        self.assertIn("m.room.create", {event["type"] for event in invite})

    def test_no_room_is_left_of_a_wrong_request(self):
        alice = self.user()
        before = alice.get("v3/joined_rooms")
        wrong = ({"preset": "no_such_preset"}, {"invite": ["not a user id"]}, {"visibility": "perhaps"},
                 {"initial_state": [{"content": {}}]}, {"room_alias_name": "with:colon"}, {"creation_content": 1},
                 {"power_level_content_override": {"users": "nobody"}})
        for body in wrong:
            with self.subTest(body=body):
                status, answer = alice.call("POST", "v3/createRoom", body)
                self.assertEqual(400, status, answer)
        self.assertEqual(before, alice.get("v3/joined_rooms"))

    def test_state_events(self):
        alice, bob = self.user(), self.user()
        room = self.room_of(alice, bob)
        event = alice.set_state(room, "org.example.thing", {"value": 1}, "a key/with a slash")
        self.assertEqual({"value": 1}, bob.state(room, "org.example.thing", "a key/with a slash"))
        whole = bob.get(f"v3/rooms/{quote(room)}/state/org.example.thing/{quote('a key/with a slash')}", format="event")
        self.assertEqual((event, room, alice.user_id), (whole["event_id"], whole["room_id"], whole["sender"]))
        bob.refused(404, "M_NOT_FOUND", "GET", f"v3/rooms/{quote(room)}/state/org.example.thing/")
        bob.refused(403, "M_FORBIDDEN", "PUT", f"v3/rooms/{quote(room)}/state/m.room.name/", {"name": "mine"})
        for path in ("m.room.name", "m.room.name/"):
            alice.put(f"v3/rooms/{quote(room)}/state/{path}", {"name": path})
            self.assertEqual({"name": path}, alice.get(f"v3/rooms/{quote(room)}/state/{path}"))

    def test_power_levels(self):
        alice, bob, carol = self.user(), self.user(), self.user()
        room = self.room_of(alice, bob, carol)
        levels = alice.state(room, "m.room.power_levels")
        levels["users"] = {**levels.get("users", {}), bob.user_id: 50}
        alice.set_state(room, "m.room.power_levels", levels)
        bob.set_state(room, "m.room.name", {"name": "by a moderator"})
        levels["users"][carol.user_id] = 75  # more than bob's own
        bob.refused(403, "M_FORBIDDEN", "PUT", f"v3/rooms/{quote(room)}/state/m.room.power_levels/", levels)
        levels["users"][carol.user_id] = 50
        alice.set_state(room, "m.room.power_levels", {**levels, "events_default": 60})
        bob.refused(403, "M_FORBIDDEN", "PUT", f"v3/rooms/{quote(room)}/send/m.room.message/1", {"body": "no"})
        alice.send(room, "creators may")
        alice.refused(403, "M_FORBIDDEN", "PUT", f"v3/rooms/{quote(room)}/state/m.room.power_levels/", {"ban": "fifty"})

    def test_aliases(self):
        alice, bob = self.user(), self.user()
        room = self.room_of(alice, bob)
        path = f"v3/directory/room/{quote('#first:test')}"
        alice.refused(404, "M_NOT_FOUND", "GET", path)
        bob.put(path, {"room_id": room})
        self.assertEqual({"room_id": room, "servers": ["test"]}, alice.call("GET", path, token=None)[1])
        alice.refused(409, "M_UNKNOWN", "PUT", path, {"room_id": room})
        self.assertEqual(["#first:test"], alice.get(f"v3/rooms/{quote(room)}/aliases")["aliases"])
        carol = self.user()
        self.assertEqual(room, carol.join("#first:test"))
        carol.refused(403, "M_FORBIDDEN", "DELETE", path)
        bob.delete(path)
        alice.refused(404, "M_NOT_FOUND", "GET", path)
        alice.refused(400, "M_INVALID_PARAM", "GET", "v3/directory/room/no-alias")
        alice.refused(400, "M_BAD_ALIAS", "PUT", f"v3/rooms/{quote(room)}/state/m.room.canonical_alias/", {"alias": "#none:test"})

    def test_an_alias_has_one_room(self):
        alice = self.user()
        alice.create_room(room_alias_name="once")
        before = alice.get("v3/joined_rooms")
        alice.refused(400, "M_ROOM_IN_USE", "POST", "v3/createRoom", {"room_alias_name": "once"})
        self.assertEqual(before, alice.get("v3/joined_rooms"))

    def test_published_rooms(self):
        alice, bob = self.user(), self.user()
        rooms = [self.room_of(alice, bob, visibility="public", name=f"Published {n}", topic="sailing") for n in range(3)]
        hidden = self.room_of(alice, name="Published not")
        found, since = [], {}
        while True:
            page = bob.post("v3/publicRooms", {"limit": 2, "filter": {"generic_search_term": "published"}, **since})
            self.assertLessEqual(len(page["chunk"]), 2)
            found += page["chunk"]
            if "next_batch" not in page:
                break
            since = {"since": page["next_batch"]}
        self.assertEqual(sorted(rooms), sorted(room["room_id"] for room in found))
        self.assertEqual({2}, {room["num_joined_members"] for room in found})
        self.assertEqual({"sailing"}, {room["topic"] for room in found})
        listed = bob.call("GET", "v3/publicRooms", token=None)[1]["chunk"]
        self.assertNotIn(hidden, [room["room_id"] for room in listed])
        alice.put(f"v3/directory/list/room/{quote(rooms[0])}", {"visibility": "private"})
        with self.assertRaises(Refused):
            bob.put(f"v3/directory/list/room/{quote(rooms[1])}", {"visibility": "private"})
        left = bob.post("v3/publicRooms", {"filter": {"generic_search_term": "published"}})["chunk"]
        self.assertEqual(sorted(rooms[1:]), sorted(room["room_id"] for room in left))

    def test_upgrade(self):
        alice, bob = self.user(), self.user()
        old = alice.create_room(preset="public_chat", room_version="10", name="Home", room_alias_name="upgraded",
                                visibility="public")
        bob.join(old)
        bob.sync()
        bob.refused(403, "M_FORBIDDEN", "POST", f"v3/rooms/{quote(old)}/upgrade", {"new_version": "12"})
        alice.refused(400, "M_UNSUPPORTED_ROOM_VERSION", "POST", f"v3/rooms/{quote(old)}/upgrade", {"new_version": "x"})
        alice.refused(400, "M_BAD_JSON", "POST", f"v3/rooms/{quote(old)}/upgrade", {})
        new = alice.post(f"v3/rooms/{quote(old)}/upgrade", {"new_version": "12"})["replacement_room"]

        tombstone = bob.sync_until("the tombstone", lambda answer: next(
            (event for event in timeline(answer, old) if event["type"] == "m.room.tombstone"), None))
        self.assertEqual(new, tombstone["content"]["replacement_room"])
        bob.refused(403, "M_FORBIDDEN", "PUT", f"v3/rooms/{quote(old)}/send/m.room.message/1", {"body": "too late"})
        bob.join(new)
        self.assertEqual("Home", bob.state(new, "m.room.name")["name"])
        self.assertEqual(old, bob.state(new, "m.room.create")["predecessor"]["room_id"])
        alias = quote("#upgraded:test")
        self.assertEqual(new, bob.get(f"v3/directory/room/{alias}")["room_id"])
        listed = [room["room_id"] for room in bob.get("v3/publicRooms")["chunk"]]
        self.assertIn(new, listed)
        self.assertNotIn(old, listed)
        bob.send(new, "we have moved")
