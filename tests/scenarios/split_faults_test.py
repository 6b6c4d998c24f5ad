"""Faults of a split server under load: hosts, the broker and PostgreSQL are killed or restarted, hosts stand still, the
network between two of them is cut. What is killed is started again, as systemd would; nobody does anything else. Each
time sends and syncs work again; in the end every acknowledged message is there once, and every receiver, who goes on
from the token it had, has seen each room as it is.
   FAULT_ROUNDS=n   (2 without it)        FAULT_SEED=n   repeats the choices of a run"""
import collections
import contextlib
import itertools
import os
import random
import re
import statistics
import time
import unittest

from client import Client, bodies, register, timeline
from kafka.kafka import KafkaBroker
from links import Links
from load import Load
from postgresql import PostgresqlServer
from program import wait_for
from server import Server
from split import HOSTS, Split
from supervisor import Supervisor

ROUNDS = int(os.environ.get("FAULT_ROUNDS", "2"))
SEED = int(os.environ.get("FAULT_SEED", random.randrange(1_000_000)))
WIDE = {"room": {"timeline": {"limit": 100}}}
TAKEOVER = 10  # seconds; see docs/operators/scaling.md


def shards(server, component, host):
    """How much of the component's store is that host's: lanes, and to lead."""
    return server.stores.value(component, f"SELECT count(*) AS shards FROM bp_shards WHERE host = '{host}'")


def wait_for_owners(server):
    """Who makes a room gives it an id of a shard of its own: so that both do, both are to have some, and know of them. (The
    table tells a moment earlier: on a busy machine a host made no room of the first two.)"""
    for host in ("rooms1", "rooms2"):
        wait_for(f"{host} to own its share", pause=0.1,
                 condition=lambda: server.host(host).metrics().sum("backplane_room_server_store_owned_shards") >= 8)


class Fault:
    """A server with clients at work, and the times it took to heal."""

    def __init__(self, case, name, once=0, **parts):
        self.case, self.name, self.once = case, name, once
        self.chance = random.Random(f"{SEED} {name}")
        self.times = []
        self._parts = parts
        self._stack = contextlib.ExitStack()

    def __enter__(self):
        with contextlib.ExitStack() as stack:
            shape = Split(**self._parts)
            self.server = stack.enter_context(Server({"plugins": {"sync_api": {"timeline_limit": 1000}}}, shape))
            self.hosts = shape.named()
            self.server.start()
            wait_for_owners(self.server)
            self.load = Load(self.server, once=self.once)
            self.supervisor = stack.enter_context(Supervisor(self.hosts))
            self.load.begin()
            self._stack = stack.pop_all()
        return self

    def __exit__(self, kind, *_):
        with self._stack:
            try:
                if kind is None:
                    self.load.end()
                    self.load.check(self.case)
            except BaseException:
                kind = True
                raise
            finally:
                print(f"\n{self.name} (FAULT_SEED={SEED}): {self.load.figures()}; "
                      f"ended by themselves: {self.supervisor.ends}; seconds to heal:\n{self.table()}", flush=True)
                if kind is not None:
                    for name, process in self.hosts.items():
                        print(f"--- {name}\n" + "".join(process.log().splitlines(True)[-25:]))

    def table(self):
        """The times to heal, by what was done: how often, the median, the longest."""
        kinds = collections.defaultdict(list)
        for what, seconds in self.times:
            kinds[re.sub(r" (for|after) [0-9.]+$", "", what)].append(seconds)
        return "\n".join(f"  {what:32} {len(all_of_it):4} {statistics.median(all_of_it):6.1f} {max(all_of_it):6.1f}"
                         for what, all_of_it in sorted(kinds.items()))

    def some_load(self):
        """Not all faults come at the same instant of a request."""
        until = time.monotonic() + self.chance.uniform(0, 0.3)
        count = len(self.load.talks[0].acknowledged)
        wait_for("a message", lambda: len(self.load.talks[0].acknowledged) > count, pause=0.001)
        while time.monotonic() < until:
            time.sleep(0.001)

    def healed(self, what, since):
        """Waits for it; nobody helps."""
        seconds = self.load.wait_until_healed(since)
        self.supervisor.wait_until_ready()
        self.times.append((what, seconds))
        return seconds

    def some_hosts(self, count):
        """Names of hosts, all before one comes again."""
        names = itertools.chain.from_iterable(
            self.chance.sample(sorted(self.hosts), len(self.hosts)) for _ in itertools.count())
        return itertools.islice(names, count)


