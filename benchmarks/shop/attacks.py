#!/usr/bin/env python3
"""What others notice while somebody attacks: the p99 of a shop's own requests before and during each attack, and the
memory that the server takes.

Attacks the server that it starts itself, over loopback, for as long as a measurement takes, and with so many sockets
and bytes as are written here. Works on the shops of bars.py in FOLDER.

  python3 benchmarks/shop/attacks.py build/release FOLDER [--size 100k] [--seconds S] [--rate R] [--only BEGINNING] [--json]
"""

import contextlib
import gzip
import pathlib
import socket
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests" / "support"), str(pathlib.Path(__file__).resolve().parent)]

from measuring import HOME, Bar, latencies, measure_alone, memory_mib, server_on  # noqa: E402

SLOW_CLIENTS = 5000
VISITS = 10_000
PAUSE_S = 0.002  # between two requests of one attacker: its own work must not be what others wait for
BOMB_BYTES = 64 << 20
DEPTH = 100_000
# The formula of docs/security.md for what these attacks hold: connections with their headers, and bodies at the limit.
MEMORY_MIB = (SLOW_CLIENTS * 20 + 16 * (1024 + 4096)) / 1024


def post(body, *headers):
    head = "\r\n".join(["POST /v1/events HTTP/1.1", "Host: localhost", f"Content-Length: {len(body)}", *headers])
    return head.encode() + b"\r\n\r\n" + body


def connect(port):
    client = socket.create_connection(("127.0.0.1", port), timeout=10)
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return client


def again_and_again(request):
    """An attacker that sends the same thing over new connections until it is told to stop."""
    def attack(port, stopped):
        count = 0
        while not stopped.is_set():
            with contextlib.suppress(OSError), connect(port) as client:
                client.sendall(request)
                client.recv(4096)
            count += 1
            time.sleep(PAUSE_S)
        return count
    return attack


def slow_clients(port, stopped):
    clients = []
    for _ in range(SLOW_CLIENTS):
        clients.append(connect(port))
        clients[-1].sendall(b"GET /healthz HTTP/1.1\r\nX-Slow: ")
    number = 0
    while not stopped.is_set():  # a byte now and then from each
        with contextlib.suppress(OSError):
            clients[number % SLOW_CLIENTS].sendall(b"x")
        number += 1
        time.sleep(PAUSE_S / 2)
    for client in clients:
        client.close()
    return SLOW_CLIENTS


def short_visits(port, stopped):
    count = 0
    while count < VISITS and not stopped.is_set():
        connect(port).close()
        count += 1
        time.sleep(PAUSE_S / 16)
    return count


ATTACKS = {
    "slow clients, 5,000": slow_clients,
    "header floods": again_and_again(b"GET /healthz HTTP/1.1\r\n" + b"X-Flood: more and more and more\r\n" * 2000),
    "inflating bombs, 64 MiB each": again_and_again(post(gzip.compress(b"0" * BOMB_BYTES), "Content-Encoding: gzip")),
    "JSON nested 100,000 deep": again_and_again(post(b"[" * DEPTH)),
    "connections opened and closed": short_visits,
}


def attacked(bench):
    options = bench.options
    with server_on(bench.folder / options.size) as server:
        def measure(seconds=None):
            return bench.load(server, options.size, "--rate", options.rate, "--connections", 32, path=HOME,
                              seconds=seconds)
        measure(2)
        for name, attack in ATTACKS.items():
            if not name.startswith(options.only):
                continue
            calm = measure()
            before = memory_mib(server.process.pid)["VmRSS"]
            stopped, sent = threading.Event(), []
            attacker = threading.Thread(target=lambda: sent.append(attack(server.port, stopped)))
            attacker.start()
            time.sleep(2 if attack is slow_clients else 0.2)
            during = measure()
            more = memory_mib(server.process.pid)["VmRSS"] - before
            stopped.set()
            attacker.join()
            times = during["p99_ms"] / calm["p99_ms"] if during["errors"] == 0 else float("inf")
            bench.row(f"{name}: p99 of others", f"{calm['p99_ms']:.2f} ms before, {latencies(during)}: {times:.2f} x",
                      Bar("x", 2), times)
            bench.row(f"  {sum(sent):,} of them; memory", f"{more:+,.0f} MiB", Bar("MiB", MEMORY_MIB), more)


if __name__ == "__main__":
    sys.exit(measure_alone(__doc__, {"attacks": attacked}, rate=500.0, only=""))
