"""What the program says of databases that it cannot work with."""
import unittest

from server import Server

COULD_NOT_START = 3


class DatabasesTest(unittest.TestCase):
    def setUp(self):
        self.server = Server()
        self.addCleanup(self.server.close)

    def assert_says(self, component, *texts):
        process = self.server.host(component)
        code, _, errors = process.run("run")
        self.assertEqual(COULD_NOT_START, code, errors)
        for text in (f"error: the database of plugin {component} cannot be opened", *texts):
            self.assertIn(text, errors)
        self.assertNotIn("terminate called", errors)

    def test_a_newer_one(self):
        self.server.start()
        self.server.stop()
        self.server.stores.execute("room_server", "INSERT INTO bp_migrations (number, name, applied_ms) VALUES (999, 'from the future', 0)")
        self.assert_says("room_server", "the database is at version 999",
                         "fix: run the version of Backplane that wrote it, or restore a backup")

    def test_something_else_in_its_place(self):
        self.assert_says("user_api", self.server.stores.spoil("user_api"), "fix: check that the database is there and may be written")

    def test_one_that_cannot_be_opened(self):
        self.server.stores.hide("user_api")
        self.assert_says("user_api", "fix: check that the database is there and may be written")
