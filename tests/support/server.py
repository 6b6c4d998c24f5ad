"""A server under test: the built program with a config of its own in a temporary folder. Runs, stops, kills, restarts
it, in the shape that the test is run for (shapes.py). Config is written as JSON, which YAML includes."""
import json
import os
import shutil
import signal
import tempfile

import shapes

NO_LIMIT = {"per_second": 0, "burst": 1000000}


def merged(base, over):
    """`over` laid over `base` as config layers are: maps joined, everything else replaced."""
    out = dict(base)
    for key, value in over.items():
        out[key] = merged(out[key], value) if isinstance(value, dict) and isinstance(out.get(key), dict) else value
    return out


def test_config():
    """Open registration, cheap passwords, no rate limits, ports of the system's choice."""
    return {
        "server_name": "test",
        "data_dir": "data",
        "listeners": [{"bind": "127.0.0.1", "port": 0}],
        "operations": {"port": 0},
        "rate_limits": {rate: dict(NO_LIMIT) for rate in ("read", "write", "login", "registration")},
        "plugins": {"user_api": {"registration": "open", "failed_logins": 0, "password_hash_memory": "8KiB",
                                 "password_hash_passes": 1}},
    }


class Server:
    """The folder goes when the object is closed (or its `with` ends); the processes before that."""

    def __init__(self, config=None, shape=None):
        self.folder = tempfile.mkdtemp(prefix="backplane-test-")
        self._own_config = config or {}
        self.stores = None
        self.take_shape(shape or shapes.chosen())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def take_shape(self, shape):
        """The server becomes one of that shape: its config, its processes, its databases (self.stores). Processes that
        run still are the caller's to stop; they have none of it if the new shape goes on with the old one's stores."""
        before = self.stores
        if before is not None:
            self.shape.close()
        self.shape = shape
        self.stores = shape.open(self)
        if before is not None and before is not self.stores:
            before.close()
        self.config = merged(merged(test_config(), shape.config()), self._own_config)
        self.write_config()
        self.processes = shape.processes()

    # The files

    def path(self, *parts):
        return os.path.join(self.folder, *parts)

    def write(self, name, content):
        """A file of the config's folder: a text as it is, anything else as JSON."""
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        with open(self.path(name), "w", encoding="utf-8") as out:
            out.write(content if isinstance(content, str) else json.dumps(content, indent=1))

    def write_config(self):
        self.write("backplane.yaml", self.config)

    def log(self):
        """What the server has said so far, in all its runs."""
        return "".join(process.log() for process in self.processes)

    # The processes

    def host(self, component):
        """The process that runs the component."""
        return self.shape.host(component)

    address = "127.0.0.1"

    @property
    def port(self):
        """Where clients go, at that address."""
        return self.shape.port()

    def run(self, *arguments, **how):
        """A command that ends by itself (also `run`, when it is to fail): (exit code, output, errors)."""
        return self.processes[0].run(*arguments, **how)

    def start(self):
        """Starts the server; it is ready when this returns."""
        for process in self.processes:
            process.launch()
        for process in self.processes:
            process.wait_until_ready()
        return self

    def running(self):
        return any(process.running() for process in self.processes)

    def signal(self, number):
        for process in self.processes:
            process.signal(number)

    def wait(self):
        """Waits for the end, answers the exit code: the first one that is not 0."""
        return next((code for code in [process.wait() for process in self.processes] if code), 0)

    def stop(self):
        """An orderly end."""
        for process in self.processes:
            if process.running():
                process.signal(signal.SIGTERM)
        for process in self.processes:
            process.end()

    def kill(self):
        """No end at all: SIGKILL."""
        for process in self.processes:
            process.signal(signal.SIGKILL)
        for process in self.processes:
            process.wait()

    def restart(self):
        self.stop()
        return self.start()

    def close(self):
        for process in self.processes:
            if process.running():
                process.kill()
        self.shape.close()
        if os.environ.get("BACKPLANE_TEST_KEEP"):
            print(f"kept {self.folder}")
            return
        self.stores.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    # What operators see

    def health(self, what):
        """The worst answer of all hosts."""
        return max(process.health(what) for process in self.processes)

    def metrics(self):
        """The samples of all hosts together: Metrics.sum() sums over them."""
        found = [process.metrics() for process in self.processes]
        for other in found[1:]:
            found[0].samples += other.samples
        return found[0]

    def memory_kib(self):
        return sum(process.memory_kib() for process in self.processes)

    def cpu_seconds(self):
        return sum(process.cpu_seconds() for process in self.processes)
