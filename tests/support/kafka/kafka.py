#!/usr/bin/env python3
"""A real Kafka broker for tests: one node on loopback, ports of the system's choice, a folder of its own.

In Python (tests/support is on the path of scenarios):

    from kafka import KafkaBroker
    with KafkaBroker() as broker:          # started, and takes requests
        broker.bootstrap                   # "127.0.0.1:40123": the option `brokers`
        broker.kill(); broker.start()      # kill -9; again with the same port and data
        broker.stop(); broker.start()      # an orderly end
        broker.pause(); broker.resume()    # SIGSTOP and SIGCONT: it is there and does not answer

The broker ends with the thread that started it, whatever happens, and its folder goes with close().

As a program:
    kafka.py fetch            gets the jars, once: a later start needs no network (about 15 s)
    kafka.py serve            a broker for tests in other languages: answers each line of standard input (start, stop,
                              kill, pause, resume) with a line `ok BOOTSTRAP` or `error TEXT`; ends with the input
    kafka.py run COMMAND...   runs a command with BACKPLANE_KAFKA_BOOTSTRAP in its environment

Jars, a formatted folder and an archive of loaded classes (a start takes 2 s with it, 6 without) are kept outside of the
tree, in ${XDG_CACHE_HOME:-~/.cache}/backplane/kafka-<key>. This needs a Java run-time; fetching needs Maven."""
import ctypes
import fcntl
import glob
import hashlib
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
PATIENCE = float(os.environ.get("BACKPLANE_TEST_PATIENCE", "60"))
JVM = ["-Xms64m", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:MaxMetaspaceSize=128m",
       "-XX:-UsePerfData", "-Djava.awt.headless=true", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
       "-Dorg.slf4j.simpleLogger.showDateTime=true"]
CLUSTER = "YmFja3BsYW5lLXRlc3RzMA"
PR_SET_PDEATHSIG = 1


def read(path):
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read()


def run(words, what):
    done = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors="replace")
    if done.returncode != 0:
        raise RuntimeError(f"{what} failed with status {done.returncode}:\n{done.stdout[-4000:]}")
    return done.stdout


def java():
    found = shutil.which("java")
    if found is None:
        raise RuntimeError("a Kafka broker for tests needs Java: install openjdk-17-jre-headless")
    return found


class Installation:
    """The jars and what was made of them; shared by all brokers of this user."""

    def __init__(self):
        cache = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
        runtime = subprocess.run([java(), "-version"], stderr=subprocess.STDOUT, stdout=subprocess.PIPE).stdout
        parts = [open(os.path.join(HERE, name), "rb").read() for name in ("pom.xml", "server.properties")]
        key = hashlib.sha256(b"\0".join([*parts, runtime, "\n".join(JVM).encode()])).hexdigest()[:16]
        self.folder = os.path.join(cache, "backplane", "kafka-" + key)
        self.template = os.path.join(self.folder, "template")
        self.archive = os.path.join(self.folder, "classes.jsa")

    def command(self, options, main, *arguments):
        # In a fixed order: the archive of classes is only used with the class path that it was made with.
        path = ":".join(sorted(glob.glob(os.path.join(self.folder, "jars", "*.jar"))))
        return [java(), *JVM, *options, "-cp", path, main, *arguments]

    def prepare(self):
        """Does what is missing; others who want the same wait."""
        complete = os.path.join(self.folder, "complete")
        if os.path.exists(complete):
            return self
        os.makedirs(self.folder, exist_ok=True)
        with open(os.path.join(self.folder, "lock"), "w", encoding="ascii") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not os.path.exists(complete):
                self._fetch()
                self._format()
                self._archive()
                open(complete, "w", encoding="ascii").close()
        return self

    def _fetch(self):
        if shutil.which("mvn") is None:
            raise RuntimeError("fetching the Kafka broker for tests needs Maven: install maven")
        jars = os.path.join(self.folder, "jars")
        shutil.rmtree(jars, ignore_errors=True)
        run(["mvn", "-q", "-B", "-f", os.path.join(HERE, "pom.xml"), "dependency:copy-dependencies",
             "-DincludeScope=runtime", "-DoutputDirectory=" + jars], "fetching the jars of Kafka")

    def _format(self):
        """A broker's empty data folder. Copied for each, as the tool that makes one takes as long as a start."""
        shutil.rmtree(self.template, ignore_errors=True)
        with tempfile.TemporaryDirectory() as folder:
            properties = write_properties(folder, self.template, 1, 2)
            run(self.command([], "kafka.tools.StorageTool", "format", "-t", CLUSTER, "-c", properties),
                "formatting a folder for Kafka")

    def _archive(self):
        if os.path.exists(self.archive):
            os.unlink(self.archive)
        options = ["-XX:ArchiveClassesAtExit=" + self.archive, "-Xlog:cds=off", "-Xlog:cds+dynamic=off"]
        with KafkaBroker(self, options) as broker:
            broker.stop()
        if not os.path.exists(self.archive):
            raise RuntimeError(f"Java did not write the archive of classes {self.archive}")


def write_properties(folder, data, port, controller):
    text = read(os.path.join(HERE, "server.properties"))
    for name, value in (("DATA", data), ("PORT", port), ("CONTROLLER", controller)):
        text = text.replace(f"@{name}@", str(value))
    path = os.path.join(folder, "server.properties")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()


