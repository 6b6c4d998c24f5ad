"""A large database of room_server, made without a server: what a deployment of some years has on its disk. Its events
are not signed and refer to none that are there; whoever counts, copies or compares rows does not mind."""
import base64
import itertools
import json
import random
import sqlite3

WORDS = "the quick brown fox jumps over a lazy dog while \"quoting\" C:\\paths and naïve café owners".split()


class ManyRooms:
    """Rows of room_server as if that many rooms had been talked in, one after the other."""

    def __init__(self, events, rooms, members):
        self.chance = random.Random(1)
        self.events, self.rooms, self.members = events, rooms, members
        self.sequences = itertools.count(1_000_000)
        self.messages = itertools.count(1)
        self.noise = base64.urlsafe_b64encode(self.chance.randbytes(1 << 20)).decode()
        self.bodies = [" ".join(self.chance.choices(WORDS, k=self.chance.randrange(10, 180))) for _ in range(1000)]

    def text(self, length):
        """As many bytes, in base64."""
        begin = int(self.chance.random() * (len(self.noise) - 100))
        return self.noise[begin:begin + (length * 4 + 2) // 3]

    def user(self, n):
        return f"@talker{n}:test"

    def event(self, room_id, type, sender, depth, content, **more):
        """About what a message is on disk: 1.2 KB."""
        return json.dumps({
            "auth_events": ["$" + self.text(32) for _ in range(3)], "prev_events": ["$" + self.text(32)], "depth": depth,
            "content": content, "hashes": {"sha256": self.text(32)}, "origin_server_ts": 1_700_000_000_000 + depth,
            "room_id": room_id, "sender": sender, "type": type, "signatures": {"test": {"ed25519:a_xyz": self.text(64)}},
            "unsigned": {"age_ts": 1_700_000_000_000 + depth}, **more}, separators=(",", ":"))

    def message(self):
        return {"msgtype": "m.text", "body": f"{next(self.messages)} {self.chance.choice(self.bodies)}"}

    def rows(self):
        """(table, row) of everything."""
        per_room = self.events // self.rooms
        for room in range(1_000_000, 1_000_000 + self.rooms):  # above those that the server has made
            room_id = f"!{room}{self.text(27)}"  # the noise repeats itself, ids must not
            yield "rooms", (room, room_id, "12", self.members, room % 10 == 0, "public", "shared", None, f"Room {room}", None, None,
                            f"#room{room}:test", None, None, 0)
            for ordinal in range(1, per_room + 1):
                member = ordinal <= self.members
                sender = self.user(ordinal if member else self.chance.randrange(1, self.members + 1))
                event_id = f"${room}.{ordinal:06}{self.text(21)}"
                content = {"membership": "join", "displayname": "Somebody"} if member else self.message()
                type = "m.room.member" if member else "m.room.message"
                more = {"state_key": sender} if member else {}
                yield "events", (room << 32 | ordinal, event_id, self.chance.randrange(-2**63, 2**63), room % 16, next(self.sequences),
                                 ordinal, type, sender if member else None, sender, "shared", "", "" if member else "join",
                                 "join", "DEVICE", f"m{ordinal}", 0, self.event(room_id, type, sender, ordinal, content, **more),
                                 0, int(member), 0, 0)
                if member:
                    yield "current_state", (room, type, sender, ordinal, event_id, "join", None, ordinal, sender.partition(":")[2])
                elif ordinal % 10 == 0:
                    yield "transactions", (f"{sender}|DEVICE|send|{room}|m{ordinal}", room << 32 | ordinal, 1_700_000_000)

    def write(self, path):
        """Adds them to the database of a server that has run and is stopped."""
        with sqlite3.connect(path) as database:
            database.execute("PRAGMA synchronous = OFF")
            for table, rows in itertools.groupby(self.rows(), key=lambda row: row[0]):
                rows = [row for _, row in rows]
                columns = [column[1] for column in database.execute(f"PRAGMA table_info({table})")][:len(rows[0])]
                # What migrations have added since has its default.
                database.executemany(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})", rows)
        database.close()
