"""A server under test: the built program with a config of its own in a temporary folder. Runs, stops, kills, restarts
it. Ports are the system's choice (port 0), read from the log. Config is written as JSON, which YAML includes."""
import http.client
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile

from metrics import Metrics
from program import PATIENCE, program, wait_for

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
    """The folder goes when the object is closed (or its `with` ends); the process before that."""

    def __init__(self, config=None):
        self.folder = tempfile.mkdtemp(prefix="backplane-test-")
        self.config = merged(test_config(), config or {})
        self.write_config()
        self.process = None
        self.port = self.operations_port = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

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
        try:
            with open(self.path("server.log"), encoding="utf-8", errors="replace") as text:
                return text.read()
        except FileNotFoundError:
            return ""

    # The process

    def command(self, *arguments):
        return [program(), *arguments, "--config", self.path("backplane.yaml")]

    def run(self, *arguments):
        """A command that ends by itself (also `run`, when it is to fail): (exit code, output, errors)."""
        done = subprocess.run(self.command(*arguments), capture_output=True, text=True, timeout=PATIENCE, check=False)
        return done.returncode, done.stdout, done.stderr

    def launch(self):
        """Starts the process without waiting for it. setpriv ends it should this program end first."""
        assert not self.running(), "it is running already"
        self._log_before = len(self.log())
        with open(self.path("server.log"), "a", encoding="utf-8") as log:
            self.process = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", *self.command("run")], stdout=log,
                                            stderr=log, stdin=subprocess.DEVNULL)

    def start(self):
        """Starts the process; it is ready when this returns."""
        self.launch()
        wait_for("the server to be ready", self._is_listening, pause=0.002)
        assert self.health("ready") == 200, self.log()[self._log_before:]
        return self

    def _is_listening(self):
        said = self.log()[self._log_before:]
        if not self.running():
            raise AssertionError(f"the server ended with {self.process.returncode}:\n{said}")
        ports = re.findall(r"host: listening .*?\bport=(\d+)", said)
        operations = re.search(r"operations listener ready .*?\bport=(\d+)", said)
        if not ports or " host: ready " not in said:
            return False
        self.port = int(ports[0])
        self.operations_port = int(operations.group(1)) if operations else 0
        return True

    def running(self):
        return self.process is not None and self.process.poll() is None

    def signal(self, number):
        self.process.send_signal(number)

    def wait(self):
        """Waits for the end, answers the exit code."""
        return self.process.wait(timeout=PATIENCE)

    def stop(self):
        """An orderly end."""
        if self.running():
            self.signal(signal.SIGTERM)
        code = self.wait()
        assert code == 0, f"the server ended with {code}:\n{self.log()[self._log_before:]}"

    def kill(self):
        """No end at all: SIGKILL."""
        self.signal(signal.SIGKILL)
        self.wait()

    def restart(self):
        self.stop()
        return self.start()

    def close(self):
        if self.running():
            self.kill()
        if os.environ.get("BACKPLANE_TEST_KEEP"):
            print(f"kept {self.folder}")
        else:
            shutil.rmtree(self.folder, ignore_errors=True)

    # What operators see

    def _operations(self, path):
        connection = http.client.HTTPConnection("127.0.0.1", self.operations_port, timeout=PATIENCE)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def health(self, what):
        return self._operations("/health/" + what)[0]

    def metrics(self):
        status, text = self._operations("/metrics")
        assert status == 200, (status, text)
        return Metrics(text)

    def memory_kib(self):
        """The process' resident memory."""
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as status:
            return int(re.search(r"VmRSS:\s+(\d+)", status.read()).group(1))

    def cpu_seconds(self):
        with open(f"/proc/{self.process.pid}/stat", encoding="ascii") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