class SplitFaultsTest(unittest.TestCase):
    def test_hosts_are_killed(self):
        with Fault(self, "hosts killed") as fault:
            for name in fault.some_hosts(max(ROUNDS, len(fault.hosts))):
                fault.some_load()
                began = time.monotonic()
                fault.supervisor.kill(name)
                wait_for(f"{name} to be back", lambda: fault.supervisor.started_again(name))
                fault.healed(name, began)

    def test_the_broker_is_killed(self):
        with KafkaBroker() as broker, Fault(self, "broker killed", broker=broker) as fault:
            for _ in range(ROUNDS):
                fault.some_load()
                began = time.monotonic()
                broker.kill()
                broker.start()
                fault.times.append(("the broker is back", time.monotonic() - began))
                fault.healed("broker", began)

    def test_postgresql_restarts(self):
        with PostgresqlServer() as database, Fault(self, "PostgreSQL restarted", database=database) as fault:
            for _ in range(ROUNDS):
                fault.some_load()
                began = time.monotonic()
                database.restart()
                fault.healed("PostgreSQL", began)

    def test_rolling_restart(self):
        """Also what clients do not repeat by themselves succeeds, all the time."""
        with Fault(self, "rolling restart", once=4, hosts={**HOSTS, "client2": "client_api"}) as fault:
            for name in list(fault.hosts) * ROUNDS:
                fault.some_load()
                began = time.monotonic()
                fault.supervisor.restart(name)
                wait_for(f"{name} to be back", lambda: fault.supervisor.started_again(name))
                fault.healed(name, began)
            # Whoever must be told 500 is told of a fault of the server.
            self.assertEqual([], [why for why in fault.load.repeated if why.endswith(" 500")])
            self.assertEqual([], fault.supervisor.ends)
            self.assertEqual([], [lost for once in fault.load.once for lost in once.lost])

    def test_hosts_stand_still(self):
        with Fault(self, "hosts stopped") as fault:
            rooms = fault.chance.choice(["rooms1", "rooms2"])
            others = (name for name in fault.some_hosts(ROUNDS + 2) if name != rooms)
            for name in itertools.islice(itertools.chain([rooms], others), ROUNDS):
                self._stand_still(fault, name)

    def _stand_still(self, fault, name):
        component = fault.server.shape.hosts[name]
        fault.some_load()
        began = time.monotonic()
        fault.hosts[name].pause()
        try:
            if name not in ("client", "users", "edus"):  # these are alone; of the others one takes over
                wait_for(f"the shards of {name} to be taken over", lambda: not shards(fault.server, component, name), pause=0.1)
                fault.times.append((f"{name} has lost its shards", time.monotonic() - began))
            if component == "room_server":
                fault.times.append((f"{name} is not missed", fault.load.wait_until_healed(began)))
            time.sleep(max(0, began + TAKEOVER + fault.chance.uniform(1, 3) - time.monotonic()))
        finally:
            continued = time.monotonic()
            fault.hosts[name].resume()
        fault.healed(f"{name} after {continued - began:.1f}", continued)
        if component == "room_server":
            wait_for(f"{name} to have shards again", lambda: shards(fault.server, component, name), pause=0.1)
            fault.times.append((f"{name} has shards", time.monotonic() - continued))

    def test_the_network_is_cut(self):
        links = Links()
        self.addCleanup(links.close)
        pairs = [("client", "users"), ("sync1", "rooms1"), ("sync2", "rooms2"),
                 ("sync1", "users"), ("sync2", "edus"), ("rooms1", "rooms2"), ("rooms1", "users")]
        with Fault(self, "network cut", links=links) as fault:
            fault.chance.shuffle(pairs)
            for rooms in ("rooms1", "rooms2"):
                self.assertTrue(links.carried("client", rooms), "hosts do not talk through the links")
            # What every message needs: cut off in both ways, and then others.
            pairs[:0] = [("client", fault.chance.choice(["rooms1", "rooms2"]))] * 2
            for n, (one, other) in enumerate(itertools.islice(itertools.cycle(pairs), 2 * ROUNDS)):
                refuses = n % 2 == 1
                fault.some_load()
                lasts = fault.chance.uniform(1, 5)
                links.cut(one, other, refuses)
                before = links.carried(one, other)
                time.sleep(lasts)
                if not refuses:
                    self.assertEqual(before, links.carried(one, other), "what was cut carries nothing")
                links.mend(one, other)
                fault.healed(f"{one}-{other} {'refused' if refuses else 'silent'} for {lasts:.1f}", time.monotonic())

    def test_two_hosts_each(self):
        """Any of two hosts answers, and a token goes on at the other."""
        with Server(shape=Split()) as server:
            server.start()
            hosts = [server.host(name) for name in ("sync1", "sync2")]
            writer, reader = register(server), register(server)
            wait_for_owners(server)
            rooms = [writer.create_room(preset="public_chat") for _ in range(12)]
            for room in rooms:
                reader.join(room)
            made = [server.host(owner).metrics().sum("backplane_room_server_events_accepted_total")
                    for owner in ("rooms1", "rooms2")]
            self.assertEqual(made[0], made[1], "rooms are made by the hosts in turn")
            at = [Client(host, reader.user_id, reader.token, reader.device_id) for host in hosts]
            at[0].sync()
            for n in range(24):
                here, there = at[n % 2], at[1 - n % 2]
                room = rooms[n % len(rooms)]
                event = writer.send(room, f"{n}")
                found = []

                def news(answer):
                    found.extend((room, each["event_id"]) for room in rooms for each in timeline(answer, room))
                    return found
                here.sync_until(f"message {n}", news)
                self.assertEqual([(room, event)], found, f"at host {n % 2}, with a token of the other")
                there.since = here.since
            for here in at:
                everything = here.sync(since=None, filter=WIDE)
                self.assertEqual(24, sum(len(bodies(timeline(everything, room))) for room in rooms))
