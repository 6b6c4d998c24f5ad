"""A test case whose tests share one server; each makes users and rooms of its own."""
import unittest

from client import register
from server import Server


class ServerCase(unittest.TestCase):
    config = {}  # what to lay over the tests' config

    @classmethod
    def setUpClass(cls):
        cls.server = Server(cls.config)
        cls.addClassCleanup(cls.server.close)
        cls.server.start()

    def run(self, result=None):
        """Shows the end of the server's log when a test fails."""
        before = 0 if result is None else len(result.failures) + len(result.errors)
        super().run(result)
        if result is not None and len(result.failures) + len(result.errors) > before:
            print(f"--- the server's log, after {self.id()}\n" + "".join(self.server.log().splitlines(True)[-25:]))

    def user(self, **more):
        return register(self.server, **more)

    def room_of(self, *users, **options):
        """A room that all of them are in; the first one made it."""
        options.setdefault("preset", "public_chat")
        room = users[0].create_room(**options)
        for user in users[1:]:
            user.join(room)
        return room
