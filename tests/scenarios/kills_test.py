"""SIGKILL at random instants under load, again and again; of several hosts, each time to one of them. Afterwards every acknowledged event is there once, in order,
for every receiver (who goes on from the token it had); no transaction was done twice; each room is whole or absent.
   KILL_ROUNDS=n   (50 without it)        KILL_SEED=n   repeats the instants of a run"""
import os
import random
import threading
import time
import unittest

from client import Refused, joined, quote, register
from load import AGAIN, LOST
from program import PATIENCE
from server import Server

ROUNDS = int(os.environ.get("KILL_ROUNDS", "50"))
SEED = int(os.environ.get("KILL_SEED", random.randrange(1_000_000)))
STATE_OF_A_ROOM = {"m.room.create", "m.room.member", "m.room.power_levels", "m.room.join_rules", "m.room.history_visibility",
                   "m.room.guest_access", "m.room.canonical_alias", "m.room.name", "m.room.topic"}
WIDE = {"room": {"timeline": {"limit": 1000}}}


def messages(events):
    return [event["event_id"] for event in events if event["type"] == "m.room.message"]


class Load:
    """Clients that carry on over the server's deaths."""

    def __init__(self, server):
        self.server = server
        self.up = threading.Event()
        self.sending = True
        self.faults = []
        self.threads = []

    def begin(self, work, *arguments):
        thread = threading.Thread(target=self._guarded, args=(work, *arguments), daemon=True)
        self.threads.append(thread)
        thread.start()

    def _guarded(self, work, *arguments):
        try:
            work(*arguments)
        except Exception as fault:  # noqa: the test's thread tells
            self.faults.append(f"{work.__name__}: {type(fault).__name__} {fault}")

    def insist(self, request):
        """The answer, however often the server dies meanwhile."""
        while True:
            done, answer = self.attempt(request)
            if done:
                return answer
            # Not in a circle while the dead one's port still answers with resets.
            time.sleep(0.005)

    def attempt(self, request):
        """(whether there is an answer, the answer)"""
        self.up.wait(PATIENCE)
        try:
            return True, request()
        except LOST:
            return False, None
        except Refused as refused:
            # Those that live say of a dead one that it is not there.
            if len(self.server.processes) == 1 or refused.status not in AGAIN:
                raise
            return False, None


class Talk:
    """One sender's messages into a room, and to a device."""

    def __init__(self, load, client, room, receiver, pace):
        self.load, self.client, self.room, self.receiver = load, client, room, receiver
        self.pace = pace
        self.acknowledged = []

    def run(self):
        n = 0
        while self.load.sending:
            n += 1
            event = self.load.insist(lambda: self.client.send(self.room, f"{n}", transaction=f"m{n}"))
            self.acknowledged.append(event)
            if n % 7 == 0:  # an answer that got lost on its way would look like this
                again = self.load.insist(lambda: self.client.send(self.room, f"{n}", transaction=f"m{n}"))
                assert again == event, f"transaction m{n} gave {event}, and then {again}"
            if n % 5 == 0:
                self.load.insist(lambda: self.client.put(f"v3/sendToDevice/org.example/d{n}", {
                    "messages": {self.receiver.user_id: {self.receiver.device_id: {"n": n}}}}))
            time.sleep(self.pace.random() * 0.006)  # leaves the machine to the server


class Listen:
    """One receiver, who goes on from the token it had."""

    def __init__(self, load, client, room):
        self.load, self.client, self.room = load, client, room
        self.events, self.to_device = [], []
        self.gaps = 0
        self.done = False

    def run(self):
        while not self.done:
            answer = self.load.insist(lambda: self.client.sync(timeout=3000, filter=WIDE))
            part = joined(answer, self.room).get("timeline", {})
            if part.get("limited"):
                self.events += self.fill_gap(part["prev_batch"])
            self.events += messages(part.get("events", []))
            self.to_device += [(event["sender"], event["content"]["n"]) for event in answer.get("to_device", {}).get("events", [])]

    def fill_gap(self, token):
        """What lies between the last event known and what /sync told, as clients find it: by paging back."""
        known, missing = set(self.events[-1:]), []
        self.gaps += 1
        while token:
            page = self.load.insist(lambda: self.client.messages(self.room, dir="b", limit=500, **{"from": token}))
            for event in messages(page["chunk"]):
                if event in known:
                    return missing[::-1]
                missing.append(event)
            token = page.get("end")
        return missing[::-1]


class MakeRooms:
    def __init__(self, load, client, guest):
        self.load, self.client, self.guest = load, client, guest
        self.acknowledged = []
        self.tried = 0

    def run(self):
        while self.load.sending:
            self.tried += 1
            done, room = self.load.attempt(lambda: self.client.create_room(
                preset="public_chat", name=f"room {self.tried}", topic="whole or absent", invite=[self.guest.user_id],
                room_alias_name=f"whole_{self.tried}"))
            if done:
                self.acknowledged.append(room)
            time.sleep(0.02)


