"""Account data and tags (log 1)."""
from client import joined, quote
from server_case import ServerCase


def of_user(answer):
    return {event["type"]: event["content"] for event in answer.get("account_data", {}).get("events", [])}


def of_room(answer, room):
    return {event["type"]: event["content"] for event in joined(answer, room).get("account_data", {}).get("events", [])}


class AccountDataTest(ServerCase):
    def setUp(self):
        self.alice = self.user()
        self.path = f"v3/user/{quote(self.alice.user_id)}/"

    def test_of_the_user(self):
        path = self.path + "account_data/org.example.settings"
        self.alice.refused(404, "M_NOT_FOUND", "GET", path)
        self.alice.sync()
        self.alice.put(path, {"colour": "blue"})
        self.assertEqual({"colour": "blue"}, self.alice.get(path))
        seen = self.alice.sync_until("the data", lambda answer: of_user(answer).get("org.example.settings"))
        self.assertEqual({"colour": "blue"}, seen)
        self.alice.put(path, {"colour": "red"})
        self.alice.sync_until("its change", lambda answer: of_user(answer).get("org.example.settings") == {"colour": "red"})
        self.assertEqual({"colour": "red"}, of_user(self.alice.sync(since=None))["org.example.settings"])

    def test_of_a_room(self):
        room = self.room_of(self.alice)
        path = self.path + f"rooms/{quote(room)}/account_data/org.example.folded"
        self.alice.sync()
        self.alice.put(path, {"folded": True})
        self.alice.sync_until("the data", lambda answer: of_room(answer, room).get("org.example.folded"))
        self.assertEqual({"folded": True}, self.alice.get(path))
        self.assertEqual({"folded": True}, of_room(self.alice.sync(since=None), room)["org.example.folded"])

    def test_tags(self):
        room = self.room_of(self.alice)
        path = self.path + f"rooms/{quote(room)}/tags"
        self.assertEqual({"tags": {}}, self.alice.get(path))
        self.alice.sync()
        self.alice.put(path + "/m.favourite", {"order": 0.25})
        self.alice.put(path + "/u.work", {})
        self.alice.sync_until("the tags", lambda answer: of_room(answer, room).get("m.tag") == {
            "tags": {"m.favourite": {"order": 0.25}, "u.work": {}}})
        self.alice.delete(path + "/u.work")
        self.assertEqual({"tags": {"m.favourite": {"order": 0.25}}}, self.alice.get(path))
        self.alice.sync_until("the tag to go", lambda answer: of_room(answer, room).get("m.tag") == {
            "tags": {"m.favourite": {"order": 0.25}}})

    def test_other_devices_see_it(self):
        phone = self.alice.log_in(self.alice.user_id)
        phone.sync()
        self.alice.put(self.path + "account_data/org.example.shared", {"n": 1})
        self.assertEqual({"n": 1}, phone.sync_until("the data", lambda answer: of_user(answer).get("org.example.shared")))

    def test_not_of_others(self):
        bob = self.user()
        bob.refused(403, "M_FORBIDDEN", "GET", self.path + "account_data/org.example.x")
        bob.refused(403, "M_FORBIDDEN", "PUT", self.path + "account_data/org.example.x", {})
        for reserved in ("m.fully_read", "m.push_rules"):
            self.alice.refused(405, "M_UNRECOGNIZED", "PUT", self.path + "account_data/" + reserved, {})

    def test_it_holds_over_a_restart(self):
        self.alice.put(self.path + "account_data/org.example.kept", {"n": 1})
        self.alice.sync()
        self.server.restart()
        self.assertEqual({"n": 1}, self.alice.get(self.path + "account_data/org.example.kept"))
        self.assertEqual({"n": 1}, of_user(self.alice.sync(since=None))["org.example.kept"])
