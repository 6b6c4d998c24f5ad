"""Users who send into rooms and receivers who follow them, over whatever happens to the server. They do what clients do:
repeat what got no answer or one that says to come again, with the same transaction id, the same token."""
import collections
import http.client
import itertools
import json
import threading
import time
import urllib.parse

from client import Client, quote, register
from program import PATIENCE, wait_for

LOST = (OSError, http.client.HTTPException)
AGAIN = (429, 500, 502, 503, 504)
PATIENCE_OF_CLIENTS = 8  # seconds without an answer, beyond what they asked a /sync to wait
WAIT_OF_SYNC = 3
FILTER = json.dumps({"room": {"timeline": {"limit": 1000}}})


def messages(events):
    return [event["event_id"] for event in events if event["type"] == "m.room.message"]


class Talk:
    """One sender's messages into a room."""

    def __init__(self, load, client, room, pace):
        self.load, self.client, self.room, self.pace = load, client, room, pace
        self.acknowledged = []  # event ids
        self.began = []  # when each was sent for the first time

    def run(self):
        for n in itertools.count(1):
            if not self.load.sending:
                return
            began = time.monotonic()
            path = f"v3/rooms/{quote(self.room)}/send/m.room.message/m{n}"
            answer = self.load.insist(self.client, "PUT", path, {"msgtype": "m.text", "body": str(n)})
            self.acknowledged.append(answer["event_id"])
            self.began.append(began)
            time.sleep(self.pace)  # users type

    def first_since(self, moment):
        """The first event that was sent after that moment, if there is one."""
        return next((event for event, began in zip(self.acknowledged, self.began) if began > moment), None)


class Listen:
    """A receiver, who goes on from the token it had."""

    def __init__(self, load, client):
        self.load, self.client = load, client
        self.events = collections.defaultdict(list)  # of each room
        self.seen = set()
        self.gaps = 0
        self.answers = 0
        self.done = False

    def begin(self):
        self._take(self._sync(0))

    def run(self):
        while not self.done:
            self._take(self._sync(WAIT_OF_SYNC))

    def _sync(self, wait):
        query = {"timeout": wait * 1000, "filter": FILTER, **({"since": self.client.since} if self.client.since else {})}
        answer = self.load.insist(self.client, "GET", "v3/sync", query=query, patience=wait + PATIENCE_OF_CLIENTS)
        self.answers += 1
        return answer

    def _take(self, answer):
        for room, part in answer.get("rooms", {}).get("join", {}).items():
            events = messages(part["timeline"]["events"])
            if part["timeline"].get("limited") and self.client.since:
                self.gaps += 1
                events = self._fill_gap(room, part["timeline"]["prev_batch"]) + events
            self.events[room] += events
            self.seen.update(events)
        self.client.since = answer["next_batch"]

    def _fill_gap(self, room, token):
        """What lies between the last event known and what /sync told, as clients find it: by paging back."""
        known, missing = set(self.events[room]), []
        while token:
            page = self.load.insist(self.client, "GET", f"v3/rooms/{quote(room)}/messages",
                                    query={"dir": "b", "limit": 500, "from": token})
            for event in messages(page["chunk"]):
                if event in known:
                    return missing[::-1]
                missing.append(event)
            token = page.get("end")
        return missing[::-1]


class Once:
    """Somebody who does what clients do not repeat by themselves, as it could be done twice: log in, make rooms, enter
    them, leave them. What goes wrong is noted."""

    def __init__(self, load, client, friend):
        self.load, self.client, self.friend = load, client, friend
        self.done = 0
        self.lost = []  # what, why

    def run(self):
        name = self.client.user_id
        while self.load.sending:
            answer = self._try(self.client, "login", {"type": "m.login.password", "password": "a good password",
                                                      "identifier": {"type": "m.id.user", "user": name}})
            room = (self._try(self.client, "createRoom", {"preset": "public_chat"}) or {}).get("room_id")
            if room and self._try(self.friend, f"join/{quote(room)}"):
                self._try(self.friend, f"rooms/{quote(room)}/leave")
            if answer:
                self._try(Client(self.client.server, name, answer["access_token"]), "logout")

    def _try(self, client, verb, body=None):
        try:
            status, _, text = client.exchange("POST", "/_matrix/client/v3/" + verb, body or {})
        except LOST as fault:
            status, text = 0, repr(fault).encode()
        if status == 200:
            self.done += 1
            return json.loads(text) or True
        self.lost.append((verb.split("/")[0], status, text[:200].decode()))
        time.sleep(0.1)
        return None


