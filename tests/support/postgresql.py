"""A PostgreSQL server for tests: Debian's programs in a temporary folder, reached by a Unix socket there. It commits as
on an operator's machine (fsync), but is made for a short life. As root, it runs as the user `postgres`.

Within ctest one server serves all tests (fixture.py); a test that is run by hand, or that restarts the server, starts one
of its own. Each Server under test has a database of its own in it."""
import atexit
import glob
import itertools
import os
import pwd
import signal
import subprocess
import tempfile

import fixture
from program import PATIENCE, wait_for

_names = itertools.count(1)
_shared = None
SETTINGS = {
    "listen_addresses": "",
    "max_connections": "200",
    "shared_buffers": "64MB",
    "max_wal_size": "512MB",
    "checkpoint_timeout": "30min",
    "full_page_writes": "off",  # for power cuts, which tests do not make
    "jit": "off",
}


def programs():
    """The folder of the newest version that is installed."""
    found = glob.glob("/usr/lib/postgresql/*/bin")
    assert found, "there is no PostgreSQL; packaging/install-dependencies.sh test installs it"
    return max(found, key=lambda path: int(path.split("/")[-2]))


def shared():
    """The server that this run's tests share."""
    global _shared
    if _shared is None:
        told = fixture.find("postgresql")
        if told:
            _shared = Address(told["folder"])
        else:
            _shared = PostgresqlServer()
            atexit.register(_shared.close)
    return _shared


class Address:
    """Where a server is, and what can be done with it from outside."""

    user = "postgres"

    def __init__(self, folder):
        self.folder = folder
        self._free = []  # databases

    def connection(self, database):
        """As libpq takes it."""
        return f"host={self.folder} dbname={database} user={self.user}"

    def command(self, name, *arguments):
        """One of PostgreSQL's own programs, for this server."""
        return [os.path.join(programs(), name), "-h", self.folder, "-U", self.user, *arguments]

    def psql(self, database, sql):
        """What the statements answer, unadorned. They go in one by one, as a file's do."""
        done = subprocess.run(self.command("psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", database),
                              input=sql, capture_output=True, text=True, timeout=PATIENCE, check=False)
        assert done.returncode == 0, f"{sql[:200]}: {done.stderr}"
        return done.stdout.strip()

    def schemas(self, database):
        """The schemas there that are not PostgreSQL's own."""
        return self.psql(database, "SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname NOT IN "
                                   "('information_schema', 'public') ORDER BY nspname").split()

    def take_database(self):
        """An empty one, this program's own."""
        if self._free:
            return self._free.pop()
        name = f"test_{os.getpid()}_{next(_names)}"
        self.psql("postgres", f"CREATE DATABASE {name} TEMPLATE template0")
        return name

    def give_back_database(self, name):
        """Nobody uses it any more. It is emptied for the next one: a new one is some hundred files, synchronised."""
        self.psql(name, "".join(f"DROP SCHEMA {schema} CASCADE;" for schema in self.schemas(name)))
        self._free.append(name)


class PostgresqlServer(Address):
    """A server that this program starts, and ends. It ends too when the program does."""

    def __init__(self):
        super().__init__(tempfile.mkdtemp(prefix="backplane-pg-"))
        self.process = None
        self._as = []
        if os.geteuid() == 0:  # the programs refuse to run as root
            account = pwd.getpwnam(self.user)
            os.chown(self.folder, account.pw_uid, account.pw_gid)
            self._as = ["--reuid", str(account.pw_uid), "--regid", str(account.pw_gid), "--clear-groups"]
        os.chmod(self.folder, 0o755)  # clients of any user reach the socket
        self._spawn("initdb", "-D", self._path("data"), "-U", self.user, "--auth=trust", "--no-sync", "--encoding=UTF8",
                    "--locale=C").wait()
        self.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _path(self, name):
        return os.path.join(self.folder, name)

    def _spawn(self, name, *arguments):
        with open(self._path("log"), "a", encoding="utf-8") as log:
            return subprocess.Popen(["setpriv", *self._as, "--pdeathsig", "INT", os.path.join(programs(), name), *arguments],
                                    cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def log(self):
        with open(self._path("log"), encoding="utf-8", errors="replace") as text:
            return text.read()

    def start(self):
        settings = [word for name, value in SETTINGS.items() for word in ("-c", f"{name}={value}")]
        self.process = self._spawn("postgres", "-D", self._path("data"), "-k", self.folder, *settings)
        wait_for("PostgreSQL to take connections", self._takes_connections, pause=0.02)

    def _takes_connections(self):
        assert self.process.poll() is None, "PostgreSQL did not start:\n" + self.log()
        return subprocess.run(self.command("pg_isready", "-q"), check=False).returncode == 0

    def stop(self):
        """Ends connections and all; what was committed is there after the next start."""
        self.process.send_signal(signal.SIGINT)
        self.process.wait(timeout=PATIENCE)

    def restart(self):
        self.stop()
        self.start()

    def close(self):
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGQUIT)  # writes nothing more: all of it goes
            self.process.wait(timeout=PATIENCE)
        # Thousands of files; nobody has to wait for that.
        subprocess.Popen(["rm", "-rf", self.folder], start_new_session=True, stdin=subprocess.DEVNULL)
