"""The shapes in which a server is tested: what it is made of, while what clients see is the same.

    single       one process, SQLite, log_in_process: the defaults
    postgresql   one process, PostgreSQL, log_in_process
    split        a host process for each component, PostgreSQL, Kafka, nginx in front (split.py)

ctest chooses with BACKPLANE_TEST_SHAPE; without it a test is for `single`. A shape belongs to one server."""
import os

import postgresql
from process import Process
from split import Split
from stores import PostgresqlStores, SqliteStores


class OneProcess:
    """What the shapes of one process have in common."""

    transport = "log_in_process"  # the plugin that carries the logs

    def open(self, server):
        """Makes what a server of this shape needs; answers its databases."""
        self._server = server
        self.process = Process(server.path("backplane.yaml"), server.path("server.log"))
        return self.open_stores(server)

    def close(self):
        """After its processes."""

    def processes(self):
        return [self.process]

    def host(self, component):
        del component  # there is one process
        return self.process

    def port(self):
        return self.process.port

    def config(self):
        """What to lay over the tests' config."""
        return {}


class Single(OneProcess):
    name = "single"

    def open_stores(self, server):
        return SqliteStores(server.path("data"))


class Postgresql(OneProcess):
    """`stores`: those that another shape had, to go on with."""

    name = "postgresql"

    def __init__(self, stores=None):
        self.stores = stores

    def open_stores(self, server):
        del server
        self.stores = self.stores or PostgresqlStores(postgresql.shared())
        return self.stores

    def config(self):
        return {"storage": {"engine": "postgresql", "connection": self.stores.connection}}


SHAPES = {shape.name: shape for shape in (Single, Postgresql, Split)}


def chosen():
    """A shape of the kind that this run is for."""
    name = os.environ.get("BACKPLANE_TEST_SHAPE", Single.name)
    assert name in SHAPES, f"BACKPLANE_TEST_SHAPE is '{name}'; there are {', '.join(SHAPES)}"
    return SHAPES[name]()


def is_chosen(*names):
    """Whether this run is for one of these shapes."""
    return os.environ.get("BACKPLANE_TEST_SHAPE", Single.name) in names
