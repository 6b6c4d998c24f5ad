"""Rooms that administrators delete: what clients see of it, and that nothing is left of them, also under load and kills."""
import threading
import unittest

from client import Refused, make_admin, quote, register
from load import AGAIN
from program import wait_for
from server import Server


def delete(admin, room):
    return admin.expect("DELETE", f"/_backplane/admin/v1/rooms/{quote(room)}")


class RoomDeletionTest(unittest.TestCase):
    def setUp(self):
        self.server = Server()
        self.addCleanup(self.server.close)
        self.server.start()
        self.admin = make_admin(self.server, "root")

    def deleted_rows(self):
        return int(self.server.stores.value("room_server", "SELECT COUNT(*) AS n FROM deleted_rooms"))

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

        answer = bob.sync_until("the room to be left", lambda answer: room in answer["rooms"].get("leave", {}) and answer)
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

        def shown(user):
            events, token = [], None
            while True:
                page = user.messages(room, dir="b", limit=50, **({"from": token} if token else {}))
                events += [event["event_id"] for event in page["chunk"] if event["type"] == "m.room.message"]
                token = page.get("end")
                if not token:
                    return events[::-1]
        wait_for("the history to go", lambda: shown(bob) == kept, patience=120)
        self.check_databases()
        self.assertEqual("kept", bob.state(room, "m.room.topic")["topic"])
        for user in (alice, bob):
            user.refused(404, "M_NOT_FOUND", "GET", f"v3/rooms/{quote(room)}/event/{quote(said[0])}")
        carol = register(self.server)
        carol.join(room)
        self.assertEqual(kept, shown(carol))
        bob.sync_until_event(room, carol.send(room, "on"))
        self.server.restart()
        self.assertEqual(kept, shown(bob)[:20])

    def test_under_load_and_kills_nothing_is_left(self):
        users = [register(self.server) for _ in range(4)]
        rooms = [users[i % 4].create_room(preset="public_chat") for i in range(12)]
        kept = rooms[::3]
        stop, faults, sent = threading.Event(), [], {room: [] for room in kept}

        def talk(user):
            try:
                while not stop.is_set():
                    for room in rooms:
                        self._live_in(user, room, sent)
            except Exception as fault:  # noqa: the test's thread tells
                faults.append(repr(fault))

        threads = [threading.Thread(target=talk, args=(user,), daemon=True) for user in users]
        for thread in threads:
            thread.start()
        for room in kept:
            wait_for("everybody to talk", lambda: faults or len(sent[room]) > 8)
        for room in rooms:
            if room not in kept:
                delete(self.admin, room)
                self.check_databases()
        stop.set()
        for thread in threads:
            thread.join()
        self.assertEqual([], faults)
        self.server.kill()
        self.server.start()
        wait_for("the rows to go", lambda: self.deleted_rows() == 0, patience=120)
        self.check_databases()
        self.assertEqual(len(kept), int(self.server.stores.value("room_server", "SELECT COUNT(*) AS n FROM rooms")))
        for room in kept:
            events, token = [], None
            while True:
                page = users[0].messages(room, dir="b", limit=100, **({"from": token} if token else {}))
                events += [event["event_id"] for event in page["chunk"]]
                token = page.get("end")
                if not token:
                    break
            self.assertLessEqual(set(sent[room]), set(events))
            self.assertEqual(len(events), len(set(events)))

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
