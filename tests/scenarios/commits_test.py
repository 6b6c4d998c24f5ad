"""Durable commits by endpoint: a client's request makes at most one on its way to the answer. Measured as a difference
around requests of one kind, one after the other. (Consumers commit too, lazily and in batches: those are the stores of
sync_api and client_api.)"""
from client import quote
from server_case import ServerCase

REQUESTS = 20
STORES = ("room_server", "user_api", "edu_server")


class CommitsTest(ServerCase):
    def commits(self):
        metrics = self.server.metrics()
        found = {store: metrics.find(f"backplane_{store}_store_commits") for store in STORES}
        self.assertTrue(all(found.values()), found)
        return sum(value for samples in found.values() for _, value in samples)

    def count(self, request):
        """Commits of a request, at the most of three tries: the logs' upkeep may commit in between."""
        request("warm up")
        tries = []
        for again in range(3):
            before = self.commits()
            for n in range(REQUESTS):
                request(f"{again} {n}")
            tries.append((self.commits() - before) / REQUESTS)
        return min(tries)

    def assert_one(self, request):
        self.assertEqual(1, self.count(request))

    def assert_none(self, request):
        self.assertEqual(0, self.count(request))

    def setUp(self):
        self.alice = self.user()
        self.room = self.room_of(self.alice)

    def test_send(self):
        self.assert_one(lambda n: self.alice.send(self.room, f"message {n}"))

    def test_state(self):
        self.assert_one(lambda n: self.alice.set_state(self.room, "m.room.topic", {"topic": f"{n}"}))

    def test_join(self):
        rooms = {}

        def join(n):
            self.bob.join(rooms[n])

        self.bob = self.user()
        for n in ["warm up"] + [f"{again} {n}" for again in range(3) for n in range(REQUESTS)]:
            rooms[n] = self.alice.create_room(preset="public_chat")
        self.assert_one(join)

    def test_create_room(self):
        bob = self.user()
        self.assert_one(lambda n: self.alice.create_room(preset="private_chat", name=f"{n}", topic="a topic", invite=[bob.user_id],
                                                         room_alias_name=f"{n}".replace(" ", "_") + "_commits"))

    def test_redact(self):
        events = iter([self.alice.send(self.room, "x") for _ in range(3 * REQUESTS + 1)])
        self.assert_one(lambda n: self.alice.redact(self.room, next(events)))

    def test_receipt_to_device_account_data(self):
        events = iter([self.alice.send(self.room, "x") for _ in range(3 * REQUESTS + 1)])
        self.assert_one(lambda n: self.alice.post(f"v3/rooms/{quote(self.room)}/receipt/m.read/{quote(next(events))}"))
        self.assert_one(lambda n: self.alice.put(f"v3/sendToDevice/org.example/{quote(n)}", {
            "messages": {self.alice.user_id: {"*": {"n": n}}}}))
        self.assert_one(lambda n: self.alice.put(f"v3/user/{quote(self.alice.user_id)}/account_data/org.example", {"n": n}))

    def test_what_changes_nothing(self):
        self.alice.send(self.room, "x", transaction="again")
        self.assert_none(lambda n: self.alice.sync())
        self.assert_none(lambda n: self.alice.messages(self.room, dir="b"))
        self.assert_none(lambda n: self.alice.get(f"v3/rooms/{quote(self.room)}/state"))
        self.assert_none(lambda n: self.alice.put(f"v3/rooms/{quote(self.room)}/typing/{quote(self.alice.user_id)}", {"typing": True}))
        self.assert_none(lambda n: self.alice.get("v3/account/whoami"))
        self.assert_none(lambda n: self.alice.join(self.room))
