"""Accounts, sessions and devices, as a client uses them."""
from client import Client, register
from server_case import ServerCase

AUTH = {"type": "m.login.dummy"}


class AccountsTest(ServerCase):
    def test_register_shows_its_stages_first(self):
        client = Client(self.server)
        status, answer = client.call("POST", "v3/register", {"username": "stages", "password": "a good password"})
        self.assertEqual(401, status)
        self.assertEqual([{"stages": ["m.login.dummy"]}], answer["flows"])
        made = client.post("v3/register", {"username": "stages", "password": "a good password",
                                           "auth": {"type": "m.login.dummy", "session": answer["session"]}})
        self.assertEqual("@stages:test", made["user_id"])
        self.assertTrue(made["access_token"] and made["device_id"])

    def test_name_and_password_are_checked(self):
        client = Client(self.server)
        self.user(name="taken")
        for name, errcode in (("taken", "M_USER_IN_USE"), ("Not Valid", "M_INVALID_USERNAME"), ("x" * 255, "M_INVALID_USERNAME")):
            client.refused(400, errcode, "POST", "v3/register", {"username": name, "password": "a good password", "auth": AUTH})
        client.refused(400, "M_WEAK_PASSWORD", "POST", "v3/register", {"username": "weak", "password": "short", "auth": AUTH})
        self.assertEqual({"available": True}, client.get("v3/register/available", username="weak"))
        client.refused(400, "M_USER_IN_USE", "GET", "v3/register/available", query={"username": "taken"})

    def test_log_in_and_out(self):
        first = self.user(name="logs_in")
        flows = {flow["type"] for flow in first.get("v3/login")["flows"]}
        self.assertIn("m.login.password", flows)
        second = first.log_in("logs_in", device_id="PHONE", initial_device_display_name="a phone")
        full = first.log_in("@logs_in:test")
        self.assertEqual("PHONE", second.device_id)
        self.assertEqual({"user_id": "@logs_in:test", "device_id": "PHONE", "is_guest": False}, second.get("v3/account/whoami"))
        devices = {device["device_id"]: device for device in first.get("v3/devices")["devices"]}
        self.assertEqual({first.device_id, "PHONE", full.device_id}, set(devices))
        self.assertEqual("a phone", devices["PHONE"]["display_name"])

        second.post("v3/logout")
        second.refused_soon(401, "M_UNKNOWN_TOKEN", "GET", "v3/account/whoami")
        self.assertEqual(2, len(first.get("v3/devices")["devices"]))
        first.post("v3/logout/all")
        for gone in (first, full):
            gone.refused(401, "M_UNKNOWN_TOKEN", "GET", "v3/sync")

    def test_wrong_password(self):
        user = self.user(name="forgetful")
        for name in ("forgetful", "nobody_at_all"):
            user.refused(403, "M_FORBIDDEN", "POST", "v3/login", {
                "type": "m.login.password", "password": "not this", "identifier": {"type": "m.id.user", "user": name}})
        user.refused(400, "M_UNKNOWN", "POST", "v3/login", {"type": "org.example.no.such.type"})

    def test_log_in_with_a_token_once(self):
        user = self.user(name="has_two_phones")
        status, stages = user.call("POST", "v1/login/get_token", {})
        self.assertEqual(401, status)
        token = user.post("v1/login/get_token", {"auth": {
            "type": "m.login.password", "session": stages["session"], "password": "a good password",
            "identifier": {"type": "m.id.user", "user": "has_two_phones"}}})["login_token"]
        request = {"type": "m.login.token", "token": token}
        self.assertEqual("@has_two_phones:test", Client(self.server).post("v3/login", request)["user_id"])
        Client(self.server).refused(403, "M_FORBIDDEN", "POST", "v3/login", request)

    def test_refresh(self):
        user = self.user(name="refreshes", refresh_token=True)
        answer = Client(self.server).post("v3/login", {
            "type": "m.login.password", "password": "a good password", "refresh_token": True,
            "identifier": {"type": "m.id.user", "user": "refreshes"}})
        self.assertGreater(answer["expires_in_ms"], 0)
        fresh = user.post("v3/refresh", {"refresh_token": answer["refresh_token"]})
        self.assertNotEqual(answer["access_token"], fresh["access_token"])
        Client(self.server, token=fresh["access_token"]).get("v3/account/whoami")
        user.refused(401, "M_UNKNOWN_TOKEN", "POST", "v3/refresh", {"refresh_token": "no such"})

    def test_change_password_logs_others_out(self):
        user = self.user(name="changes")
        other = user.log_in("changes")
        auth = {"type": "m.login.password", "password": "a good password", "identifier": {"type": "m.id.user", "user": "changes"}}
        user.post("v3/account/password", {"new_password": "a better password", "auth": auth})
        other.refused_soon(401, "M_UNKNOWN_TOKEN", "GET", "v3/account/whoami")
        user.get("v3/account/whoami")
        user.refused(403, "M_FORBIDDEN", "POST", "v3/login", {"type": "m.login.password", "password": "a good password",
                                                              "identifier": {"type": "m.id.user", "user": "changes"}})
        user.log_in("changes", password="a better password")

    def test_deactivate(self):
        user = self.user(name="leaves")
        auth = {"type": "m.login.password", "password": "a good password", "identifier": {"type": "m.id.user", "user": "leaves"}}
        user.post("v3/account/deactivate", {"auth": auth})
        user.refused_soon(401, "M_UNKNOWN_TOKEN", "GET", "v3/account/whoami")
        status, _ = user.call("POST", "v3/login", auth)
        self.assertEqual(403, status)
        Client(self.server).refused(400, "M_USER_IN_USE", "GET", "v3/register/available", query={"username": "leaves"})

    def test_devices(self):
        user = self.user(name="many_devices")
        other = user.log_in("many_devices", device_id="TABLET")
        user.put("v3/devices/TABLET", {"display_name": "on the sofa"})
        self.assertEqual("on the sofa", user.get("v3/devices/TABLET")["display_name"])
        user.refused(404, "M_NOT_FOUND", "GET", "v3/devices/NONE")
        status, stages = user.call("DELETE", "v3/devices/TABLET", {})
        self.assertEqual(401, status)
        auth = {"type": "m.login.password", "session": stages["session"], "password": "a good password",
                "identifier": {"type": "m.id.user", "user": "many_devices"}}
        self.assertEqual(200, user.call("DELETE", "v3/devices/TABLET", {"auth": auth})[0])
        other.refused_soon(401, "M_UNKNOWN_TOKEN", "GET", "v3/account/whoami")
        user.refused(404, "M_NOT_FOUND", "GET", "v3/devices/TABLET")

    def test_what_the_server_says_of_itself(self):
        anyone = Client(self.server)
        self.assertIn("v1.11", anyone.get("versions")["versions"])
        self.assertTrue(anyone.get("/.well-known/matrix/client")["m.homeserver"]["base_url"].startswith("http://localhost"))
        status, headers, page = anyone.exchange("GET", "/")
        self.assertEqual((200, "text/html"), (status, headers["Content-Type"].split(";")[0]))
        self.assertIn(b"Backplane", page)
        self.assertEqual("*", anyone.exchange("GET", "/_matrix/client/versions")[1]["Access-Control-Allow-Origin"])
        versions = self.user().get("v3/capabilities")["capabilities"]["m.room_versions"]
        self.assertEqual("12", versions["default"])
        self.assertLessEqual({"10", "11", "12"}, set(versions["available"]))

    def test_sessions_hold_over_a_restart(self):
        user = register(self.server)
        self.server.restart()
        self.assertEqual(user.user_id, user.get("v3/account/whoami")["user_id"])


class TokenRegistrationTest(ServerCase):
    config = {"plugins": {"user_api": {"registration": "token", "registration_tokens": ["let me in"]}}}

    def test_registration_needs_the_token(self):
        client = Client(self.server)
        for token, valid in (("let me in", True), ("please", False)):
            self.assertEqual({"valid": valid}, client.get("v1/register/m.login.registration_token/validity", token=token))
        body = {"username": "invited", "password": "a good password"}
        status, stages = client.call("POST", "v3/register", body)
        self.assertEqual((401, [{"stages": ["m.login.registration_token"]}]), (status, stages["flows"]))
        auth = {"type": "m.login.registration_token", "session": stages["session"]}
        status, answer = client.call("POST", "v3/register", {**body, "auth": {**auth, "token": "please"}})
        self.assertEqual(401, status)
        self.assertIn("errcode", answer)
        self.assertEqual("@invited:test", client.post("v3/register", {**body, "auth": {**auth, "token": "let me in"}})["user_id"])