class Load:
    """Senders in rooms, and receivers who are in all of the rooms."""

    def __init__(self, server, rooms=8, receivers=4, pace=0.15, once=0):
        self.sending = True
        self.faults = []
        self.repeated = collections.Counter()  # why requests were repeated
        senders = [register(server) for _ in range(rooms)]
        readers = [register(server) for _ in range(receivers)]
        self.rooms = [sender.create_room(preset="public_chat") for sender in senders]
        for reader in readers:
            for room in self.rooms:
                reader.join(room)
        senders[1].join(self.rooms[0])  # one with two who talk
        self.talks = [Talk(self, sender, room, pace) for sender, room in zip(senders, self.rooms)]
        self.talks.append(Talk(self, senders[1], self.rooms[0], pace))
        self.listens = [Listen(self, reader) for reader in readers]
        self.once = [Once(self, register(server), register(server)) for _ in range(once)]
        self._threads = []

    def begin(self):
        """They talk, and what they say arrives."""
        for listen in self.listens:
            listen.begin()
        for part in self.talks + self.listens + self.once:
            thread = threading.Thread(target=self._guarded, args=(part,), daemon=True)
            self._threads.append(thread)
            thread.start()
        self.wait_until_healed(time.monotonic())
        return self

    def _guarded(self, part):
        try:
            part.run()
        except Exception as fault:  # noqa: the test's thread tells
            self.faults.append(f"{type(part).__name__} of {part.client.user_id}: {type(fault).__name__} {fault}")

    def insist(self, client, method, path, body=None, query=None, patience=PATIENCE_OF_CLIENTS):
        """The answer, however often the request has to be repeated."""
        path = f"/_matrix/client/{path}" + ("?" + urllib.parse.urlencode(query) if query else "")
        until = time.monotonic() + 2 * PATIENCE
        for again in itertools.count():
            try:
                status, _, text = client.exchange(method, path, body, timeout=patience)
                if status == 200:
                    return json.loads(text)
                why = f"{method} {status}"
                assert status in AGAIN, f"{method} {path}: {status} {text[:300]}"
            except LOST as fault:
                status, text, why = 0, repr(fault), f"{method} {type(fault).__name__}"
            self.repeated[why] += 1
            assert time.monotonic() < until, f"{method} {path} has been repeated {again} times, at last: {status} {text[:300]}"
            time.sleep(min(0.05 * 2 ** again, 0.5))

    # What the test's thread asks

    def _missing(self, moment):
        """Who waits still for something that was sent after that moment, or for an answer to that."""
        assert not self.faults, self.faults
        waits = []
        for talk in self.talks:
            event = talk.first_since(moment)
            if event is None:
                waits.append(f"{talk.client.user_id} in {talk.room}")
            waits += [listen.client.user_id for listen in self.listens if event and event not in listen.seen]
        return waits

    def wait_until_healed(self, since):
        """Everybody has said something since that moment, and everybody has heard it. Answers how long that took."""
        patience = 2 * PATIENCE
        until = time.monotonic() + patience
        while waits := self._missing(since):
            assert time.monotonic() < until, (
                f"no healing within {patience:g} s; still waiting: {sorted(set(waits))}; {dict(self.repeated)}")
            time.sleep(0.02)
        return time.monotonic() - since

    def end(self):
        """The last message has been said, and heard by all."""
        self.sending = False
        for thread in self._threads[:len(self.talks)]:
            thread.join(3 * PATIENCE)
        sent = {event for talk in self.talks for event in talk.acknowledged}
        wait_for("all receivers to have all messages", lambda: self.faults or all(
            sent <= listen.seen for listen in self.listens), pause=0.05)
        for listen in self.listens:
            listen.done = True
        for thread in self._threads[len(self.talks):]:
            thread.join(3 * PATIENCE)
        assert not self.faults, self.faults

    def history(self, room):
        """The messages of the room as it is, oldest first."""
        events, token = [], None
        while True:
            # Proxies end connections that say nothing for long, as this thread's.
            page = self.insist(self.listens[0].client, "GET", f"v3/rooms/{quote(room)}/messages",
                               query={"dir": "b", "limit": 1000, **({"from": token} if token else {})})
            events += [event for event in page["chunk"] if event["type"] == "m.room.message"]
            token = page.get("end")
            if not token:
                return events[::-1]

    def check(self, case):
        """Every message is there once, in its sender's order, and every receiver has seen the room as it is."""
        for room in self.rooms:
            history = self.history(room)
            order = [event["event_id"] for event in history]
            case.assertEqual(len(order), len(set(order)), f"{room} has an event twice")
            for talk in self.talks:
                if talk.room == room:
                    own = [event for event in history if event["sender"] == talk.client.user_id]
                    case.assertEqual(talk.acknowledged, [event["event_id"] for event in own], "acknowledged, and what is there")
                    case.assertEqual(list(range(1, len(own) + 1)), [int(event["content"]["body"]) for event in own],
                                     "each transaction once, in order")
            for listen in self.listens:
                case.assertEqual(order, listen.events[room], f"what {listen.client.user_id} saw of {room}, and in which order")

    def figures(self):
        sent = sum(len(talk.acknowledged) for talk in self.talks)
        once = sum(each.done for each in self.once)
        return (f"{sent} messages, {once} requests that nobody repeats, {sum(listen.answers for listen in self.listens)} syncs, "
                f"{sum(listen.gaps for listen in self.listens)} gaps filled, repeated: {dict(sorted(self.repeated.items()))}")
