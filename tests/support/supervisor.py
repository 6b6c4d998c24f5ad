"""What systemd is to hosts in operation: starts again at once what has ended."""
import threading
import time

from program import wait_for


class Supervisor:
    """`with` ends it; the processes stay. Calls are one thread's."""

    def __init__(self, processes):
        self._processes = processes  # by name
        self._lock = threading.Lock()
        self._log_before = {}
        self._closed = threading.Event()
        self.ends = []  # (name, exit code) of those that nobody asked for
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._closed.set()
        self._thread.join()

    def _watch(self):
        while not self._closed.wait(0.05):  # so that one that cannot start is not tried in a circle
            for name, process in self._processes.items():
                with self._lock:
                    if not process.running():
                        self.ends.append((name, process.process.returncode))
                        process.launch()

    def kill(self, name):
        """SIGKILL; it is on its way up again when this returns."""
        self._end(name, "kill")

    def restart(self, name):
        """SIGTERM, and up again after an orderly end."""
        self._end(name, "stop")

    def _end(self, name, how):
        process = self._processes[name]
        with self._lock:
            self._log_before[name] = len(process.log())
            getattr(process, how)()
            process.launch()

    def started_again(self, name):
        """Whether it has come up since it was ended."""
        return " host: ready " in self._processes[name].log()[self._log_before[name]:]

    def wait_until_ready(self):
        """All of them are there, and say that they are well."""
        wait_for("all hosts to be ready", lambda: all(map(self._is_ready, self._processes.values())), pause=0.05)

    @staticmethod
    def _is_ready(process):
        try:
            return process.is_listening() and process.health("ready") == 200
        except (OSError, AssertionError):
            return False
