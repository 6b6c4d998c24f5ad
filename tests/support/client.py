"""A Matrix client for tests: plain calls, and the few verbs that every scenario needs. Each thread has a connection of
its own, kept open; nothing is repeated behind the test's back."""
import http.client
import itertools
import json
import threading
import urllib.parse

from program import PATIENCE, wait_for

_names = itertools.count(1)


def quote(*parts):
    return "/".join(urllib.parse.quote(str(part), safe="") for part in parts)


class Refused(AssertionError):
    """The server answered with an error that the test did not expect."""

    def __init__(self, request, status, body):
        super().__init__(f"{request}: {status} {body}")
        self.status, self.body = status, body


class Client:
    """A user on a device, or somebody without a token. `server`: a Server, or a Process, to talk to that one host."""

    def __init__(self, server, user_id=None, token=None, device_id=None):
        self.server, self.user_id, self.token, self.device_id = server, user_id, token, device_id
        self.since = None  # the token of the last sync()
        self._transactions = itertools.count(1)
        self._local = threading.local()

    # Calls

    def exchange(self, method, path, body=None, token=True, headers=None, timeout=PATIENCE):
        """One request: (status, headers, bytes). A text or bytes go as they are, anything else as JSON. Whatever goes
        wrong with the connection is an OSError or HTTPException."""
        sent = dict(headers or {})
        if token is True:
            token = self.token
        if token:
            sent["Authorization"] = f"Bearer {token}"
        if body is not None and not isinstance(body, (str, bytes)):
            body = json.dumps(body)
        if body is not None:
            sent.setdefault("Content-Type", "application/json")
        connection = self._connection(timeout)
        try:
            connection.request(method, path, body.encode() if isinstance(body, str) else body, sent)
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        except (OSError, http.client.HTTPException):
            self.disconnect()
            raise

    def _connection(self, timeout):
        connection = getattr(self._local, "connection", None)
        if connection is None or connection.port != self.server.port:  # a restarted server has another port
            connection = http.client.HTTPConnection(self.server.address, self.server.port, timeout=timeout)
            self._local.connection = connection
        connection.timeout = timeout
        if connection.sock is not None:
            connection.sock.settimeout(timeout)
        return connection

    def disconnect(self):
        connection = getattr(self._local, "connection", None)
        if connection is not None:
            connection.close()

    def call(self, method, path, body=None, query=None, **how):
        """One request of the client-server API: (status, JSON). The path goes on from /_matrix/client/."""
        full = path if path.startswith("/") else "/_matrix/client/" + path
        if query:
            full += "?" + urllib.parse.urlencode(query)
        status, headers, text = self.exchange(method, full, body, **how)
        if headers["Content-Type"] == "text/html":  # the proxy's own page, where it has nobody to ask
            return status, {"page": text.decode()}
        return status, json.loads(text) if text else None

    def expect(self, method, path, body=None, **how):
        status, answer = self.call(method, path, body, **how)
        if status != 200:
            raise Refused(f"{method} {path}", status, answer)
        return answer

    def get(self, path, **query):
        return self.expect("GET", path, query=query)

    def post(self, path, body=None):
        return self.expect("POST", path, {} if body is None else body)

    def put(self, path, body=None):
        return self.expect("PUT", path, {} if body is None else body)

    def delete(self, path):
        return self.expect("DELETE", path)

    def refused(self, status, errcode, method, path, body=None, **how):
        """A call that must be refused just so; answers the body."""
        got, answer = self.call(method, path, body, **how)
        assert (got, (answer or {}).get("errcode")) == (status, errcode), \
            f"{method} {path}: expected {status} {errcode}, got {got} {answer}"
        return answer

    def refused_soon(self, status, errcode, method, path, body=None, **how):
        """The same, of what another host has to hear of first."""
        def asked():
            got, answer = self.call(method, path, body, **how)
            return (got, (answer or {}).get("errcode")) == (status, errcode)
        wait_for(f"{method} {path} to be refused", asked)

    # Accounts

    def log_in(self, name, password="a good password", **more):
        answer = self.post("v3/login", {"type": "m.login.password", "password": password,
                                        "identifier": {"type": "m.id.user", "user": name}, **more})
        return Client(self.server, answer["user_id"], answer["access_token"], answer["device_id"])

    # Rooms

    def create_room(self, **options):
        return self.post("v3/createRoom", options)["room_id"]

    def invite(self, room, other):
        self.post(f"v3/rooms/{quote(room)}/invite", {"user_id": other.user_id})

    def join(self, room):
        return self.post(f"v3/join/{quote(room)}")["room_id"]

    def leave(self, room):
        self.post(f"v3/rooms/{quote(room)}/leave")

    def transaction(self):
        return f"t{next(self._transactions)}"

    def send(self, room, text, transaction=None, type="m.room.message", **content):
        transaction = transaction or self.transaction()
        return self.put(f"v3/rooms/{quote(room)}/send/{quote(type, transaction)}",
                        {"msgtype": "m.text", "body": text, **content})["event_id"]

    def set_state(self, room, type, content, key=""):
        return self.put(f"v3/rooms/{quote(room)}/state/{quote(type, key)}", content)["event_id"]

    def state(self, room, type, key=""):
        return self.get(f"v3/rooms/{quote(room)}/state/{quote(type, key)}")

    def redact(self, room, event, **content):
        return self.put(f"v3/rooms/{quote(room)}/redact/{quote(event, self.transaction())}", content)["event_id"]

    def messages(self, room, **query):
        return self.get(f"v3/rooms/{quote(room)}/messages", **query)

    # Sync

    def sync(self, timeout=0, **query):
        """The next answer of /sync; goes on from the last one."""
        if self.since is not None:
            query.setdefault("since", self.since)
        if query.get("since", "") is None:
            del query["since"]
        query = {key: json.dumps(value) if isinstance(value, dict) else value for key, value in query.items()}
        answer = self.get("v3/sync", timeout=timeout, **query)
        self.since = answer["next_batch"]
        return answer

    def sync_until(self, what, find, **query):
        """Syncs until `find(answer)` is true, and answers that. The first answer has all that is committed by now."""
        found = find(self.sync(**query))
        return found or wait_for(what, lambda: find(self.sync(timeout=1000, **query)), pause=0)

    def sync_until_event(self, room, event, **query):
        """The event as /sync shows it."""
        return self.sync_until(f"event {event}", lambda answer: next(
            (found for found in timeline(answer, room) if found["event_id"] == event), None), **query)


def register(server, name=None, **more):
    """A new account, logged in."""
    name = name or f"user{next(_names)}"
    answer = Client(server).post("v3/register", {"username": name, "password": "a good password",
                                                 "auth": {"type": "m.login.dummy"}, **more})
    return Client(server, answer["user_id"], answer["access_token"], answer["device_id"])


# Parts of an answer of /sync

def make_admin(server, name):
    """An account that administers the server, made as an operator does."""
    password = "a good password"
    code, out, errors = server.host("user_api").run("users", "create", name, "--admin", "--password-stdin", input=password)
    assert code == 0, out + errors
    return Client(server).log_in(name, password)


def joined(answer, room):
    return answer.get("rooms", {}).get("join", {}).get(room, {})


def timeline(answer, room, section="join"):
    return answer.get("rooms", {}).get(section, {}).get(room, {}).get("timeline", {}).get("events", [])


def ephemeral(answer, room, type):
    return [event for event in joined(answer, room).get("ephemeral", {}).get("events", []) if event["type"] == type]


def bodies(events):
    """What the messages among them say."""
    return [event["content"].get("body") for event in events if event["type"] == "m.room.message"]
