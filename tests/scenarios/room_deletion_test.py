"""Rooms that administrators delete: what clients see of it, and that nothing is left of them, also under load and kills."""
import threading
import unittest

from client import Refused, make_admin, quote, register
from load import AGAIN
from program import wait_for
from server import Server


def delete(admin, room):
    return admin.expect("DELETE", f"/_backplane/admin/v1/rooms/{quote(room)}")


def shown(user, room):
    """The room's messages, from the first to the last, as who pages back finds them."""
    events, token = [], None
    while True:
        page = user.messages(room, dir="b", limit=100, **({"from": token} if token else {}))
        events += [event["event_id"] for event in page["chunk"] if event["type"] == "m.room.message"]
        token = page.get("end")
        if not token:
            return events[::-1]


class RoomDeletionTest(unittest.TestCase):
    def setUp(self):
        self.server = Server()
        self.addCleanup(self.server.close)
        self.server.start()
        self.admin = make_admin(self.server, "root")

    def rows(self, table):
        return int(self.server.stores.value("room_server", f"SELECT COUNT(*) AS n FROM {table}"))

    def check_databases(self):
        code, out, errors = self.server.run("doctor")
        self.assertEqual(0, code, out + errors)
        self.assertRegex(out, r"room_server: \d+ checks, nothing found")

    def test_what_clients_see(self):
        alice, bob = register(self.server), register(self.server)
        room = alice.create_room(preset="public_chat", room_alias_name="gone", visibility="public")
        kept = alice.create_room(preset="public_chat")
        for each in (room, kept):
            bob.join(each)
        alice.send(room, "hello")
        bob.sync()
        path = f"/_backplane/admin/v1/rooms/{quote(room)}"
        alice.refused(403, "M_FORBIDDEN", "DELETE", path)
        self.assertEqual({}, delete(self.admin, room))
        self.admin.refused(404, "M_NOT_FOUND", "DELETE", path)

        answer = bob.sync_until("the room to be left", lambda answer: room in answer.get("rooms", {}).get("leave", {}) and answer)
        self.assertNotIn(room, answer["rooms"].get("join", {}))
        for user in (alice, bob):
            self.assertEqual([kept], user.get("v3/joined_rooms")["joined_rooms"])
            self.assertEqual({kept}, set(user.sync(full_state="true")["rooms"]["join"]))
        self.assertEqual([], [entry for entry in alice.get("v3/publicRooms")["chunk"] if entry["room_id"] == room])
        alice.refused(404, "M_NOT_FOUND", "GET", f"v3/directory/room/{quote('#gone:test')}")
        for method, endpoint, body in (("POST", "join", {}), ("PUT", "send/m.room.message/1", {"body": "x"}),
                                       ("GET", "messages?dir=b", None), ("GET", "state", None)):
            status, answer = alice.call(method, f"v3/rooms/{quote(room)}/{endpoint}", body)
            self.assertIn(status, (403, 404), answer)
        bob.sync_until_event(kept, alice.send(kept, "still here"))

    def test_history_goes(self):
        alice, bob = register(self.server), register(self.server)
        room = alice.create_room(preset="public_chat")
        bob.join(room)
        said = [alice.send(room, str(n)) for n in range(300)]
        alice.set_state(room, "m.room.topic", {"topic": "kept"})
        kept = [alice.send(room, str(n)) for n in range(20)]
        bob.sync_until_event(room, kept[-1])
        path = f"/_backplane/admin/v1/rooms/{quote(room)}/purge_history"
        alice.refused(403, "M_FORBIDDEN", "POST", path, {"before_event_id": kept[0]})
        self.admin.refused(400, "M_MISSING_PARAM", "POST", path, {})
        self.admin.refused(404, "M_NOT_FOUND", "POST", path, {"before_event_id": "$none"})
        self.assertEqual({}, self.admin.expect("POST", path, {"before_event_id": kept[0]}))

        wait_for("the history to go", lambda: shown(bob, room) == kept, patience=120)
        self.check_databases()
        self.assertEqual("kept", bob.state(room, "m.room.topic")["topic"])
        for user in (alice, bob):
            user.refused(404, "M_NOT_FOUND", "GET", f"v3/rooms/{quote(room)}/event/{quote(said[0])}")
        carol = register(self.server)
        carol.join(room)
        self.assertEqual(kept, shown(carol, room))
        bob.sync_until_event(room, carol.send(room, "on"))
        self.server.restart()
        self.assertEqual(kept, shown(bob, room)[:20])

    def talk(self, users, rooms, kept):
        """All users join and talk in all rooms, of which those that are not kept may go at any time. Answers what they have
        sent to the others, and what ends it."""
        stop, faults, sent = threading.Event(), [], {room: [] for room in kept}

        def run(user):
            try:
                while not stop.is_set():
                    for room in rooms:
                        self._live_in(user, room, sent)
            except Exception as fault:  # noqa: the test's thread tells
                faults.append(repr(fault))

        threads = [threading.Thread(target=run, args=(user,), daemon=True) for user in users]
        for thread in threads:
            thread.start()

        def end():
            stop.set()
            for thread in threads:
                thread.join()
            self.assertEqual([], faults)
        for room in kept:
            wait_for("everybody to talk", lambda: faults or len(sent[room]) > 8)
        return sent, end

    def test_deletion_under_load_leaves_nothing(self):
        users = [register(self.server) for _ in range(4)]
        rooms = [users[i % 4].create_room(preset="public_chat") for i in range(12)]
        kept = rooms[::3]
        sent, end = self.talk(users, rooms, kept)
        for room in rooms:
            if room not in kept:
                delete(self.admin, room)
                self.check_databases()
        end()
        self.server.kill()
        self.server.start()
        wait_for("the rows to go", lambda: self.rows("deleted_rooms") == 0, patience=120)
        self.check_databases()
        self.assertEqual(len(kept), self.rows("rooms"))
        for room in kept:
            found = shown(users[0], room)
            self.assertEqual(len(found), len(set(found)))
            self.assertEqual(set(sent[room]), set(found))

    def test_purges_under_load_take_what_came_before_and_nothing_else(self):
        users = [register(self.server) for _ in range(4)]
        rooms = [users[i].create_room(preset="public_chat") for i in range(4)]
        sent, end = self.talk(users, rooms, rooms)
        first = {}
        for _ in range(3):
            for room in rooms:
                count = len(sent[room])
                wait_for("more to be said", lambda: len(sent[room]) > count + 8)
                first[room] = sent[room][count]
                self.admin.expect("POST", f"/_backplane/admin/v1/rooms/{quote(room)}/purge_history",
                                  {"before_event_id": first[room]})
                self.check_databases()
        end()
        self.server.kill()
        self.server.start()
        wait_for("the history to go", lambda: self.rows("purges") == 0, patience=120)
        self.check_databases()
        for room in rooms:
            wait_for("the index to follow", lambda: shown(users[0], room)[:1] == [first[room]])
            found = shown(users[0], room)
            self.assertEqual(len(found), len(set(found)))
            # What was sent at the same time may have come on either side.
            self.assertLessEqual(set(found), set(sent[room]))
            self.assertLessEqual(set(sent[room][sent[room].index(first[room]) + 8:]), set(found))

    def _live_in(self, user, room, sent):
        """Whoever is there sends; rooms may go at any time."""
        try:
            user.join(room)
            event = user.send(room, "hello")
        except Refused as refused:
            if refused.status in AGAIN or (room not in sent and refused.status in (403, 404)):
                return
            raise
        if room in sent:
            sent[room].append(event)


if __name__ == "__main__":
    unittest.main()
