#!/usr/bin/env python3
"""Asks the example plugin in a running server: does its route answer, and does it count what happens in a room?
   check.py URL PROCESS_ID"""
import json
import os
import sys
import time
import urllib.error
import urllib.request

PATIENCE = 60  # seconds, for what should take less than one


def call(url, method="GET", body=None, token=None):
    headers = {"Content-Type": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, method=method, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read() or b"{}")


def expect(answer, status=200):
    assert answer[0] == status, f"expected status {status}, got {answer}"
    return answer[1]


def wait_for(what, condition):
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        value = condition()
        if value:
            return value
        time.sleep(0.05)
    raise AssertionError(f"waited {PATIENCE} s for {what}")


def is_ready(url, process):
    os.kill(process, 0)  # raises when the server has ended
    try:
        return call(f"{url}/_matrix/client/versions")[0] == 200
    except (urllib.error.URLError, ConnectionError):
        return False


def make_traffic(url):
    user = expect(call(f"{url}/_matrix/client/v3/register", "POST", {
        "username": "alice", "password": "correct horse", "auth": {"type": "m.login.dummy"}}))
    token = user["access_token"]
    room = expect(call(f"{url}/_matrix/client/v3/createRoom", "POST", {"preset": "private_chat"}, token))["room_id"]
    for number in range(3):
        expect(call(f"{url}/_matrix/client/v3/rooms/{room}/send/m.room.message/{number}", "PUT",
                    {"msgtype": "m.text", "body": f"message {number}"}, token))


def main(url, process):
    wait_for("the server to answer", lambda: is_ready(url, process))
    first = expect(call(f"{url}/_hello/world"))
    assert first == {"message": "good day, world", "room_events": 0}, first
    make_traffic(url)
    # A room of that preset begins with at least five events (create, the member, power levels, join rules, ...).
    counted = wait_for("the plugin to count the records",
                       lambda: expect(call(f"{url}/_hello/world"))["room_events"] >= 8)
    assert counted


if __name__ == "__main__":
    main(sys.argv[1].rstrip("/"), int(sys.argv[2]))
