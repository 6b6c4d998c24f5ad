"""What bad input gets: a clear error, and nothing lost."""
import json
import socket
import threading

from client import Client, quote
from server import NO_LIMIT
from server_case import ServerCase


class ErrorsTest(ServerCase):
    def setUp(self):
        self.alice = self.user()
        self.room = self.room_of(self.alice)
        self.send = f"v3/rooms/{quote(self.room)}/send/m.room.message/"

    def test_bodies(self):
        put = lambda transaction, body: self.alice.call("PUT", self.send + transaction, body)
        deep = "[" * 500 + "]" * 500
        for body, errcode in (("{not json", "M_NOT_JSON"), ("", "M_NOT_JSON"), (b'{"a":"\xff"}', "M_NOT_JSON"),
                              ('{"a":1} {}', "M_NOT_JSON"), ("[]", "M_BAD_JSON"), ('"text"', "M_BAD_JSON"),
                              ('{"a":1.5}', "M_BAD_JSON"), ('{"a":9007199254740993}', "M_BAD_JSON"),
                              ('{"a":1,"a":2}', "M_BAD_JSON"), ('{"a":%s}' % deep, "M_BAD_JSON")):
            with self.subTest(body=body[:20]):
                status, answer = put("wrong", body)
                self.assertEqual((400, errcode), (status, answer["errcode"]))
        self.assertEqual(200, put("wrong", {"body": "the id of a refused request is free"})[0])

    def connect(self):
        """To the listener itself, whatever stands before it."""
        return socket.create_connection(self.server.host("client_api").where, timeout=30)

    def test_sizes(self):
        for size in (70_000, 1_000_000, 20_000_000):  # the event's limit, the route's, more than any buffer holds
            self.alice.refused(413, "M_TOO_LARGE", "PUT", f"{self.send}big{size}", {"body": "x" * size})
        # A body above the route's limit: answered before it is read, so that the connection may break meanwhile.
        with self.connect() as raw:
            raw.sendall(b"PUT /_matrix/client/v3/rooms/%21a/send/a/b HTTP/1.1\r\nHost: test\r\nContent-Length: 10000000\r\n\r\n")
            answer = raw.makefile("rb").read()
        self.assertIn(b" 413 ", answer.split(b"\r\n")[0])
        self.assertIn(b"M_TOO_LARGE", answer)
        status, answer = self.alice.call("PUT", f"v3/rooms/{quote(self.room)}/state/{'x' * 300}/", {})
        self.assertIn(status, (400, 413), answer)
        # nginx has a page of its own for such a header.
        status, _, answer = Client(self.server.host("client_api")).exchange("GET", "/_matrix/client/versions",
                                                                            headers={"X-Long": "x" * 40_000})
        self.assertEqual((431, "M_TOO_LARGE"), (status, json.loads(answer)["errcode"]))
        self.alice.get("v3/account/whoami")

    def test_no_http(self):
        for text in (b"\x16\x03\x01\x02\x00\x01\x00", b"HELLO\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"GET  HTTP/1.1\r\n\r\n"):
            with self.subTest(text=text), self.connect() as raw:
                raw.sendall(text)
                raw.shutdown(socket.SHUT_WR)
                answer = raw.makefile("rb").read()
                self.assertTrue(answer == b"" or b" 400 " in answer or b" 505 " in answer, answer)
        self.alice.get("v3/account/whoami")

    def test_tokens(self):
        anyone = Client(self.server)
        for path in ("v3/sync", "v3/account/whoami", "v3/joined_rooms", f"v3/rooms/{quote(self.room)}/messages"):
            anyone.refused(401, "M_MISSING_TOKEN", "GET", path)
            anyone.refused(401, "M_UNKNOWN_TOKEN", "GET", path, token="not-a-token")
        answer = anyone.refused(401, "M_UNKNOWN_TOKEN", "GET", "v3/sync", token="x" * 1000)
        self.assertIs(False, answer.get("soft_logout", False))
        # COMPAT: a token in the query, as old clients send it.
        self.assertEqual(200, anyone.call("GET", "v3/account/whoami", query={"access_token": self.alice.token})[0])

    def test_paths(self):
        for method, path in (("GET", "v3/no/such"), ("POST", "/_matrix/client/v99/sync"), ("GET", "/_matrix/nothing"),
                             ("GET", "/no/such/page"), ("DELETE", "v3")):
            self.alice.refused(404, "M_UNRECOGNIZED", method, path)
        for method, path in (("DELETE", "v3/sync"), ("POST", "v3/account/whoami"), ("PUT", "v3/createRoom"), ("PATCH", "v3/login")):
            self.alice.refused(405, "M_UNRECOGNIZED", method, path)
        status, headers, _ = self.alice.exchange("OPTIONS", "/_matrix/client/v3/sync")
        self.assertIn(status, (200, 204))
        self.assertIn("GET", headers["Access-Control-Allow-Methods"])

    def test_parameters(self):
        for path, query in (("v3/sync", {"since": "no token"}), ("v3/sync", {"timeout": "soon"}), ("v3/sync", {"filter": "77"}),
                            (f"v3/rooms/{quote(self.room)}/messages", {"dir": "b", "from": "nonsense"}),
                            (f"v3/rooms/{quote(self.room)}/messages", {"dir": "b", "limit": "many"}),
                            ("v3/publicRooms", {"limit": "-1"})):
            with self.subTest(path=path, query=query):
                status, answer = self.alice.call("GET", path, query=query)
                self.assertEqual((400, "M_INVALID_PARAM"), (status, answer["errcode"]))
        for path in ("v3/join/no-room", "v3/join/" + quote("#not an alias")):
            self.alice.refused(400, "M_INVALID_PARAM", "POST", path, {})
        self.alice.refused(404, "M_NOT_FOUND", "POST", "v3/join/" + quote("#none:test"), {})
        for body in ({}, {"user_id": 7}, {"user_id": "bob"}):
            status, answer = self.alice.call("POST", f"v3/rooms/{quote(self.room)}/invite", body)
            self.assertEqual(400, status, answer)

    def test_rooms_that_are_not_there(self):
        nowhere = "!" + "x" * 43
        for method, path in (("PUT", "send/m.room.message/1"), ("PUT", "state/m.room.name/"), ("GET", "state"),
                             ("GET", "messages?dir=b"), ("GET", "members"), ("GET", "joined_members"), ("POST", "read_markers")):
            with self.subTest(path=path):
                status, answer = self.alice.call(method, f"v3/rooms/{quote(nowhere)}/{path}", None if method == "GET" else {"m.read": "$x"})
                self.assertIn((status, answer["errcode"]), ((403, "M_FORBIDDEN"), (404, "M_NOT_FOUND")), answer)

    def test_a_transaction_is_done_once(self):
        first = self.alice.send(self.room, "once", transaction="once")
        self.assertEqual(first, self.alice.send(self.room, "once", transaction="once"))
        self.assertEqual(first, self.alice.send(self.room, "another text", transaction="once"))
        self.server.restart()
        self.assertEqual(first, self.alice.send(self.room, "once", transaction="once"))
        other = self.room_of(self.alice)
        self.assertNotEqual(first, self.alice.send(other, "elsewhere", transaction="once"))
        device = self.alice.log_in(self.alice.user_id)
        self.assertNotEqual(first, device.send(self.room, "another device", transaction="once"))
        redactions = [self.alice.put(f"v3/rooms/{quote(self.room, 'redact', first, 'r')}")["event_id"] for _ in range(2)]
        self.assertEqual(1, len(set(redactions)))

    def test_a_transaction_is_done_once_by_many_at_once(self):
        for round in range(5):
            events, go = [], threading.Barrier(8)

            def send():
                go.wait()
                events.append(self.alice.send(self.room, "at once", transaction=f"many {round}"))

            threads = [threading.Thread(target=send) for _ in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            self.assertEqual((8, 1), (len(events), len(set(events))))
        self.assertEqual(5, len([e for e in self.alice.messages(self.room, dir="b", limit=100)["chunk"] if e["type"] == "m.room.message"]))


class LimitsTest(ServerCase):
    config = {"rate_limits": {"write": {"per_second": 0.01, "burst": 3}, "login": {"per_second": 0.01, "burst": 2},
                              "registration": dict(NO_LIMIT)},
              "limits": {"idle_timeout": "1s", "header_timeout": "1s"}}

    def test_too_many_requests(self):
        alice, bob = self.user(), self.user()
        path = f"v3/user/{quote(alice.user_id)}/account_data/org.example.x"
        answers = [alice.call("PUT", path, {}) for _ in range(4)]
        self.assertEqual([200, 200, 200, 429], [status for status, _ in answers])
        self.assertEqual("M_LIMIT_EXCEEDED", answers[3][1]["errcode"])
        self.assertGreater(answers[3][1]["retry_after_ms"], 0)
        status, headers, _ = alice.exchange("PUT", "/_matrix/client/" + path, {})
        self.assertEqual(429, status)
        self.assertGreaterEqual(int(headers["Retry-After"]), 1)
        bob.put(f"v3/user/{quote(bob.user_id)}/account_data/org.example.x", {})  # others are not meant
        alice.get("v3/account/whoami")

    def test_a_slow_client_is_cut_off(self):
        listener = self.server.host("client_api").where
        with socket.create_connection(listener, timeout=30) as raw:
            raw.sendall(b"GET /_matrix/client/versions HTTP/1.1\r\nHost:")
            self.assertIn(b" 408 ", raw.makefile("rb").read())
        with socket.create_connection(listener, timeout=30) as raw:
            self.assertEqual(b"", raw.makefile("rb").read())  # idle
