"""What the program says, and its exit code, when it cannot start as it is asked to. (Golden tests pin the texts of faults
in config; here are those that need the machine; databases_test.py has those of databases.)"""
import os
import shutil
import socket
import unittest

from client import register
from plugins import PLUGINS, manifests
from server import Server

FAULTS, USAGE, COULD_NOT_START = 1, 2, 3


class HostFaultsTest(unittest.TestCase):
    def server(self, **config):
        server = Server(config)
        self.addCleanup(server.close)
        return server

    def assert_says(self, server, code, *texts, command="run"):
        got, _, errors = server.run(command)
        self.assertEqual(code, got, errors)
        for text in texts:
            self.assertIn(text, errors)
        self.assertNotIn("terminate called", errors)
        return errors

    # Ports and folders

    def test_a_port_in_use(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            self.assert_says(self.server(listeners=[{"bind": "127.0.0.1", "port": port}]), COULD_NOT_START,
                             "error: a listener cannot be opened", str(port), "fix: choose another port under listeners")
            self.assert_says(self.server(operations={"port": port}), COULD_NOT_START,
                             "error: the operations listener cannot be opened", str(port), "fix: choose another port under operations")

    def test_a_second_server_on_the_same_data(self):
        server = self.server()
        server.start()
        self.assert_says(server, COULD_NOT_START, "error: the data folder cannot be used", "another backplane uses it",
                         "fix: stop the other server")
        user = register(server)  # the first one goes on
        user.sync()
        server.kill()
        server.start()  # and a dead one's claim holds nobody up

    def test_a_data_folder_that_cannot_be(self):
        server = self.server()
        server.write("in-the-way", "a file")
        server.config["data_dir"] = "in-the-way/data"
        server.write_config()
        self.assert_says(server, COULD_NOT_START, "error: the data folder", "in-the-way")

    # Plugins

    def copy_of_plugins(self, server):
        folder = server.path("plugins")
        os.mkdir(folder, 0o755)
        for name in os.listdir(PLUGINS):
            if name.endswith((".so", ".json")):
                shutil.copy(os.path.join(PLUGINS, name), os.path.join(folder, name))
        server.config["plugin_dirs"] = [folder]
        server.write_config()
        return folder

    def test_a_copy_of_the_plugins_runs(self):
        server = self.server()
        self.copy_of_plugins(server)
        server.start()
        register(server).sync()

    def test_plugin_files_that_others_may_write(self):
        server = self.server()
        folder = self.copy_of_plugins(server)
        os.chmod(os.path.join(folder, "sync_api.so"), 0o777)
        self.assert_says(server, FAULTS, "error: plugin sync_api: its object cannot be trusted", "everybody may write it (mode 0777)")
        os.chmod(os.path.join(folder, "sync_api.so"), 0o755)
        os.chmod(folder, 0o777)
        self.assert_says(server, FAULTS, "its folder cannot be trusted", "fix: chown the folder to root")

    def test_a_manifest_that_differs(self):
        server = self.server()
        path = os.path.join(self.copy_of_plugins(server), "edu_server.json")
        with open(path, encoding="utf-8") as text:
            changed = text.read().replace('"summary": "', '"summary": "changed: ')
        with open(path, "w", encoding="utf-8") as out:
            out.write(changed)
        self.assert_says(server, FAULTS, "error: plugin edu_server: its manifest differs from its object",
                         "fix: install both files from the same build")

    def test_plugins_that_are_none(self):
        server = self.server()
        folder = self.copy_of_plugins(server)
        with open(os.path.join(folder, "sync_api.so"), "w", encoding="utf-8") as out:
            out.write("not an object at all, however long this text is made to be for the header's sake")
        with open(os.path.join(folder, "user_api.json"), "w", encoding="utf-8") as out:
            out.write('{"name": ')
        os.remove(os.path.join(folder, "client_api.so"))
        errors = self.assert_says(server, FAULTS, "error: a plugin's manifest cannot be used", "user_api.json")
        self.assertNotIn("Bad file descriptor", errors)
        shutil.copy(os.path.join(PLUGINS, "user_api.json"), os.path.join(folder, "user_api.json"))
        errors = self.assert_says(server, FAULTS, "error: plugin sync_api: its object cannot be loaded", "it is no ELF file",
                                  "error: plugin client_api: its object cannot be opened")  # both at once
        self.assertNotIn("Bad file descriptor", errors)

    def test_a_plugin_twice(self):
        server = self.server()
        folder = self.copy_of_plugins(server)
        server.config["plugin_dirs"] = ["default", folder]
        server.write_config()
        self.assert_says(server, FAULTS, "error: plugin client_api is there twice", "fix: remove one of them")

    # Options

    def test_options(self):
        server = self.server()
        server.write("plugins.d/room_server.yaml", "# a comment\ndefault_room_verson: 11\n")
        server.write("plugins.d/user_api.yaml", "registration: opened\npassword_hash_passes: many\n")
        errors = self.assert_says(
            server, FAULTS, "error: unknown option 'default_room_verson' for plugin room_server",
            server.path("plugins.d", "room_server.yaml") + ":2", "fix: did you mean 'default_room_version'?",
            server.path("plugins.d", "user_api.yaml") + ":1", server.path("plugins.d", "user_api.yaml") + ":2")
        self.assertGreaterEqual(errors.count("error: "), 3)  # all at once
        self.assertEqual(errors, self.assert_says(server, FAULTS, command="check-config"))
        self.assertFalse(os.path.exists(server.path("data")))

    def test_a_key_twice(self):
        server = self.server()
        server.write("conf.d/50-mine.yaml", "io_threads: 2\nio_threads: 3\n")
        self.assert_says(server, FAULTS, "io_threads", server.path("conf.d", "50-mine.yaml") + ":2")

    def test_usage(self):
        server = self.server()
        for words in (["no-such-command"], ["run", "--no-such-option"], ["plugins", "enable"]):
            with self.subTest(words=words):
                self.assertEqual(USAGE, server.run(*words)[0])

    def test_every_command_has_help(self):
        server = self.server()
        for command in ("run", "check-config", "plugins list", "plugins enable", "plugins disable", "wiring", "generate-config",
                        "generate-keys", "users create", "migrate-database", "restore", "version"):
            code, out, _ = server.run(*command.split(), "--help")
            self.assertEqual(0, code)
            self.assertIn("backplane " + command, out)
        self.assertEqual(set(manifests()), {line.split()[0] for line in server.run("plugins", "list")[1].splitlines()
                                            if line.split() and line.split()[0] in manifests()})
