"""One process of the built program. Ports are the system's choice (port 0), read from its log."""
import http.client
import os
import re
import signal
import subprocess

from metrics import Metrics
from program import PATIENCE, program, wait_for


class Process:
    """Runs with a config file, and writes its log to another; `environment` is laid over this program's own."""

    def __init__(self, config, log, environment=None, address="127.0.0.1"):
        self.config, self.log_file, self.environment, self.address = config, log, environment or {}, address
        self.process = None
        self.port = self.operations_port = 0
        self._log_before = 0

    @property
    def where(self):
        """Its first listener, as sockets take it."""
        return self.address, self.port

    def command(self, *arguments):
        return [program(), *arguments, "--config", self.config]

    def run(self, *arguments, patience=PATIENCE, input=None):
        """A command that ends by itself (also `run`, when it is to fail): (exit code, output, errors)."""
        done = subprocess.run(self.command(*arguments), capture_output=True, text=True, timeout=patience, check=False,
                              input=input, env={**os.environ, **self.environment})
        return done.returncode, done.stdout, done.stderr

    def log(self):
        """What it has said so far, in all its runs."""
        try:
            with open(self.log_file, encoding="utf-8", errors="replace") as text:
                return text.read()
        except FileNotFoundError:
            return ""

    # Its life

    def launch(self):
        """Starts it without waiting for it. setpriv ends it should this program end first."""
        assert not self.running(), "it is running already"
        self._log_before = len(self.log())
        with open(self.log_file, "a", encoding="utf-8") as log:
            self.process = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", *self.command("run")], stdout=log, stderr=log,
                                            stdin=subprocess.DEVNULL, env={**os.environ, **self.environment})

    def wait_until_ready(self):
        wait_for("the server to be ready", self.is_listening, pause=0.002)
        assert self.health("ready") == 200, self.log()[self._log_before:]

    def start(self):
        """Starts it; it is ready when this returns."""
        self.launch()
        self.wait_until_ready()
        return self

    def is_listening(self):
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

    def pause(self):
        self.signal(signal.SIGSTOP)

    def resume(self):
        self.signal(signal.SIGCONT)

    def wait(self):
        """Waits for the end, answers the exit code."""
        try:
            return self.process.wait(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"the server does not end:\n{self._stacks()}\n{self.log()[self._log_before:]}") from None

    def _stacks(self):
        """What each of its threads is at."""
        done = subprocess.run(["gdb", "--batch", "-p", str(self.process.pid), "-ex", "thread apply all backtrace 24"],
                              capture_output=True, text=True, timeout=PATIENCE, check=False, stdin=subprocess.DEVNULL)
        return done.stdout + done.stderr

    def end(self):
        """Waits for an orderly end."""
        code = self.wait()
        assert code == 0, f"the server ended with {code}:\n{self.log()[self._log_before:]}"

    def stop(self):
        """An orderly end."""
        if self.running():
            self.signal(signal.SIGTERM)
        self.end()

    def kill(self):
        """No end at all: SIGKILL."""
        self.signal(signal.SIGKILL)
        self.wait()

    # What operators see

    def _operations(self, path):
        connection = http.client.HTTPConnection(self.address, self.operations_port, timeout=PATIENCE)
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
        """Its resident memory."""
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as status:
            return int(re.search(r"VmRSS:\s+(\d+)", status.read()).group(1))

    def cpu_seconds(self):
        with open(f"/proc/{self.process.pid}/stat", encoding="ascii") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
