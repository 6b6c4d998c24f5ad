"""Faults of a split server under load: hosts, the broker and PostgreSQL are killed or restarted, hosts stand still, the
network between two of them is cut. What is killed is started again, as systemd would; nobody does anything else. Each
time sends and syncs work again; in the end every acknowledged message is there once, and every receiver, who goes on
from the token it had, has seen each room as it is.
   FAULT_ROUNDS=n   (2 without it)        FAULT_SEED=n   repeats the choices of a run"""
import contextlib
import itertools
import os
import random
import time
import unittest

from client import Client, register
from kafka.kafka import KafkaBroker
from links import Links
from load import Load
from postgresql import PostgresqlServer
from program import wait_for
from server import Server
from split import Split
from supervisor import Supervisor

ROUNDS = int(os.environ.get("FAULT_ROUNDS", "2"))
SEED = int(os.environ.get("FAULT_SEED", random.randrange(1_000_000)))
TAKEOVER = 10  # seconds; see docs/operators/scaling.md


class Fault:
    """A server with clients at work, and the times it took to heal."""

    def __init__(self, case, name, **parts):
        self.case, self.name = case, name
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
            self.supervisor = stack.enter_context(Supervisor(self.hosts))
            self.load = Load(self.server)
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
                shown = ", ".join(f"{what} {seconds:.1f}" for what, seconds in self.times)
                print(f"\n{self.name} (FAULT_SEED={SEED}): seconds to heal: {shown}; {self.load.figures()}; "
                      f"ended by themselves: {self.supervisor.ends}", flush=True)
                if kind is not None:
                    for name, process in self.hosts.items():
                        print(f"--- {name}\n" + "".join(process.log().splitlines(True)[-25:]))

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
                fault.healed("broker", began)

    def test_postgresql_restarts(self):
        with PostgresqlServer() as database, Fault(self, "PostgreSQL restarted", database=database) as fault:
            for _ in range(ROUNDS):
                fault.some_load()
                began = time.monotonic()
                database.restart()
                fault.healed("PostgreSQL", began)

    def test_rolling_restart(self):
        with Fault(self, "rolling restart") as fault:
            for name in fault.hosts:
                fault.some_load()
                began = time.monotonic()
                fault.supervisor.restart(name)
                wait_for(f"{name} to be back", lambda: fault.supervisor.started_again(name))
                fault.healed(name, began)
            # Whoever must be told 500 is told of a fault of the server.
            self.assertEqual([], [why for why in fault.load.repeated if why.endswith(" 500")])
            self.assertEqual([], fault.supervisor.ends)
