"""A deployment moves from SQLite to PostgreSQL: clients go on with their tokens and miss nothing, and a move that is
killed goes on where it was."""
import json
import os
import random
import signal
import subprocess
import time
import unittest

import shapes
from client import bodies, joined, quote, register, timeline
from many_rooms import ManyRooms
from program import PATIENCE
from server import Server

FAULTS, COULD_NOT_START = 1, 3
WIDE = {"room": {"timeline": {"limit": 100}}}
SEED = int(os.environ.get("KILL_SEED", random.randrange(1_000_000)))


class MoveDatabaseTest(unittest.TestCase):
    def setUp(self):
        self.server = Server(shape=shapes.Single())
        self.addCleanup(self.server.close)
        self.server.start()
        self.old = ["--from-data", self.server.path("data")]

    def become_postgresql(self):
        """Stops the server; from now on its config leads to PostgreSQL."""
        self.server.stop()
        self.server.write("old/backplane.yaml", {**self.server.config, "data_dir": self.server.path("data")})
        self.server.take_shape(shapes.Postgresql())

    def move(self, *more):
        code, out, errors = self.server.run("migrate-database", *self.old, *more)
        self.assertEqual(0, code, errors)
        return out

    def assert_refused(self, *texts, command=None):
        code, out, errors = self.server.run(*(command or ("migrate-database", *self.old)))
        self.assertEqual(FAULTS if command is None else COULD_NOT_START, code, out + errors)
        for text in texts:
            self.assertIn(text, errors)

    def test_clients_go_on(self):
        alice, bob = register(self.server), register(self.server)
        phone = bob.log_in(bob.user_id)
        room = alice.create_room(preset="public_chat", name="the room", room_alias_name="moves")
        bob.join(room)
        before = [alice.send(room, f"before {n}") for n in range(20)]
        for device in (bob, phone):
            device.sync(filter=WIDE)
        events = [alice.send(room, f"unseen {n}", transaction=f"u{n}") for n in range(10)]
        events.append(alice.redact(room, before[3]))
        alice.put("v3/sendToDevice/org.example/1", {"messages": {bob.user_id: {phone.device_id: {"n": 1}}}})
        alice.put(f"v3/profile/{quote(alice.user_id)}/displayname", {"displayname": "Alice \"the\" Great \\ ünï"})
        bob.put(f"v3/user/{quote(bob.user_id)}/account_data/org.example", {"moved": "✓"})
        invited = alice.create_room(preset="private_chat", name="for bob", invite=[bob.user_id])
        state = sorted(alice.get(f"v3/rooms/{quote(room)}/state"), key=lambda event: event["type"] + event["state_key"])

        self.become_postgresql()
        out = self.move()
        self.assertRegex(out, "Moved 5 databases with [0-9]+ rows in [0-9]+ s; every row was read back and compared.")
        self.assertIn("compared room_server.events", out)
        self.server.start()
        answer = bob.sync(filter=WIDE)
        self.assertEqual(events, [event["event_id"] for event in timeline(answer, room) if event["type"] != "m.room.member"])
        self.assertFalse(joined(answer, room)["timeline"].get("limited"))
        self.assertIn(invited, answer["rooms"]["invite"])
        self.assertIn({"moved": "✓"}, [event["content"] for event in answer["account_data"]["events"]])
        self.assertEqual([{"n": 1}], [event["content"] for event in phone.sync()["to_device"]["events"]])
        self.assertEqual(events[0], alice.send(room, "unseen 0", transaction="u0"))  # done already
        moved = {event["event_id"] for event in alice.get(f"v3/rooms/{quote(room)}/state")}
        self.assertLessEqual({event["event_id"] for event in state if event["type"] != "m.room.member"}, moved)
        said = bodies(bob.messages(room, dir="b", limit=100)["chunk"])
        self.assertEqual([f"unseen {n}" for n in reversed(range(10))], said[:10])
        self.assertEqual(20, len(said[10:]))
        self.assertEqual(room, bob.get(f"v3/directory/room/{quote('#moves:test')}")["room_id"])
        bob.sync_until_event(room, alice.send(room, "after"))
        bob.join(invited)
        self.server.restart()
        bob.sync_until_event(invited, alice.send(invited, "after a restart"))

    def test_by_the_old_config(self):
        alice = register(self.server)
        self.become_postgresql()
        self.old = ["--from", self.server.path("old", "backplane.yaml")]
        self.move()
        self.server.start()
        self.assertEqual(alice.user_id, alice.get("v3/account/whoami")["user_id"])

    def test_to_another_folder(self):
        """What is no database is the operator's to copy, and he is told."""
        self.become_postgresql()
        self.server.config["data_dir"] = "new"
        self.server.write_config()
        self.assertIn(f"copy to {self.server.path('new')} what else is there:\n  signing.key\n", self.move())

    def test_refusals(self):
        register(self.server)
        config = self.server.config
        self.assert_refused("error: the config does not lead to PostgreSQL")
        # The config is that of the new server while the old one runs.
        stores = shapes.Postgresql().open(self.server)
        self.addCleanup(stores.close)
        self.server.write("backplane.yaml", {**config, "storage": {"engine": "postgresql", "connection": stores.connection}})
        self.assert_refused("error: the data folder cannot be used", "another backplane uses it", "fix: stop the server")
        self.server.write_config()
        self.become_postgresql()
        self.old = ["--from-data", self.server.path("nowhere")]
        self.assert_refused("error: there is no data folder", "nowhere")
        self.old = ["--from-data", self.server.path("old")]
        self.assert_refused("error: there are no SQLite files to move")
        self.old = ["--from-data", self.server.path("data")]
        self.assertEqual(0, self.server.run("plugins", "disable", "sync_api")[0])
        self.assert_refused("error: there is a database of plugin sync_api, which does not run with the new config")
        self.assertEqual(0, self.server.run("plugins", "enable", "sync_api")[0])
        self.server.start()  # on PostgreSQL, by mistake
        self.server.stop()
        self.assert_refused("error: the databases were not moved", "the schema 'user_api' holds", "fix: start the server, if a move into it has ended; else name an empty PostgreSQL database")

    def test_killed_again_and_again(self):
        print(f"KILL_SEED={SEED}")
        chance = random.Random(SEED)
        alice = register(self.server)
        room = alice.create_room(name="small")
        alice.send(room, "hello")
        alice.sync()
        self.server.stop()
        ManyRooms(events=20_000, rooms=50, members=20).write(self.server.path("data", "room_server.db"))
        self.server.start()
        self.become_postgresql()
        begun, refused, marked = time.monotonic(), 0, False
        longest = 1.0
        for round in range(100):
            process = subprocess.Popen(self.server.host("room_server").command("migrate-database", *self.old),
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            try:
                process.wait(chance.uniform(0.02, longest))
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
                process.wait(PATIENCE)
                longest *= 1.3  # so that it comes to its end on a slow machine, too
            if process.returncode == 0:
                break
            self.assertEqual(-signal.SIGKILL, process.returncode)
            before, marked = marked, self._is_marked()
            if before and not marked:
                break  # it had done all, and was about to end
            if marked and refused < 3:
                refused += 1
                self.assert_refused("error: the database of plugin room_server cannot be opened",
                                    "a move of data into this database has not ended",
                                    "fix: run `backplane migrate-database` again: it goes on where it was", command=["run"])
        self.assertFalse(self._is_marked(), "it has not ended")
        print(f"killed {round} times, moved in {time.monotonic() - begun:.1f} s")
        self.assertGreater(refused, 0)
        self.assertEqual(20_000, self.server.stores.value("room_server", "SELECT count(*) FROM events WHERE sender LIKE '@talker%'"))
        self.server.start()
        alice.sync_until_event(room, alice.send(room, "after"))

    def _is_marked(self):
        tables = self.server.stores.value("room_server", "SELECT count(*) FROM pg_tables WHERE tablename = 'bp_move'")
        return int(tables) > 0

    def test_a_source_that_changed(self):
        alice = register(self.server)
        self.server.stop()
        ManyRooms(events=10_000, rooms=50, members=20).write(self.server.path("data", "room_server.db"))
        self.server.start()
        self.become_postgresql()
        process = subprocess.Popen(self.server.host("room_server").command("migrate-database", *self.old),
                                   stdout=subprocess.PIPE, text=True)
        for line in process.stdout:
            if line.startswith("copied room_server.current_state"):
                break
        process.kill()
        process.communicate()
        moved_config = self.server.config
        self.server.write("backplane.yaml", json.loads(open(self.server.path("old", "backplane.yaml"), encoding="utf-8").read()))
        self.server.start()  # the old one, once more
        alice.create_room()
        self.server.stop()
        self.server.write("backplane.yaml", moved_config)
        self.assert_refused("was begun from other data, or the file has changed since", "fix: run this with --start-over")
        self.move("--start-over")
        self.server.start()
        self.assertEqual(1, len(alice.get("v3/joined_rooms")["joined_rooms"]))