class KillsTest(unittest.TestCase):
    def test_kills(self):
        print(f"KILL_SEED={SEED} KILL_ROUNDS={ROUNDS}")
        chance = random.Random(SEED)
        with Server({"plugins": {"sync_api": {"timeline_limit": 1000}}}) as server:
            server.start()
            self._prepare(server, chance)
            slowest = self._kill_again_and_again(server, chance)
            self._end_of_load()
            sent = sum(len(talk.acknowledged) for talk in self.talks)
            print(f"{ROUNDS} kills, {sent} messages, {self.rooms.tried} rooms tried, slowest start "
                  f"{slowest * 1000:.0f} ms, gaps that receivers filled: {[listen.gaps for listen in self.listens]}")
            try:
                self._check_messages()
                self._check_to_device()
                self._check_rooms()
            except BaseException:
                print(server.log()[-4000:])
                raise

    def _prepare(self, server, chance):
        self.load = Load(server)
        senders = [register(server) for _ in range(4)]
        receivers = [register(server) for _ in range(3)]
        self.reader = receivers[0]
        self.room = senders[0].create_room(preset="public_chat")
        for client in senders[1:] + receivers:
            client.join(self.room)
        for receiver in receivers:
            receiver.sync(filter=WIDE)
        self.listens = [Listen(self.load, receiver, self.room) for receiver in receivers]
        self.talks = [Talk(self.load, sender, self.room, receivers[n % 3], random.Random(chance.random()))
                      for n, sender in enumerate(senders)]
        self.maker = register(server)
        self.rooms = MakeRooms(self.load, self.maker, receivers[1])
        for part in [*self.listens, *self.talks, self.rooms]:
            self.load.begin(part.run)
        self.load.up.set()

    def _kill_again_and_again(self, server, chance):
        slowest = 0
        for _ in range(ROUNDS):
            until = time.monotonic() + chance.uniform(0.05, 0.8)
            while time.monotonic() < until:
                time.sleep(max(0, until - time.monotonic()))
            victim = chance.choice(server.processes)
            victim.kill()
            if not server.running():
                self.load.up.clear()
            began = time.monotonic()
            victim.start()
            slowest = max(slowest, time.monotonic() - began)
            self.load.up.set()
            self.assertEqual([], self.load.faults)
        return slowest

    def _end_of_load(self):
        self.load.sending = False
        for thread in self.load.threads[len(self.listens):]:
            thread.join(PATIENCE)
        sent = {event for talk in self.talks for event in talk.acknowledged}
        for listen in self.listens:
            to_device = sum(len(talk.acknowledged) // 5 for talk in self.talks if talk.receiver is listen.client)
            until = time.monotonic() + PATIENCE
            while len(listen.events) < len(sent) or len(listen.to_device) < to_device:
                self.assertEqual([], self.load.faults)
                self.assertLess(time.monotonic(), until, f"a receiver has {len(listen.events)} of {len(sent)} messages and "
                                f"{len(listen.to_device)} of {to_device} to its device; its token is {listen.client.since}")
                time.sleep(0.05)
            listen.done = True
        for thread in self.load.threads:
            thread.join(PATIENCE)
        self.assertEqual([], self.load.faults)

    def _history(self):
        """The room as it is, oldest first."""
        events, token = [], None
        while True:
            page = self.reader.messages(self.room, dir="b", limit=1000, **({"from": token} if token else {}))
            events += [event for event in page["chunk"] if event["type"] == "m.room.message"]
            token = page.get("end")
            if not token:
                return events[::-1]

    def _check_messages(self):
        history = self._history()
        order = [event["event_id"] for event in history]
        self.assertEqual(len(order), len(set(order)))
        for talk in self.talks:
            own = [(event["event_id"], int(event["content"]["body"])) for event in history if event["sender"] == talk.client.user_id]
            self.assertEqual(talk.acknowledged, [event for event, _ in own], "acknowledged, and what is there")
            self.assertEqual(list(range(1, len(own) + 1)), [n for _, n in own], "each transaction once, in order")
        for listen in self.listens:
            self.assertEqual(order, listen.events, "what a receiver saw, and in which order")

    def _check_to_device(self):
        for listen in self.listens:
            for talk in self.talks:
                if talk.receiver is not listen.client:
                    continue
                sent = [n for n in range(5, len(talk.acknowledged) + 1, 5)]
                seen = [n for sender, n in listen.to_device if sender == talk.client.user_id]
                self.assertEqual(sent, seen, "messages to a device, each once and in order")

    def _check_rooms(self):
        rooms = self.maker.get("v3/joined_rooms")["joined_rooms"]
        self.assertLessEqual(set(self.rooms.acknowledged), set(rooms))
        names = set()
        shown = self.maker.sync(since=None, full_state="true")["rooms"]["join"]
        invites = self.rooms.guest.sync(since=None)["rooms"].get("invite", {})
        for room in rooms:
            state = {event["type"]: event for event in self.maker.get(f"v3/rooms/{quote(room)}/state")}
            self.assertEqual(STATE_OF_A_ROOM, set(state), room)
            alias = state["m.room.canonical_alias"]["content"]["alias"]
            self.assertEqual(room, self.maker.get(f"v3/directory/room/{quote(alias)}")["room_id"])
            names.add(state["m.room.name"]["content"]["name"])
            self.assertIn(room, shown)
            self.assertIn(room, invites)
        self.assertEqual(len(rooms), len(names), "a room for a request, at most")
        self.assertEqual(set(rooms), set(shown))
        # What is absent left no alias behind.
        free = {f"room {n}" for n in range(1, self.rooms.tried + 1)} - names
        for name in list(free)[:20]:
            self.maker.refused(404, "M_NOT_FOUND", "GET", f"v3/directory/room/{quote('#whole_' + name.split()[1] + ':test')}")
