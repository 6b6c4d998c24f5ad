"""matrix-nio, a client library that others wrote, chats on a server: it registers, logs in, makes a room, invites, joins,
talks both ways, sees typing and receipts, and pages back."""
import unittest

try:
    import nio
except ImportError:
    raise SystemExit("this test needs matrix-nio: pip install -r tests/requirements.txt, or run packaging/test.sh")

from program import PATIENCE
from server import Server

PASSWORD = "a good password"


class NioTest(unittest.IsolatedAsyncioTestCase):
    def setUp(self):
        self.server = Server({"server_name": "localhost"})
        self.addCleanup(self.server.close)
        self.server.start()

    def ok(self, response):
        self.assertNotIsInstance(response, nio.ErrorResponse, response)
        return response

    async def client(self, name):
        """An account that was registered with one client, and logged in with another."""
        url = f"http://127.0.0.1:{self.server.port}"
        first = nio.AsyncClient(url, name)
        self.addAsyncCleanup(first.close)
        self.ok(await first.register(name, PASSWORD, "the first device"))
        self.ok(await first.logout())
        client = nio.AsyncClient(url, f"@{name}:localhost")
        self.addAsyncCleanup(client.close)
        self.ok(await client.login(PASSWORD, "a second device"))
        self.assertEqual(client.user_id, self.ok(await client.whoami()).user_id)
        return client

    async def sync_until(self, client, what, condition):
        """Syncs as an application does: nio keeps the token and the state of the rooms."""
        for _ in range(int(PATIENCE)):
            answer = self.ok(await client.sync(timeout=1000))
            found = condition(answer)
            if found:
                return found
        raise AssertionError(f"waited for {what}")

    def text(self, answer, room, body):
        part = answer.rooms.join.get(room)
        return part and next((event for event in part.timeline.events
                              if isinstance(event, nio.RoomMessageText) and event.body == body), None)

    async def say(self, client, room, body):
        return self.ok(await client.room_send(room, "m.room.message", {"msgtype": "m.text", "body": body})).event_id

    async def test_chat(self):
        alice, bob = await self.client("alice"), await self.client("bob")
        self.ok(await alice.set_displayname("Alice"))
        room = self.ok(await alice.room_create(name="The room", topic="Talk", invite=["@bob:localhost"])).room_id
        await self.sync_until(alice, "the room", lambda answer: room in answer.rooms.join)
        await self.sync_until(bob, "the invite", lambda answer: room in answer.rooms.invite)
        self.assertEqual("@alice:localhost", bob.invited_rooms[room].inviter)
        self.ok(await bob.join(room))
        await self.sync_until(bob, "the room", lambda answer: room in answer.rooms.join)
        self.assertEqual(("The room", "Talk"), (bob.rooms[room].name, bob.rooms[room].topic))
        self.assertEqual("Alice", bob.rooms[room].user_name("@alice:localhost"))
        await self.sync_until(alice, "bob", lambda _: "@bob:localhost" in alice.rooms[room].users)

        await self.talk(alice, bob, room)
        await self.typing(alice, bob, room)
        await self.receipts(alice, bob, room)
        await self.page_back(alice, bob, room)
        await self.leave(alice, bob, room)

    async def talk(self, alice, bob, room):
        for n in range(3):
            for sender, other in ((alice, bob), (bob, alice)):
                body = f"{n} from {sender.user_id}"
                event = await self.say(sender, room, body)
                seen = await self.sync_until(other, body, lambda answer: self.text(answer, room, body))
                self.assertEqual((event, sender.user_id), (seen.event_id, seen.sender))

    async def typing(self, alice, bob, room):
        self.ok(await alice.room_typing(room, True, timeout=30000))
        await self.sync_until(bob, "alice to type", lambda _: bob.rooms[room].typing_users == ["@alice:localhost"])
        self.ok(await alice.room_typing(room, False))
        await self.sync_until(bob, "alice to stop", lambda _: bob.rooms[room].typing_users == [])

    async def receipts(self, alice, bob, room):
        event = await self.say(alice, room, "read this")
        await self.sync_until(bob, "the message", lambda answer: self.text(answer, room, "read this"))
        for thread in (None, "main"):
            self.ok(await bob.update_receipt_marker(room, event, thread_id=thread))
        seen = lambda: (alice.rooms[room].read_receipts.get("@bob:localhost"),
                        alice.rooms[room].threaded_read_receipts.get("@bob:localhost", {}).get("main"))
        await self.sync_until(alice, "the receipts", lambda _: all(receipt and receipt.event_id == event for receipt in seen()))
        self.ok(await bob.room_read_markers(room, event, event))
        await self.sync_until(bob, "the marker", lambda _: bob.rooms[room].fully_read_marker == event)

    async def page_back(self, alice, bob, room):
        said = [f"line {n}" for n in range(25)]
        for body in said:
            await self.say(alice, room, body)
        await self.sync_until(bob, "the last line", lambda answer: self.text(answer, room, said[-1]))
        heard, start, pages = [], bob.next_batch, 0
        while start:
            page = self.ok(await bob.room_messages(room, start, limit=10))
            heard += [event.body for event in page.chunk if isinstance(event, nio.RoomMessageText)]
            start, pages = page.end, pages + 1
        self.assertEqual(said, heard[:25][::-1])
        self.assertEqual("0 from @alice:localhost", heard[-1])
        self.assertGreater(pages, 3)

    async def leave(self, alice, bob, room):
        self.ok(await bob.room_leave(room))
        await self.sync_until(bob, "the room to be left", lambda answer: room in answer.rooms.leave)
        await self.sync_until(alice, "bob to go", lambda _: "@bob:localhost" not in alice.rooms[room].users)
        self.ok(await bob.room_forget(room))
