"""The shape `split`: a host process for each component, two for those that may be shared, with PostgreSQL, Kafka and an
nginx in front. Each server has loopback addresses of its own, so that every host can have the same port, known before."""
import atexit
import itertools
import os
import random
import re
import shutil
import socket
import subprocess

import fixture
import postgresql
from kafka.kafka import KafkaBroker, delete_topics
from plugins import manifests
from process import Process
from program import ROOT, program, wait_for
from stores import PostgresqlStores

HOSTS = {"client": "client_api", "sync1": "sync_api", "sync2": "sync_api", "rooms1": "room_server",
         "rooms2": "room_server", "users": "user_api", "edus": "edu_server"}
INTERNAL_PORT, CLIENT_PORT = 8500, 8008
SECRET = "a secret of the tests' own"

_names = itertools.count(1)
_broker = None


def shared_broker():
    """Where the Kafka broker is that this run's tests share: host:port."""
    global _broker
    told = fixture.find("kafka")
    if told:
        return told["bootstrap"]
    if _broker is None:
        _broker = KafkaBroker()
        _broker.start()
        atexit.register(_broker.close)
    return _broker.bootstrap


class Nginx:
    """The proxy: the sample of config/profiles/split, with this server's addresses."""

    def __init__(self, folder, addresses, hosts):
        self.folder = os.path.join(folder, "nginx")
        os.makedirs(self.folder)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        with open(os.path.join(ROOT, "config", "profiles", "split", "nginx.conf"), encoding="utf-8") as sample:
            site = sample.read()
        for name, component in (("backplane_sync", "sync_api"), ("backplane_client", "client_api")):
            servers = "".join(f"    server {addresses[host]}:{CLIENT_PORT} max_fails=0;\n"
                              for host in addresses if hosts[host] == component)
            site, count = re.subn(rf"(upstream {name} {{.*?)(?:    server [^\n]*\n)+", rf"\g<1>{servers}", site,
                                  flags=re.DOTALL)
            assert count == 1, f"the sample has no upstream {name}"
        site, count = re.subn(r"listen \d+;", f"listen 127.0.0.1:{self.port};", site)
        assert count == 1, "the sample has no port to listen on"
        # As root its workers would be another user, who may not enter this folder, where large bodies are kept.
        user = "user root;\n" if os.geteuid() == 0 else ""
        temporary = "".join(f"  {kind}_temp_path {self.folder}/{kind};\n"
                            for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        with open(os.path.join(self.folder, "nginx.conf"), "w", encoding="utf-8") as out:
            out.write(f"{user}daemon off;\nworker_processes 1;\npid {self.folder}/pid;\nerror_log {self.folder}/errors.log;\n"
                      f"events {{ worker_connections 4096; }}\nhttp {{\n  access_log off;\n{temporary}{site}}}\n")
        self.process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", "nginx", "-e", self.folder + "/errors.log", "-p", self.folder,
             "-c", "nginx.conf"], stdin=subprocess.DEVNULL)
        wait_for("nginx to listen", self._listens)

    def _listens(self):
        assert self.process.poll() is None, open(self.folder + "/errors.log", encoding="utf-8").read()
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            return True
        except OSError:
            return False

    def close(self):
        self.process.terminate()
        self.process.wait()


class Split:
    """`broker` and `database` (a PostgresqlServer) are the test's own, else this run's. `links` (links.py): hosts call each
    other through them. `hosts`: what each one runs. `stores`: those that another shape had, to go on with; then the signing key is there, too."""

    name = "split"
    transport = "log_kafka"

    def __init__(self, broker=None, database=None, links=None, hosts=None, stores=None):
        self.hosts = hosts or HOSTS
        self._broker, self._database, self.links, self.stores = broker, database, links, stores
        self._topic_prefix = f"test{os.getpid()}n{next(_names)}."

    def open(self, server):
        makes_key = self.stores is None
        self.stores = self.stores or PostgresqlStores(self._database or postgresql.shared())
        network = f"127.{random.randint(1, 254)}.{random.randint(0, 255)}."
        self.addresses = {name: f"{network}{number}" for number, name in enumerate(self.hosts, 1)}
        self._folder = server.path("")
        self._key = server.path("signing.key")
        self._processes = {
            name: Process(server.path("backplane.yaml"), server.path(f"{name}.log"),
                          {"BACKPLANE__THIS_HOST": name, "BACKPLANE__DATA_DIR": server.path("data", name),
                           "BACKPLANE__LISTENERS__0__BIND": address, "BACKPLANE__LISTENERS__1__BIND": address,
                           "BACKPLANE__OPERATIONS__BIND": address, **self._linked(name)}, address)
            for name, address in self.addresses.items()}
        if makes_key:
            self._make_key()
        self.nginx = Nginx(server.folder, self.addresses, self.hosts)
        return self.stores

    def _linked(self, name):
        """Where that host finds the others, when there are links between them."""
        if self.links is None:
            return {}
        return {f"BACKPLANE__HOSTS__{other.upper()}__URL": self.links.url(name, other, address, INTERNAL_PORT)
                for other, address in self.addresses.items() if other != name}

    def _make_key(self):
        """Hosts that sign have the same key: made beforehand, as an operator does."""
        subprocess.run([program(), "generate-keys", "--output", self._key], check=True, stdout=subprocess.DEVNULL)

    def close(self):
        self.nginx.close()
        shutil.rmtree(self.nginx.folder, ignore_errors=True)
        if self._broker is None:  # what is shared has no end soon
            delete_topics(shared_broker(), [self._topic_prefix + topic["topic"] for manifest in manifests().values()
                                            for topic in manifest.get("publishes", [])])

    def named(self):
        """The processes by their hosts' names."""
        return dict(self._processes)

    def processes(self):
        return list(self._processes.values())

    def host(self, component):
        """The process of that name, or the first one that runs that component."""
        return self._processes[component if component in self._processes else
                               next(name for name, runs in self.hosts.items() if runs == component)]

    def port(self):
        return self.nginx.port

    def config(self):
        return {
            "shared_secret": SECRET,
            "hosts": {name: {"url": f"http://{address}:{INTERNAL_PORT}", "plugins": [self.hosts[name], "log_kafka"]}
                      for name, address in self.addresses.items()},
            "storage": {"engine": "postgresql", "connection": self.stores.connection},
            "log": {"transport": "kafka"},
            "trusted_proxies": ["127.0.0.0/8"],
            "listeners": [{"bind": "127.0.0.1", "port": CLIENT_PORT, "serves": ["client", "media"]},
                          {"bind": "127.0.0.1", "port": INTERNAL_PORT, "serves": ["internal"]}],
            "plugins": {"log_kafka": {"brokers": [self._broker.bootstrap if self._broker else shared_broker()],
                                      "topic_prefix": self._topic_prefix},
                        "room_server": {"signing_key_path": self._key}},
        }
