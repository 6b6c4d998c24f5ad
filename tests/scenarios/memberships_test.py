"""Who is in a room: invited, joined, left, kicked, banned, forgotten; and their profiles."""
from client import joined, quote, timeline
from program import wait_for
from server_case import ServerCase


class MembershipsTest(ServerCase):
    def membership(self, client, room, user):
        return client.state(room, "m.room.member", user.user_id)["membership"]

    def change(self, client, room, verb, user, **more):
        client.post(f"v3/rooms/{quote(room)}/{verb}", {"user_id": user.user_id, **more})

    def refuse(self, client, room, verb, user):
        client.refused(403, "M_FORBIDDEN", "POST", f"v3/rooms/{quote(room)}/{verb}", {"user_id": user.user_id})

    def test_invite_join_leave_rejoin(self):
        alice, bob = self.user(), self.user()
        room = alice.create_room(preset="private_chat")
        bob.refused(403, "M_FORBIDDEN", "POST", f"v3/rooms/{quote(room)}/join", {})
        bob.sync()
        self.change(alice, room, "invite", bob, reason="come in")
        invite = bob.sync_until("the invite", lambda answer: answer.get("rooms", {}).get("invite", {}).get(room))
        own = next(e for e in invite["invite_state"]["events"] if e.get("state_key") == bob.user_id)
        self.assertEqual(("invite", "come in"), (own["content"]["membership"], own["content"]["reason"]))
        self.assertEqual([], bob.get("v3/joined_rooms")["joined_rooms"])

        bob.join(room)
        self.assertEqual([room], bob.get("v3/joined_rooms")["joined_rooms"])
        bob.sync_until("the room", lambda answer: joined(answer, room))
        bob.join(room)  # again: nothing happens
        self.assertEqual({alice.user_id, bob.user_id}, set(alice.get(f"v3/rooms/{quote(room)}/joined_members")["joined"]))

        seen = alice.send(room, "while bob is in")
        bob.leave(room)
        unseen = alice.send(room, "after bob left")
        left = bob.sync_until("the room among those left", lambda answer: timeline(answer, room, "leave"))
        events = [event["event_id"] for event in left]
        self.assertIn(seen, events)
        self.assertNotIn(unseen, events)
        self.assertEqual("leave", left[-1]["content"]["membership"])
        bob.refused(403, "M_FORBIDDEN", "PUT", f"v3/rooms/{quote(room)}/send/m.room.message/x", {"body": "from outside"})
        history = bob.messages(room, dir="b", limit=50)["chunk"]
        self.assertNotIn(unseen, [event["event_id"] for event in history])

        self.change(alice, room, "invite", bob)
        bob.join(room)
        answer = bob.sync_until("the room again", lambda answer: joined(answer, room) and answer)
        state = {(e["type"], e["state_key"]) for e in joined(answer, room)["state"]["events"]}
        state |= {(e["type"], e["state_key"]) for e in timeline(answer, room) if "state_key" in e}
        self.assertIn(("m.room.create", ""), state)
        bob.sync_until_event(room, alice.send(room, "welcome back"))

    def test_decline_an_invite(self):
        alice, bob = self.user(), self.user()
        room = alice.create_room(preset="private_chat", invite=[bob.user_id])
        self.assertIn(room, bob.sync()["rooms"]["invite"])
        bob.leave(room)
        answer = bob.sync_until("the declined room", lambda a: a.get("rooms", {}).get("leave", {}).get(room) and a)
        self.assertNotIn(room, answer["rooms"].get("invite", {}))
        self.assertEqual("leave", self.membership(alice, room, bob))
        bob.since = None
        self.assertNotIn(room, bob.sync().get("rooms", {}).get("invite", {}))

    def test_kick_ban_unban(self):
        alice, bob, carol = self.user(), self.user(), self.user()
        room = self.room_of(alice, bob, carol)
        self.refuse(bob, room, "kick", carol)
        self.refuse(bob, room, "ban", carol)
        bob.sync()
        self.change(alice, room, "kick", bob, reason="cool down")
        left = bob.sync_until("the kick", lambda answer: timeline(answer, room, "leave"))
        self.assertEqual((alice.user_id, "leave", "cool down"),
                         (left[-1]["sender"], left[-1]["content"]["membership"], left[-1]["content"]["reason"]))
        bob.join(room)
        self.change(alice, room, "ban", bob)
        self.assertEqual("ban", self.membership(alice, room, bob))
        bob.refused(403, "M_FORBIDDEN", "POST", f"v3/rooms/{quote(room)}/join", {})
        self.refuse(alice, room, "invite", bob)
        self.refuse(carol, room, "unban", bob)
        self.change(alice, room, "unban", bob)
        self.assertEqual("leave", self.membership(alice, room, bob))
        bob.join(room)
        self.refuse(alice, room, "unban", carol)  # who is not banned

    def test_forget(self):
        alice, bob = self.user(), self.user()
        room = self.room_of(alice, bob)
        status, _ = bob.call("POST", f"v3/rooms/{quote(room)}/forget", {})
        self.assertEqual(400, status)  # not while in it
        bob.leave(room)
        everything = {"room": {"include_leave": True}}
        self.assertIn(room, bob.sync(since=None, filter=everything)["rooms"]["leave"])
        bob.post(f"v3/rooms/{quote(room)}/forget")
        self.assertNotIn(room, bob.sync(since=None, filter=everything).get("rooms", {}).get("leave", {}))
        bob.refused(403, "M_FORBIDDEN", "GET", f"v3/rooms/{quote(room)}/messages", query={"dir": "b"})
        bob.join(room)  # and it is back
        self.assertIn(room, bob.sync(since=None)["rooms"]["join"])

    def test_knock(self):
        alice, bob = self.user(), self.user()
        room = alice.create_room(initial_state=[{"type": "m.room.join_rules", "state_key": "", "content": {"join_rule": "knock"}}])
        bob.post(f"v3/knock/{quote(room)}", {"reason": "it is cold"})
        self.assertEqual("knock", self.membership(alice, room, bob))
        self.assertIn(room, bob.sync()["rooms"]["knock"])
        self.change(alice, room, "invite", bob)
        bob.join(room)
        self.assertEqual("join", self.membership(alice, room, bob))

    def test_restricted_room(self):
        alice, bob = self.user(), self.user()
        space = self.room_of(alice)
        rule = {"join_rule": "restricted", "allow": [{"type": "m.room_membership", "room_id": space}]}
        room = alice.create_room(initial_state=[{"type": "m.room.join_rules", "state_key": "", "content": rule}])
        bob.refused(403, "M_FORBIDDEN", "POST", f"v3/rooms/{quote(room)}/join", {})
        bob.join(space)
        bob.join(room)
        self.assertEqual(alice.user_id, bob.state(room, "m.room.member", bob.user_id)["join_authorised_via_users_server"])

    def test_invited_by_an_address(self):
        alice, bob = self.user(name="inviter"), self.user(name="newcomer")
        room = alice.create_room(preset="private_chat")
        path = f"v3/rooms/{quote(room)}/"
        alice.refused(403, "M_THREEPID_DENIED", "POST", path + "invite", {
            "address": "bob@mail.test", "medium": "email", "id_server": "id.test", "id_access_token": "x"})
        # The key of 32 bytes of zero signed the canonical form of mxid, sender and token.
        alice.set_state(room, "m.room.third_party_invite", {
            "display_name": "b...@mail.test", "key_validity_url": "https://id.test/isvalid",
            "public_key": "O2onvM62pC1io6jQKm8Nc2UyFXcd4kOmOsBIoYtZ2ik"}, "a-token")
        good = {"mxid": bob.user_id, "sender": alice.user_id, "token": "a-token", "signatures": {"id.test": {
            "ed25519:0": "+ClO9RK1chS1emGSBI6FZslysc45SUJgkpcZPzIo5J7OI2oBNErk92KzaVNp+KRFPKIPqRH2oC7fBOhGMz9eBQ"}}}
        for bad in "a-token", {}, {**good, "signatures": {"id.test": 1}}:
            bob.refused(400, "M_BAD_JSON", "POST", path + "join", {"third_party_signed": bad})
        bob.refused(403, "M_FORBIDDEN", "POST", path + "join", {"third_party_signed": {**good, "token": "another"}})
        bob.refused(403, "M_FORBIDDEN", "POST", path + "join", {"third_party_signed": {**good, "more": 1}})
        bob.sync()
        bob.post(path + "join", {"third_party_signed": good})
        bob.sync_until("the room", lambda answer: joined(answer, room))
        members = [event for event in alice.messages(room, dir="b")["chunk"] if event.get("state_key") == bob.user_id]
        self.assertEqual([(bob.user_id, "join"), (alice.user_id, "invite")],
                         [(event["sender"], event["content"]["membership"]) for event in members])
        self.assertEqual({"display_name": "b...@mail.test", "signed": good}, members[1]["content"]["third_party_invite"])

    def test_a_profile_reaches_every_room(self):
        """Log 4: client_api follows memberships, and writes a changed profile into them."""
        alice, bob = self.user(), self.user()
        rooms = [self.room_of(alice, bob) for _ in range(3)]
        bob.sync()
        path = f"v3/profile/{quote(alice.user_id)}/"
        alice.put(path + "displayname", {"displayname": "Alice the Great"})
        alice.put(path + "avatar_url", {"avatar_url": "mxc://test/face"})
        self.assertEqual({"displayname": "Alice the Great", "avatar_url": "mxc://test/face"},
                         bob.get(f"v3/profile/{quote(alice.user_id)}"))
        wanted = {"membership": "join", "displayname": "Alice the Great", "avatar_url": "mxc://test/face"}
        for room in rooms:
            wait_for("the profile in the room", lambda: wanted.items() <= bob.state(room, "m.room.member", alice.user_id).items())
        members = bob.get(f"v3/rooms/{quote(rooms[0])}/joined_members")["joined"]
        self.assertEqual({"display_name": "Alice the Great", "avatar_url": "mxc://test/face"}, members[alice.user_id])
        later = self.room_of(alice)
        self.assertEqual("Alice the Great", alice.state(later, "m.room.member", alice.user_id)["displayname"])
        bob.refused(403, "M_FORBIDDEN", "PUT", path + "displayname", {"displayname": "not mine"})
        bob.refused(404, "M_NOT_FOUND", "GET", f"v3/profile/{quote('@nobody:test')}")

    def test_a_profile_that_changes_right_after_a_join(self):
        """Before client_api has seen the membership: then that queues the room again, at once."""
        for n in range(10):
            alice, bob = self.user(), self.user()
            room = self.room_of(alice, bob)
            bob.put(f"v3/profile/{quote(bob.user_id)}/displayname", {"displayname": f"Bob {n}"})
            wait_for("the profile in the room", patience=15,
                     condition=lambda: alice.state(room, "m.room.member", bob.user_id)["displayname"] == f"Bob {n}")

    def test_members(self):
        alice, bob, carol = self.user(), self.user(), self.user()
        room = self.room_of(alice, bob, carol)
        carol.leave(room)
        path = f"v3/rooms/{quote(room)}/members"
        of = lambda answer: {e["state_key"]: e["content"]["membership"] for e in answer["chunk"]}
        self.assertEqual({alice.user_id: "join", bob.user_id: "join", carol.user_id: "leave"}, of(bob.get(path)))
        self.assertEqual({carol.user_id: "leave"}, of(bob.get(path, membership="leave")))
        self.assertEqual({alice.user_id: "join", bob.user_id: "join"}, of(bob.get(path, not_membership="leave")))
        # As it was at a token of the past
        bob.sync()
        dave = self.user()
        dave.join(room)
        self.assertNotIn(dave.user_id, of(bob.get(path, at=bob.since)))
        self.assertIn(dave.user_id, of(bob.get(path)))
        self.user().refused(403, "M_FORBIDDEN", "GET", path)
