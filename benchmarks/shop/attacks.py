#!/usr/bin/env python3
"""What others notice while somebody attacks: the p99 of a shop's own requests before and during each attack, and the
memory that the server takes.

Attacks the server that it starts itself, over loopback, for as long as a measurement takes, and with so many sockets
and bytes as are written here. Works on the shops of bars.py in FOLDER.

  python3 benchmarks/shop/attacks.py build/release FOLDER [--size 100k] [--seconds S] [--rate R] [--only BEGINNING] [--json]
"""

import collections
import contextlib
import gzip
import pathlib
import socket
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests" / "support"), str(pathlib.Path(__file__).resolve().parent)]

from measuring import HOME, Bar, latencies, measure_alone, memory_mib, metric, server_on  # noqa: E402

SLOW_CLIENTS = 5000
VISITS = 10_000
PAUSE_S = 0.002  # between two requests of one attacker: its own work must not be what others wait for
BOMB_BYTES = 64 << 20
DEPTH = 100_000
# The formula of docs/security.md for what these attacks hold: connections with their headers, and bodies at the limit.
MEMORY_MIB = (SLOW_CLIENTS * 20 + 16 * (1024 + 4096)) / 1024


def post(path, body, *headers):
    head = "\r\n".join([f"POST {path} HTTP/1.1", "Host: localhost", f"Content-Length: {len(body)}", *headers])
    return head.encode() + b"\r\n\r\n" + body


def connect(port):
    client = socket.create_connection(("127.0.0.1", port), timeout=10)
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return client


class Attack:
    """What an attacker and the measurement beside it tell each other."""

    def __init__(self, port):
        self.port = port
        self.begun = threading.Event()  # at its full strength
        self.stopped = threading.Event()
        self.count = 0
        self.answers = collections.Counter()  # by status; "none" where the connection was cut without a word

    def hear(self, client):
        said = client.recv(4096).split(b" ", 2)
        self.answers[said[1].decode() if len(said) > 2 else "none"] += 1


def again_and_again(request):
    """An attacker that sends the same thing over new connections until it is told to stop."""
    def run(attack):
        while not attack.stopped.is_set():
            with contextlib.suppress(OSError), connect(attack.port) as client:
                client.sendall(request)
                attack.hear(client)
            attack.count += 1
            attack.begun.set()
            time.sleep(PAUSE_S)
    return run


def slow_clients(attack):
    """A byte now and then from each; who is cut off comes back."""
    def come():
        client = connect(attack.port)
        client.sendall(b"GET /healthz HTTP/1.1\r\nX-Slow: ")
        attack.count += 1
        return client
    clients = [come() for _ in range(SLOW_CLIENTS)]
    attack.begun.set()
    place = 0
    while not attack.stopped.is_set():
        try:
            clients[place].sendall(b"x")
        except OSError:
            with contextlib.suppress(OSError):
                attack.hear(clients[place])
            clients[place].close()
            clients[place] = come()
        place = (place + 1) % SLOW_CLIENTS
        time.sleep(PAUSE_S / 2)
    for client in clients:
        client.close()


def short_visits(attack):
    """At least so many, and for as long as is measured."""
    while attack.count < VISITS or not attack.stopped.is_set():
        connect(attack.port).close()
        attack.count += 1
        attack.begun.set()
        time.sleep(PAUSE_S / 16)


ATTACKS = {
    "slow clients, 5,000": slow_clients,
    "header floods": again_and_again(b"GET /healthz HTTP/1.1\r\n" + b"X-Flood: more and more and more\r\n" * 2000),
    "inflating bombs, 64 MiB each": again_and_again(post("/v1/batch", gzip.compress(b"0" * BOMB_BYTES), "Content-Encoding: gzip")),
    "JSON nested 100,000 deep": again_and_again(post("/v1/events", b"[" * DEPTH)),
    "connections opened and closed": short_visits,
}


def forget_peak(pid):
    """From now on VmHWM is the peak since now."""
    pathlib.Path(f"/proc/{pid}/clear_refs").write_text("5")


def attacked(bench):
    options = bench.options
    with server_on(bench.folder / options.size) as server:
        def measure(seconds=None):
            return bench.load(server, options.size, "--rate", options.rate, "--connections", 32, path=HOME,
                              seconds=seconds)
        measure(2)
        for name, run in ATTACKS.items():
            if not name.startswith(options.only):
                continue
            calm = measure()
            before = memory_mib(server.process.pid)["VmRSS"]
            forget_peak(server.process.pid)
            attack = Attack(server.port)
            attacker = threading.Thread(target=run, args=(attack,), daemon=True)
            attacker.start()
            if not attack.begun.wait(timeout=60):
                raise RuntimeError(f"{name}: not at full strength within a minute")
            connections = metric(server, "vitrine_http_connections")
            during = measure()
            attack.stopped.set()
            attacker.join()
            more = memory_mib(server.process.pid)["VmHWM"] - before
            times = during["p99_ms"] / calm["p99_ms"] if during["errors"] == 0 else float("inf")
            bench.row(f"{name}: p99 of others", f"{calm['p99_ms']:.2f} ms before, {latencies(during)}: {times:.2f} x",
                      Bar("x", 2), times)
            heard = ", ".join(f"{count:,} x {status}" for status, count in sorted(attack.answers.items())) or "nothing"
            bench.row(f"  {attack.count:,} of them, answered {heard}; memory",
                      f"{more:+,.0f} MiB at the most, {connections:,.0f} connections at the start",
                      Bar("MiB", MEMORY_MIB), more)


if __name__ == "__main__":
    sys.exit(measure_alone(__doc__, {"attacks": attacked}, rate=500.0, only=""))
