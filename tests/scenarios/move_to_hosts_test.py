"""A deployment grows, step by step as docs/operators/databases.md and scaling.md say: from SQLite to PostgreSQL, from one
process to many hosts with Kafka, back to one process, and to many once more. Clients go on with their tokens at every host
that answers them: nothing is missing, nothing comes twice, and nobody is sent everything anew."""
import itertools
import json
import os
import shutil
import unittest

import shapes
from client import Client, bodies, ephemeral, joined, quote, register, timeline
from server import Server
from split import Split

ROOMS = 16  # so that most lanes have one
UNSEEN = 3
PAGE = 3


def to_device(answer):
    return [event["content"]["n"] for event in answer.get("to_device", {}).get("events", [])]


def account_data(events):
    return {event["type"]: event["content"] for event in events}


class Users:
    """What they leave undone before a move, and find after it. bob reads at two devices, of which one has a stored
    filter; alice and carol do things."""

    def __init__(self, case, server):
        self.case, self.server = case, server
        self.alice, self.bob, self.carol = (register(server) for _ in range(3))
        self.phone = self.bob.log_in(self.bob.user_id)
        self.rooms = [self.alice.create_room(preset="public_chat", name=f"room {n}", room_version="11" if n % 2 else "12")
                      for n in range(ROOMS)]
        self.busy = self.rooms[:-3]
        self.quiet, self.joined_later, self.left_later = self.rooms[-3:]
        for room in self.busy + [self.quiet, self.left_later]:
            self.bob.join(room)
        self.carol.join(self.busy[0])
        self.filter = self.bob.post(f"v3/user/{quote(self.bob.user_id)}/filter", {"room": {"timeline": {"limit": 50}}})["filter_id"]
        self.said = {room: [] for room in self.busy}  # all messages, by what they say
        self.paged = None
        self.transactions = {}  # id of a request → what it was answered
        self.steps = itertools.count(1)
        for n in range(2 * PAGE):
            self._say(f"early {n}", repeats=n == 0)
        self.bob.sync(filter=self.filter)
        self.phone.sync()

    def _say(self, text, repeats=False):
        """Into each busy room; answers the events, by room. `repeats`: what is to be repeated after each move."""
        events = {}
        for room in self.busy:
            events[room] = self.alice.send(room, text, transaction=text)
            self.said[room].append(text)
        if repeats:
            self.transactions.update({(room, text): event for room, event in events.items()})
        return events

    def _send_to_phone(self, n):
        self.alice.put(f"v3/sendToDevice/org.example/{n}", {"messages": {self.bob.user_id: {self.phone.device_id: {"n": n}}}})

    def leave_undone(self):
        """Before a move."""
        self.step = next(self.steps)
        self.type_anew()
        self.bob.sync_until("carol to type", lambda answer: ephemeral(answer, self.busy[0], "m.typing"), filter=self.filter)
        self.phone.sync()
        self.paged = self.bob.messages(self.busy[0], dir="b", limit=PAGE)["end"]
        self.read_before = len(self.said[self.busy[0]]) - PAGE
        self.unseen = [self._say(f"unseen {self.step}.{n}", repeats=n == 0) for n in range(UNSEEN)]
        self.waiting = [10 * self.step + n for n in range(3)]
        for n in self.waiting:
            self._send_to_phone(n)
        self.bob.put(f"v3/user/{quote(self.bob.user_id)}/account_data/org.example", {"step": self.step})
        self.carol.post(f"v3/rooms/{quote(self.busy[0])}/receipt/m.read/{quote(self.unseen[-1][self.busy[0]])}")
        self.in_before = self.step % 2 == 1  # once in, once out
        if self.in_before:
            self.bob.join(self.joined_later)
            self.bob.leave(self.left_later)
        else:
            self.bob.leave(self.joined_later)
            self.bob.join(self.left_later)
        self.invited = self.alice.create_room(preset="private_chat", name="a room for bob", invite=[self.bob.user_id])

    def type_anew(self):
        """Who types already and says it again tells nobody anything."""
        for answer in ({"typing": False}, {"typing": True, "timeout": 120000}):
            self.carol.put(f"v3/rooms/{quote(self.busy[0])}/typing/{quote(self.carol.user_id)}", answer)

    def _check_news(self, answer):
        """That it has what nobody has seen, and nothing else."""
        case = self.case
        for room in self.busy:
            found = [event["event_id"] for event in timeline(answer, room)]
            case.assertEqual([events[room] for events in self.unseen], found)
            case.assertFalse(joined(answer, room)["timeline"].get("limited"), room)
            case.assertEqual([], joined(answer, room).get("state", {}).get("events", []), "state that was told before")
        case.assertEqual([{self.unseen[-1][self.busy[0]]: [self.carol.user_id]}],
                         [{event: list(types["m.read"]) for event, types in receipts["content"].items()}
                          for receipts in ephemeral(answer, self.busy[0], "m.receipt")])
        entered, left = (self.joined_later, self.left_later)[::1 if self.in_before else -1]
        case.assertEqual(set(self.busy) | {entered}, set(answer["rooms"]["join"]), "rooms without news stay out")
        case.assertEqual({left}, set(answer["rooms"]["leave"]))
        case.assertEqual({self.invited}, set(answer["rooms"]["invite"]))
        case.assertEqual({"org.example": {"step": self.step}}, account_data(answer["account_data"]["events"]))

    def _check_nothing_new(self, device):
        answer = device.sync()
        self.case.assertEqual({"next_batch"}, {key for key, value in answer.items() if value}, f"{answer}")

    def go_on(self, servers):
        """After a move, at each of them: hosts that answer /sync."""
        case, bob, phone = self.case, self.bob, self.phone
        told = []  # devices as they are once a host has answered
        for server in servers:
            bob_here, phone_here = at(server, bob), at(server, phone)
            news = bob_here.sync(filter=self.filter)
            self._check_news(news)
            case.assertEqual([], to_device(news))
            others = phone_here.sync()
            self._check_news(others)
            case.assertEqual(self.waiting, to_device(others))
            told += [bob_here, phone_here]
        # What one host has told, none tells again.
        for device, server in itertools.product(told, servers):
            self._check_nothing_new(at(server, device))
        bob.since, phone.since = bob_here.since, phone_here.since
        page = bob.messages(self.busy[0], dir="b", limit=100, **{"from": self.paged})
        case.assertEqual(self.said[self.busy[0]][:self.read_before], [text for text in reversed(bodies(page["chunk"]))])
        # Requests that were done before the move are not done again.
        for (room, text), event in self.transactions.items():
            case.assertEqual(event, self.alice.send(room, text, transaction=text))
        self._send_to_phone(self.waiting[0])
        for server in servers:
            self._check_nothing_new(at(server, bob))
            self._check_nothing_new(at(server, phone))
        self._live_on(servers)

    def _live_on(self, servers):
        """New things reach everybody, at once, from all hosts."""
        events = self._say(f"after {self.step}")
        self.type_anew()
        self._send_to_phone(10 * self.step + 9)
        since = self.phone.since
        for server in servers:
            phone, found, sent, typing = at(server, self.phone), {}, [], []
            phone.since = since

            def all_of_it(answer):
                for room in self.busy:
                    found.setdefault(room, []).extend(event["event_id"] for event in timeline(answer, room))
                sent.extend(to_device(answer))
                typing.extend(event["content"]["user_ids"] for event in ephemeral(answer, self.busy[0], "m.typing"))
                return all(found.values()) and sent and typing and typing[-1]
            phone.sync_until("what is said after the move", all_of_it)
            self.case.assertEqual({room: [event] for room, event in events.items()}, found)
            self.case.assertEqual([10 * self.step + 9], sent)
            self.case.assertEqual([self.carol.user_id], typing[-1])
            self.phone.since = phone.since
        self.bob.sync(filter=self.filter)
        everything = at(servers[-1], self.bob).sync(since=None, filter=json.dumps({"room": {"timeline": {"limit": 1000}}}))
        for room in self.busy:
            self.case.assertEqual(self.said[room], bodies(timeline(everything, room)), "each message once, in order")


