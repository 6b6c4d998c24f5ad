"""A log that was emptied goes on where it was: its numbers do not begin again, so no consumer takes a new record for
an old one. (SQLite hands out a deleted row's number again.)"""
import unittest

from client import quote, register
from program import wait_for
from server import Server


class DrainTest(unittest.TestCase):
    def rows(self, server, store, topic):
        """Records in the store's outbox, looked at from outside."""
        return server.stores.value(store, f"SELECT COUNT(*) FROM bp_outbox WHERE topic = '{topic}'")

    def test_drain_restart_send(self):
        # Of several hosts the broker has the records too; what it has acknowledged goes here.
        with Server({"plugins": {"log_kafka": {"keep_relayed": "0s"}}}) as server:
            server.start()
            alice, bob = register(server), register(server)
            room = alice.create_room(preset="public_chat")
            bob.join(room)
            for n in range(3):
                bob.sync_until_event(room, alice.send(room, f"before {n}")) if n else bob.sync()
            self.assertGreater(self.rows(server, "room_server", "room_events"), 0)

            aliases = iter(range(10_000))

            def is_empty():
                # Rows go with a commit that happens anyway: this one publishes nothing.
                alice.put(f"v3/directory/room/{quote(f'#drain{next(aliases)}:test')}", {"room_id": room})
                return self.rows(server, "room_server", "room_events") == 0

            wait_for("the log to be empty", is_empty, pause=0.2)
            for _ in range(2):
                server.restart()
                self.assertEqual(0, self.rows(server, "room_server", "room_events"))
                event = alice.send(room, "after")
                self.assertEqual("after", bob.sync_until_event(room, event)["content"]["body"])
                wait_for("the log to be empty", is_empty, pause=0.2)

            server.kill()
            server.start()
            # Every component follows: the index of the past, the live tail, and client_api's memberships.
            bob.sync_until_event(room, alice.send(room, "after a kill"))
            alice.put(f"v3/profile/{quote(alice.user_id)}/displayname", {"displayname": "Drained"})
            wait_for("the profile in the room",
                     lambda: bob.state(room, "m.room.member", alice.user_id).get("displayname") == "Drained")