def exactly(connection, size):
    data = b""
    while len(data) < size:
        more = connection.recv(size - len(data))
        if not more:
            raise ConnectionError("the broker closed the connection")
        data += more
    return data


def ask(connection, api, version, body):
    """The answer to a request of Kafka's protocol, whose bodies are the caller's to know."""
    client = b"backplane-test"
    request = struct.pack(">hhih", api, version, 1, len(client)) + client + body
    connection.sendall(struct.pack(">i", len(request)) + request)
    return exactly(connection, struct.unpack(">i", exactly(connection, 4))[0])


def delete_topics(bootstrap, names):
    """Those of them that are there (request 20, version 1). A broker has work with each partition that it holds."""
    host, port = bootstrap.rsplit(":", 1)
    topics = b"".join(struct.pack(">h", len(name)) + name.encode() for name in names)
    with socket.create_connection((host, int(port)), timeout=PATIENCE) as connection:
        ask(connection, 20, 1, struct.pack(">i", len(names)) + topics + struct.pack(">i", 30000))


def takes_requests(port):
    """Whether the broker has registered with its controller, and gives idempotent producers their ids: an open port is
    not enough. Looks for a broker in the cluster's metadata (request 3, version 1, no topics), and asks for an id
    (request 22, version 0)."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2) as connection:
            brokers = struct.unpack(">ii", ask(connection, 3, 1, struct.pack(">i", 0))[:8])[1]
            error = struct.unpack(">iih", ask(connection, 22, 0, struct.pack(">hi", -1, 60000))[:10])[2]
            return brokers > 0 and error == 0
    except OSError:
        return False


def die_with_parent():
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class KafkaBroker:
    """A broker. `with` starts and closes it; the calls are one thread's."""

    def __init__(self, installation=None, options=None):
        self.installation = installation or Installation().prepare()
        self.options = options if options is not None else [
            "-Xshare:auto", "-XX:SharedArchiveFile=" + self.installation.archive]
        self.folder = tempfile.mkdtemp(prefix="backplane-kafka-")
        self.process = None
        self.port = 0
        self.controller = 0

    @property
    def bootstrap(self):
        return f"127.0.0.1:{self.port}"

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_):
        self.close()

    def start(self):
        """Starts it, and again after stop() or kill(): with the same data and port. Returns when it takes requests."""
        if self.process is not None:
            return
        data = os.path.join(self.folder, "data")
        for attempts_left in range(4, -1, -1):
            first = not os.path.exists(data)
            if first:
                shutil.copytree(self.installation.template, data)
                self.port, self.controller = free_ports(2)
            try:
                self._launch(data)
                return
            except RuntimeError as error:
                # Another program may have taken a port between the choice and the start.
                if not first or not attempts_left or "Address already in use" not in str(error):
                    raise
                shutil.rmtree(data)

    def _launch(self, data):
        properties = write_properties(self.folder, data, self.port, self.controller)
        log = os.path.join(self.folder, "broker.log")
        with open(log, "ab") as output:
            self.process = subprocess.Popen(
                self.installation.command(self.options, "kafka.Kafka", properties), stdin=subprocess.DEVNULL,
                stdout=output, stderr=subprocess.STDOUT, preexec_fn=die_with_parent)
        until = time.monotonic() + PATIENCE
        while not takes_requests(self.port):
            ended = self.process.poll() is not None
            if ended or time.monotonic() > until:
                self.kill()
                why = "ended" if ended else f"took no requests within {PATIENCE:g} s"
                raise RuntimeError(f"the Kafka broker {why}:\n{read(log)[-4000:]}")
            time.sleep(0.02)

    def _end(self, how):
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.send_signal(how)
            self.process.send_signal(signal.SIGCONT)
        try:
            self.process.wait(PATIENCE)
        finally:
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait()
            self.process = None

    def kill(self):
        self._end(signal.SIGKILL)

    def stop(self):
        self._end(signal.SIGTERM)

    def pause(self):
        self.process.send_signal(signal.SIGSTOP)

    def resume(self):
        self.process.send_signal(signal.SIGCONT)

    def close(self):
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


def serve():
    broker = KafkaBroker()
    commands = {"start": broker.start, "stop": broker.stop, "kill": broker.kill, "pause": broker.pause,
                "resume": broker.resume}
    try:
        for line in sys.stdin:
            try:
                commands[line.strip()]()
                answer = "ok " + broker.bootstrap
            except Exception as error:  # for the other side to judge
                answer = "error " + repr(error)
            print(answer, flush=True)
    finally:
        broker.close()


def main(arguments):
    command = arguments[0] if arguments else ""
    if command == "fetch" and len(arguments) == 1:
        Installation().prepare()
    elif command == "serve" and len(arguments) == 1:
        serve()
    elif command == "run" and len(arguments) > 1:
        with KafkaBroker() as broker:
            environment = dict(os.environ, BACKPLANE_KAFKA_BOOTSTRAP=broker.bootstrap)
            sys.exit(subprocess.run(arguments[1:], env=environment).returncode)
    else:
        print(__doc__, file=sys.stdout if command in ("-h", "--help") else sys.stderr)
        sys.exit(0 if command in ("-h", "--help") else 2)


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    main(sys.argv[1:])