def at(server, device):
    """The same device, asking that host."""
    same = Client(server, device.user_id, device.token, device.device_id)
    same.since = device.since
    return same


class MoveToHostsTest(unittest.TestCase):
    def setUp(self):
        # What Kafka has is soon gone from the database.
        self.server = Server({"plugins": {"log_kafka": {"keep_relayed": "1s"}}}, shapes.Single())
        self.addCleanup(self.server.close)
        self.server.start()
        self.users = Users(self, self.server)

    def snapshots(self):
        """How often consumers have begun with a snapshot."""
        return {plugin: self.server.stores.value(plugin, "SELECT COALESCE(SUM(begun), 0) AS n FROM bp_snapshots")
                for plugin in ("sync_api", "client_api")}

    def become(self, shape, first=()):
        """With the config of that shape; what ran before is stopped once the new config has been checked. `first`: hosts
        that are up before the others start."""
        before = self.server.processes
        self.server.take_shape(shape)
        if shape.name == "split" and not os.path.exists(self.server.path("signing.key")):
            self._forget_the_key(shape)
        for process in self.server.processes:
            code, out, errors = process.run("check-config")
            self.assertEqual(0, code, out + errors)
        for process in before:
            process.stop()
        for name in first:
            shape.host(name).start()
        for process in self.server.processes:
            if not process.running():
                process.launch()
        for process in self.server.processes:
            process.wait_until_ready()

    def _forget_the_key(self, shape):
        """The second step: without it hosts would sign with keys of their own."""
        for name in ("rooms1", "rooms2"):
            for command in ("check-config", "run"):
                code, _, errors = shape.host(name).run(command)
                self.assertEqual(1, code, errors)
                self.assertIn("the file that plugins.room_server.signing_key_path names is not there", errors)
        self.assertEqual(0, shape.host("sync1").run("check-config")[0], "who signs nothing needs no key")
        shutil.copy(self.server.path("data", "signing.key"), self.server.path("signing.key"))

    def to_postgresql(self):
        """docs/operators/databases.md"""
        self.server.stop()
        self.server.take_shape(shapes.Postgresql())
        code, out, errors = self.server.run("migrate-database", "--from-data", self.server.path("data"))
        self.assertEqual(0, code, out + errors)
        self.server.start()

    def test_one_process_to_many(self):
        users, server = self.users, self.server
        users.leave_undone()
        self.to_postgresql()
        users.go_on([server])
        before = self.snapshots()

        # docs/operators/scaling.md, "The step"
        users.leave_undone()
        split = Split(stores=server.stores)
        # Whoever reads the logs is there before anybody has copied them to Kafka.
        self.become(split, first=("sync1", "sync2", "client"))
        users.go_on([server.host("sync1"), server.host("sync2")])
        self.assertEqual(before, self.snapshots(), "nobody has begun anew")

        # ... "Back to one process": there indexes may be made anew, and clients do not notice
        users.leave_undone()
        self.become(shapes.Postgresql(server.stores))
        users.go_on([server])
        before = self.snapshots()

        users.leave_undone()
        self.become(split)
        users.go_on([server.host("sync2"), server.host("sync1")])
        self.assertEqual(before, self.snapshots(), "nobody has begun anew")
        keys = [name for name in os.listdir(server.path("data")) if name.endswith(".key")]
        for host in split.hosts:
            keys += [name for name in os.listdir(server.path("data", host)) if name.endswith(".key")]
        self.assertEqual(["signing.key"], keys, "no host has made a key of its own")
