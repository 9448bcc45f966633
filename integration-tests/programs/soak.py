"""Many clients of two tenants while the server, and its database, are killed with signal 9 again and again.

It keeps a journal of every request and how it ended. After each start, and at the end, it proves that whatever was
acknowledged is there, that what was not is there in one piece or not at all, that nothing is there twice or unasked for,
and that the numbers that lists tell are those of their rows. SOAK_SECONDS is how long it lasts (40).
"""
import http.client
import os
import threading
import time
import urllib.parse
from pathlib import Path

import rest
from harness import databases
from harness.server import Server
from soaking.checker import all_end, check
from soaking.journal import Journal
from soaking.workers import Worker

SECONDS = float(os.environ.get("SOAK_SECONDS", 40))
# From one kill to the next.
EVERY = min(30, SECONDS / 5)
AWAY = 2
WORKERS = 3
TENANTS = {"jane-doe": "jane@example.com", "john-roe": "john@example.com"}


def ready(server: Server) -> bool:
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(server.admin).netloc, timeout=30)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    finally:
        connection.close()


def phase(journal: Journal, server: Server, database, tokens: dict, number: int) -> str:
    """Works until something is killed; gives what that was. The server runs again after it."""
    over = threading.Event()
    workers = [Worker(journal, rest.Rest(server.host, tokens[namespace]), namespace, f"{chr(ord('a') + at)}", number, over)
               for namespace in TENANTS for at in range(WORKERS)]
    for worker in workers:
        worker.start()
    time.sleep(EVERY)
    what = "the database" if database and number % 2 else "the server"
    if what == "the server":
        server.kill()
    else:
        database.kill()
        time.sleep(AWAY)
        database.start()
        deadline = time.monotonic() + 60
        while not ready(server):
            assert time.monotonic() < deadline, "the server does not find its database again"
            time.sleep(0.1)
        time.sleep(AWAY)
    over.set()
    for worker in workers:
        worker.join(120)
        assert not worker.is_alive(), "a client does not end"
    if what == "the server":
        server.start()
    return what


def main() -> None:
    with databases.running(os.environ.get("DATABASE", "")) as database:
        server = Server(Path(os.environ["SCRATCH"]) / "server", database=database)
        try:
            print(soak(server.start(), database), flush=True)
            server.stop()
        finally:
            server.kill()


def soak(server: Server, database) -> str:
    tokens = {namespace: server.secret(user) for namespace, user in TENANTS.items()}
    journal, kills, began, number = Journal(), {"the server": 0, "the database": 0}, time.monotonic(), 0
    while time.monotonic() - began < SECONDS:
        what = phase(journal, server, database, tokens, number)
        kills[what] += 1
        number += 1
        assert not journal.wrong, f"{len(journal.wrong)} answers are wrong: {journal.wrong[:5]}"
        found = sum(check(journal, rest.Rest(server.host, tokens[namespace]), namespace) for namespace in TENANTS)
        print(f"{time.monotonic() - began:.0f} s: {what} was killed; {dict(journal.outcomes)}; {found} objects", flush=True)
    runs = sum(all_end(rest.Rest(server.host, tokens[namespace]), namespace) for namespace in TENANTS)
    found = sum(check(journal, rest.Rest(server.host, tokens[namespace]), namespace) for namespace in TENANTS)
    assert journal.outcomes["acknowledged"] > 100, journal.outcomes
    killed = " and ".join(f"{what} {times} times" for what, times in kills.items() if times)
    return f"{killed} killed, {dict(journal.outcomes)} writes, {found} objects as they must be, {runs} runs ended"


if __name__ == "__main__":
    main()
