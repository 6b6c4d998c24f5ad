"""History that goes by its age: by the server's rule, and by a room's own. In the tests' databases time is turned back."""
import unittest

from client import make_admin, quote, register
from program import wait_for
from room_deletion_test import shown
from server import Server

HOUR_MS = 3600 * 1000


class RetentionTest(unittest.TestCase):
    def start(self, **options):
        server = Server({"plugins": {"room_server": options}})
        self.addCleanup(server.close)
        return server.start()

    def grow_old(self, server, hours):
        """All that was said came so much earlier."""
        server.stop()
        server.stores.execute("room_server", f"UPDATE events SET received_ms = received_ms - {hours * HOUR_MS}")
        server.start()

    def check(self, server):
        wait_for("the purges to end", lambda: int(server.stores.value("room_server", "SELECT COUNT(*) AS n FROM purges")) == 0,
                 patience=120)
        code, out, errors = server.run("doctor")
        self.assertEqual(0, code, out + errors)

    def test_old_messages_go_from_every_room(self):
        server = self.start(history_lifetime="24h")
        alice, bob = register(server), register(server)
        rooms = [alice.create_room(preset="public_chat", name=f"Room {n}") for n in range(8)]
        old, kept = {}, {}
        for room in rooms:
            bob.join(room)
            old[room] = [alice.send(room, f"old {n}") for n in range(5)]
        self.grow_old(server, 20)
        for room in rooms:
            kept[room] = [bob.send(room, f"kept {n}") for n in range(3)]
        quiet = alice.create_room(preset="public_chat")
        last = [alice.send(quiet, "old"), alice.send(quiet, "the last")][-1]
        self.grow_old(server, 10)
        for room in rooms:
            wait_for("the old to go", lambda room=room: shown(bob, room) == kept[room], patience=120)
            self.assertEqual("join", bob.state(room, "m.room.member", alice.user_id)["membership"])
            bob.refused(404, "M_NOT_FOUND", "GET", f"v3/rooms/{quote(room, 'event', old[room][0])}")
        self.check(server)
        self.assertGreaterEqual(server.metrics().sum("backplane_room_server_purges_total", by="lifetime"), len(rooms))
        self.assertEqual(2, len(shown(alice, quiet)))
        self.grow_old(server, 20)
        wait_for("all but the last to go", lambda: shown(alice, quiet) == [last], patience=120)
        for room in rooms:
            wait_for("all but the last to go", lambda room=room: shown(alice, room) == kept[room][-1:], patience=120)
            bob.sync_until_event(room, alice.send(room, "on"))
        self.check(server)

    def test_a_room_says_its_own(self):
        server = self.start(history_lifetime_by_room=True)
        alice = register(server)
        brief = alice.create_room(preset="public_chat", initial_state=[
            {"type": "m.room.retention", "state_key": "", "content": {"max_lifetime": HOUR_MS}}])
        other = alice.create_room(preset="public_chat")
        said = {room: [alice.send(room, str(n)) for n in range(3)] for room in (brief, other)}
        self.grow_old(server, 2)
        wait_for("the room's history to go", lambda: shown(alice, brief) == said[brief][-1:], patience=120)
        self.check(server)
        self.assertEqual(said[other], shown(alice, other))
        # An administrator's purge has the last word in the other one.
        admin = make_admin(server, "root")
        admin.expect("POST", f"/_backplane/admin/v1/rooms/{quote(other)}/purge_history", {"before_event_id": said[other][1]})
        wait_for("the purge", lambda: shown(alice, other) == said[other][1:], patience=120)

    def test_less_than_an_hour_is_refused(self):
        server = Server({"plugins": {"room_server": {"history_lifetime": "10m"}}})
        self.addCleanup(server.close)
        code, out, errors = server.host("room_server").run("check-config")
        self.assertNotEqual(0, code)
        self.assertIn("history_lifetime is less than an hour: set it to 1h or more, or to 0", out + errors)


if __name__ == "__main__":
    unittest.main()
