#!/usr/bin/env python3
"""How far the segments are behind 20,000 events a second, and when people leave whose time has come, on a real server.

    benchmarks/segments/lag.py --folder SHOPS [--size 1m] [--seconds 20] [--rate 20000]

A copy of the shop is served with 100 segments of ten kinds, as measure_segments has them. Standard library only.
"""

import argparse
import pathlib
import random
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests" / "support"), str(ROOT / "benchmarks" / "shop")]
import measuring  # noqa: E402
import vitrine  # noqa: E402

SEGMENTS = 100
BATCH = 500
SENDERS = 4
KINDS = ("view", "view", "view", "cart_add", "search")
LEAVERS = 100
WINDOW_S = 60


def expression(i):
    n = 1 + i // 10
    return (f'count("view", "{7 * n}d") >= 1',
            f'sum("purchase", "90d") > {20 * n}',
            f"days_since(user.last_order_at) > {10 * n}",
            f'count("cart_add", "{24 * n}h") >= 1 && count("purchase", "{24 * n}h") == 0',
            f"user.orders_count >= {n} && user.net_spend > 50",
            f"user.rfm.recency >= {1 + n % 5} && user.rfm.monetary >= 3",
            f'bucket("seed-{n}", 0, 0.5) && user.lifetime_days > 10',
            'user.stage == "active" || user.stage == "new"',
            f"days_since(user.last_seen_at) < {n} && user.orders_count == 0",
            f'in_segment("s{i - 9}") && !in_segment("s{i - 1}")')[i % 10]


def put(server, key, text):
    status, _, answer = server.request("PUT", f"/v1/segments/{key}", {"expression": text, "include_visitors": True})
    assert status in (200, 201), answer


def build(server):
    begun = time.monotonic()
    for i in range(SEGMENTS):
        put(server, f"s{i}", expression(i))
    put(server, "leavers", 'count("purchase", "1m") >= 1')
    put(server, "probe", 'user.traits.probe == "yes"')

    def is_live():
        return all(one["state"] == "live" for one in server.get("/v1/segments")["segments"])

    vitrine.wait_until(is_live, 300, "all segments are live")
    return time.monotonic() - begun


class Load:
    """Sends batches at a rate from several threads, over people and products by chance."""

    def __init__(self, server, people, products, rate, seconds):
        self.server, self.people, self.products = server, people, products
        self.pause = BATCH * SENDERS / rate
        self.ends = time.monotonic() + seconds
        self.sent = 0
        self.refused = 0
        self.lock = threading.Lock()
        self.threads = [threading.Thread(target=self.run, args=(seed,)) for seed in range(SENDERS)]

    def run(self, seed):
        chance = random.Random(seed)
        due = time.monotonic() + self.pause * seed / SENDERS
        while due < self.ends:
            time.sleep(max(0.0, due - time.monotonic()))
            due += self.pause
            events = [{"type": KINDS[chance.randrange(len(KINDS))], "user_id": f"u{chance.randrange(self.people)}",
                       "product_id": f"p{chance.randrange(self.products)}"} for _ in range(BATCH)]
            status, _, _ = self.server.request("POST", "/v1/events", {"events": events})
            with self.lock:
                self.sent += BATCH if status == 200 else 0
                self.refused += 0 if status == 200 else 1

    def __enter__(self):
        self.began = time.monotonic()
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        for thread in self.threads:
            thread.join()
        self.per_second = self.sent / (time.monotonic() - self.began)


def watch_lag(server, ends):
    lags = []
    while time.monotonic() < ends:
        lags.append(measuring.metric(server, "vitrine_segments_lag_seconds"))
        time.sleep(0.05)
    return lags


def watch_probe(server, ends):
    """From the moment an event is acknowledged until the member list has its person."""
    seen = []
    number = 0
    while time.monotonic() < ends:
        user = f"probe-{number}"
        number += 1
        server.post("/v1/identify", {"userId": user, "traits": {"probe": "yes"}})
        begun = time.monotonic()
        size = number
        while server.get("/v1/segments/probe")["size"] < size and time.monotonic() < begun + 10:
            time.sleep(0.005)
        seen.append(time.monotonic() - begun)
        time.sleep(0.2)
    return seen


def buy(server, now):
    """Purchases whose windows end some seconds from now; the moment each is due."""
    due = {}
    events = []
    for i in range(LEAVERS):
        at = now - WINDOW_S + 8 + 6 * i / LEAVERS
        at = round(at, 3)
        due[f"leaver-{i}"] = at + WINDOW_S
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at)) + f".{round(at % 1 * 1000):03d}Z"
        events.append({"type": "purchase", "user_id": f"leaver-{i}", "product_id": "p1", "order_id": f"leaver-{i}",
                       "price": "5.00", "currency": "EUR", "time": stamp})
    server.send(*events)
    return due


def watch_leaving(server, due):
    left = {}
    while len(left) < len(due) and time.time() < max(due.values()) + 10:
        members = {one["user_id"] for one in server.get("/v1/segments/leavers/members?limit=1000")["members"]
                   if "user_id" in one}
        now = time.time()
        for user, at in due.items():
            if user not in members and user not in left and now > at - 1:
                left[user] = now - at
        time.sleep(0.02)
    return sorted(left.values())


def told(name, values, unit="s"):
    values = sorted(values)
    if not values:
        return f"{name}: nothing seen"
    return (f"{name}: mean {sum(values) / len(values):.3f}, p99 {values[int(len(values) * 0.99)]:.3f}, "
            f"max {values[-1]:.3f} {unit} of {len(values)}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", required=True, help="where the made shops are")
    parser.add_argument("--build", default="build/release")
    parser.add_argument("--size", default="1m", choices=sorted(measuring.SIZES))
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--rate", type=int, default=20_000)
    options = parser.parse_args()
    bench = measuring.Bench(options)
    count = measuring.SIZES[options.size][0]
    with bench.copy_of(options.size) as data, measuring.server_on(data) as server:
        print(f"built within {build(server):.1f} s", flush=True)
        results = {}
        ends = time.monotonic() + options.seconds

        def keep(name, function, *arguments):
            results[name] = function(*arguments)

        with Load(server, count, count, options.rate, options.seconds) as load:
            time.sleep(1)
            due = buy(server, time.time())
            watchers = [threading.Thread(target=keep, args=arguments) for arguments in (
                ("lag", watch_lag, server, ends), ("probe", watch_probe, server, ends),
                ("left", watch_leaving, server, due))]
            for watcher in watchers:
                watcher.start()
            for watcher in watchers:
                watcher.join()
        print(f"{load.per_second:,.0f} events/s, {load.refused} batches refused")
        print(told("lag of the segments", results["lag"]))
        print(told("from acknowledged to listed", results["probe"]))
        print(told("left after their moment", results["left"]))


if __name__ == "__main__":
    main()
