"""Times lists, filters and searches of a library of 100,000 videos and 5,000,000 cues, on SQLite and on PostgreSQL.

Arguments: the program, and the program that starts the servers of tests. Prints a table for docs/operations.md.
"""

import http.client
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).parent
PASSWORD = "correct horse battery staple"
PORT = 8197
REQUESTS = 100
_random = random.Random(1)

# Each query is made anew for each request, so that no page of a database is the only one that is asked for.
QUERIES = {
    "newest, an administrator": (True, lambda: "/api/v1/videos?limit=50"),
    "newest, a stranger": (False, lambda: "/api/v1/videos?limit=50"),
    "failed ones": (True, lambda: "/api/v1/videos?limit=50&state=failed"),
    "by title": (False, lambda: "/api/v1/videos?limit=50&sort=title"),
    "by views": (False, lambda: "/api/v1/videos?limit=50&sort=views"),
    "longest": (False, lambda: "/api/v1/videos?limit=50&sort=longest"),
    "a tag of 10,000": (False, lambda: "/api/v1/videos?limit=50&tag=often"),
    "a tag of 10,000, by title": (False, lambda: "/api/v1/videos?limit=50&tag=often&sort=title"),
    "a tag of 10,000, by views": (False, lambda: "/api/v1/videos?limit=50&tag=often&sort=views"),
    "a tag of 20": (False, lambda: f"/api/v1/videos?limit=50&tag=seldom{_random.randrange(5000)}"),
    "a tag of 20, longest": (False, lambda: f"/api/v1/videos?limit=50&tag=seldom{_random.randrange(5000)}&sort=longest"),
    "search: a word of 100 cues": (False, lambda: f"/api/v1/search?q=few{_random.randrange(50000)}%20"),
    "search: a word of 10,000 cues": (False, lambda: f"/api/v1/search?q=some{_random.randrange(1000)}%20"),
    "search: a word of 500,000 cues": (False, lambda: f"/api/v1/search?q=all{_random.randrange(20)}%20"),
    "search: a word of 500,000 cues, of old videos alone": (False, lambda: "/api/v1/search?q=old%20"),
    "search: two words": (False, lambda: f"/api/v1/search?q=all{_random.randrange(20)}+some{_random.randrange(1000)}%20"),
    "search: a beginning": (False, lambda: f"/api/v1/search?q=few{_random.randrange(1000, 5000)}"),
    "search: a word of titles": (False, lambda: f"/api/v1/search?q=w{_random.randrange(997)}%20"),
}


def main():
    program, servers = (str(pathlib.Path(argument).resolve()) for argument in sys.argv[1:3])
    kinds = sys.argv[3:] or ["sqlite", "postgres"]
    with tempfile.TemporaryDirectory(prefix="clipcut-bench-") as folder:
        columns = {}
        for kind in kinds:
            store = {"sqlite": Sqlite, "postgres": Postgres}[kind](program, servers, pathlib.Path(folder) / kind)
            with store:
                columns[kind] = measure(store)
    print(f"| p95 of {REQUESTS} requests, ms (median) | " + " | ".join(columns) + " |")
    print("| --- |" + " --- |" * len(columns))
    for name in QUERIES:
        print(f"| {name} | " + " | ".join(columns[kind][name] for kind in columns) + " |")
    print(f"\n{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}", file=sys.stderr)


class Refused(Exception):
    """An answer that is not the page that was asked for."""


class Store:
    """A library that is filled, and a server over it."""

    settings = {}

    def __init__(self, program, servers, folder):
        self.program, self.servers, self.folder = program, servers, folder
        folder.mkdir()

    def __enter__(self):
        self.open()
        self.run("user", "add", "--admin", "--name", "Anna", "anna@example.org", text=f"{PASSWORD}\n")
        began = time.monotonic()
        self.fill()
        print(f"{self.folder.name}: filled in {time.monotonic() - began:.0f} s", file=sys.stderr)
        log = open(self.folder / "log", "w")
        self.server = subprocess.Popen([self.program, "serve"], env=self.environment(), stdout=log, stderr=log)
        for _ in range(3000):
            try:
                connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=5)
                connection.request("GET", "/readyz")
                if connection.getresponse().status == 200:
                    return self
            except OSError:
                time.sleep(0.1)
        sys.exit((self.folder / "log").read_text())

    def __exit__(self, *_):
        self.server.terminate()
        self.server.wait()
        self.close()

    def environment(self):
        own = {
            "CLIPCUT_DATA": str(self.folder / "data"),
            "CLIPCUT_LISTEN": f"127.0.0.1:{PORT}",
            "CLIPCUT_ADMIN_LISTEN": f"127.0.0.1:{PORT + 1000}",
            "CLIPCUT_CAPTIONS": "off",
            "CLIPCUT_LOG": "warn",
        }
        return os.environ | own | self.settings

    def run(self, *arguments, text=""):
        subprocess.run([self.program, *arguments], env=self.environment(), input=text, text=True, check=True, stdout=subprocess.DEVNULL)

    def open(self):
        pass

    def close(self):
        pass


class Sqlite(Store):
    def fill(self):
        script = (HERE / "fill-sqlite.sql").read_text()
        subprocess.run(["sqlite3", "-bail", str(self.folder / "data/clipcut.sqlite")], input=script, text=True, check=True, stdout=subprocess.DEVNULL)


class Postgres(Store):
    def open(self):
        self.running = subprocess.Popen([self.servers], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.settings = dict(self.running.stdout.readline().strip().split("=", 1) for _ in range(3))
        keys = self.folder / "ticket-keys"
        keys.write_text("1 MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=\n")
        self.settings["CLIPCUT_TICKET_KEYS"] = str(keys)
        self.run("migrate")

    def fill(self):
        script = str(HERE / "fill-postgres.sql")
        subprocess.run(["psql", "-qX", "-v", "ON_ERROR_STOP=1", "-f", script, self.settings["CLIPCUT_POSTGRES"]], check=True)

    def close(self):
        self.running.stdin.close()
        self.running.wait()


def measure(store):
    connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=120)
    session = json.dumps({"email": "anna@example.org", "password": PASSWORD})
    connection.request("POST", "/api/v1/session", session, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    cookie = answer.headers["Set-Cookie"].split(";")[0]
    answer.read()
    figures = {}
    for name, (signed_in, path) in QUERIES.items():
        headers = {"Cookie": cookie} if signed_in else {}
        try:
            times = sorted(_time(connection, path(), headers) for _ in range(REQUESTS))
            figures[name] = f"{times[REQUESTS * 95 // 100 - 1]:.0f} ({times[REQUESTS // 2]:.0f})"
        except Refused as refused:
            figures[name] = str(refused)
        print(f"{store.folder.name}: {name}: {figures[name]}", file=sys.stderr)
    return figures


def _time(connection, path, headers):
    began = time.perf_counter()
    connection.request("GET", path, headers=headers)
    answer = connection.getresponse()
    answer.read()
    elapsed = (time.perf_counter() - began) * 1000
    if answer.status != 200:
        raise Refused(f"{answer.status} after {elapsed:.0f}")
    return elapsed


main()
