"""Every component can be disabled: the others start when their needs are met, or the host says what is missing."""
import os
import unittest

from client import Client, register
from plugins import manifests
from server import Server


class ComponentsTest(unittest.TestCase):
    def server_without(self, *names):
        server = Server({"plugins": {name: {"enabled": False} for name in names}})
        self.addCleanup(server.close)
        return server

    def needed_by(self, gone, all_of_them):
        """The plugins left that cannot do without them: {(plugin, interface)}."""
        offered = {interface for name, manifest in all_of_them.items() if name not in gone for interface in manifest.get("provides", [])}
        return {(name, need["interface"]) for name, manifest in all_of_them.items() if name not in gone
                for need in manifest.get("requires", []) if need["need"] != "optional" and need["interface"] not in offered}

    def test_each(self):
        all_of_them = manifests()
        self.assertLessEqual({"client_api", "sync_api", "room_server", "edu_server", "user_api", "log_in_process"}, set(all_of_them))
        for name in sorted(all_of_them):
            with self.subTest(without=name):
                self.check_without([name], all_of_them)

    def test_several(self):
        all_of_them = manifests()
        for names in (["sync_api", "edu_server"], ["sync_api", "client_api"], ["sync_api", "client_api", "edu_server"],
                      ["sync_api", "client_api", "edu_server", "room_server"]):
            with self.subTest(without=names):
                self.check_without(names, all_of_them)

    def check_without(self, names, all_of_them):
        server = self.server_without(*names)
        missing = self.needed_by(names, all_of_them)
        transport = server.shape.transport
        if transport in names:
            for process in server.processes:
                code, _, errors = process.run("run")
                self.assertIn(code, (1, 3), errors)
                self.assertIn("error: nothing carries the logs", errors)
                self.assertIn(f"fix: run `backplane plugins enable {transport}`", errors)
        elif missing:
            for plugin, interface in missing:
                # Where it runs, `run` says so; and any host says of the others what they lack.
                for process, command in ((server.host(plugin), "run"), *((each, "check-config") for each in server.processes)):
                    code, _, errors = process.run(command)
                    self.assertEqual(1, code, errors)
                    self.assertIn(f"plugin {plugin} needs {interface}, which nothing provides", errors)
                    for name in names:
                        if interface in all_of_them[name].get("provides", []):
                            self.assertIn(f"plugin {name} provides it, but is disabled", errors)
                            self.assertIn(f"backplane plugins enable {name}", errors)
        else:
            for process in server.processes:
                self.assertEqual(0, process.run("check-config")[0])
            server.start()
            self.check_serves(server, names)
            server.stop()

    def check_serves(self, server, names):
        anyone = Client(server)
        if "client_api" in names:
            anyone.refused(404, "M_UNRECOGNIZED", "GET", "versions")
            return
        anyone.get("versions")
        alice = register(server)
        room = alice.create_room()
        alice.send(room, "hello")
        if "edu_server" in names:
            status, answer = alice.call("PUT", "v3/sendToDevice/org.example/1", {"messages": {}})
            self.assertEqual((503, "M_UNKNOWN"), (status, answer["errcode"]))
        if "sync_api" in names:
            alice.refused(404, "M_UNRECOGNIZED", "GET", "v3/sync")
        else:
            alice.sync()

    def test_the_commands(self):
        server = self.server_without()
        code, out, _ = server.run("plugins", "disable", "sync_api")
        self.assertEqual(0, code)
        with open(server.path("conf.d", "90-plugins.yaml"), encoding="utf-8") as written:
            self.assertIn("sync_api", written.read())
        line = next(line for line in server.run("plugins", "list")[1].splitlines() if "sync_api" in line)
        self.assertEqual("no", line.split()[3])
        server.start()
        Client(server).refused(404, "M_UNRECOGNIZED", "GET", "v3/sync")
        server.stop()
        self.assertEqual(0, server.run("plugins", "enable", "sync_api")[0])
        server.start()
        register(server).sync()
        self.assertNotEqual(0, server.run("plugins", "disable", "no_such_plugin")[0])

    def test_by_the_environment(self):
        os.environ["BACKPLANE__PLUGINS__SYNC_API__ENABLED"] = "false"
        try:
            server = self.server_without()
            server.start()
        finally:
            del os.environ["BACKPLANE__PLUGINS__SYNC_API__ENABLED"]
        Client(server).refused(404, "M_UNRECOGNIZED", "GET", "v3/sync")
