#!/usr/bin/env python3
"""What the server promises under load, measured: one row a promise, with its bar beside the figure.

Makes shops of 100,000 and of 1,000,000 products and users in FOLDER (once: they are kept), starts the real server on
them and asks it as clients do, by an open loop where a rate is promised. Rows that change a shop work on a copy.

  python3 benchmarks/shop/bars.py build/release build/shops [--only NAME,...] [--seconds S] [--minutes M] [--json]
"""

import argparse
import contextlib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests" / "support")]

HOME = "/v1/placements/home/products?user_id={user}&limit=12"
DEPARTMENTS = {"50 %": "Fashion", "10 %": "Home", "1 %": "Toys", "0.1 %": "Candles"}  # of made_shop.cpp
SIZES = {"100k": (100_000, 2_000_000), "1m": (1_000_000, 10_000_000)}  # products and users, events


class Bench:
    def __init__(self, options):
        self.options = options
        self.build = pathlib.Path(options.build)
        self.folder = pathlib.Path(options.folder)
        self.rows = []

    def program(self, name):
        return str(self.build / "benchmarks" / name)

    def shop(self, size):
        """The data folder of a shop; made when it is not there."""
        count, events = SIZES[size]
        data, users = self.folder / size, self.folder / f"{size}.users"
        self.folder.mkdir(parents=True, exist_ok=True)
        subprocess.run([self.program("shop/make_shop"), data, "--products", str(count), "--users", str(count),
                        "--events", str(events)], check=True, stdout=subprocess.DEVNULL)
        if not users.exists():
            users.write_text("".join(f"u{user}\n" for user in range(count)))
        return data

    @contextlib.contextmanager
    def copy_of(self, size):
        """A shop that may be changed."""
        copy = self.folder / f"{size}-copy"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(self.shop(size), copy, copy_function=link_or_copy)
        try:
            yield copy
        finally:
            shutil.rmtree(copy)

    def load(self, server, size, *arguments, path=HOME, seconds=None, prefix=()):
        port = getattr(server, "port", server)
        done = subprocess.run([*prefix, self.program("http_load/http_load"), f"http://127.0.0.1:{port}{path}",
                               "--seconds", str(seconds or self.options.seconds),
                               *(["--users", self.folder / f"{size}.users"] if size else []), "--json",
                               *map(str, arguments)], capture_output=True, text=True)
        if not done.stdout:
            raise RuntimeError(done.stderr)
        return json.loads(done.stdout)

    def row(self, what, figure, bar):
        self.rows.append({"what": what, "figure": figure, "bar": bar, "load_average": os.getloadavg()[0]})
        if not self.options.json:
            print(f"{what:<58}{figure:<62}{bar}", flush=True)


def link_or_copy(source, target):
    """RocksDB never changes a table file; all else may grow."""
    if str(source).endswith(".sst"):
        os.link(source, target)
    else:
        shutil.copy2(source, target)


def latencies(outcome):
    return (f"{outcome['per_second']:,.0f}/s, p50 {outcome['p50_ms']:.2f}, p99 {outcome['p99_ms']:.2f}, "
            f"p99.9 {outcome['p99.9_ms']:.1f} ms, {outcome['errors']} errors")


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory_mib(pid):
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return {name: int(text.split(f"{name}:")[1].split()[0]) / 1024 for name in ("VmRSS", "VmHWM", "RssAnon")}


def server_on(data, *arguments):
    import vitrine
    return vitrine.Server(data, "--recommend-deadline-ms", "100", *arguments)


def recommend_100k(bench):
    with server_on(bench.shop("100k")) as server:
        bench.load(server, "100k", "--connections", 2, seconds=2)
        outcome = bench.load(server, "100k", "--connections", 2)
        bench.row("recommend, 100 k products, 2 clients", latencies(outcome), "p50 < 0.4 ms")
        for rate, bar in ((6000, "p99 < 5 ms"), (10000, "stretch: p99 < 5 ms")):
            outcome = bench.load(server, "100k", "--rate", rate, "--connections", 64)
            bench.row(f"recommend, 100 k products, {rate:,}/s", latencies(outcome), bar)


def recommend_1m(bench):
    with server_on(bench.shop("1m")) as server:
        bench.load(server, "1m", "--connections", 2, seconds=2)
        outcome = bench.load(server, "1m", "--connections", 1)
        bench.row("recommend, 1 M products, 1 client", latencies(outcome), "")
        for rate, bar in ((1000, "p99 < 20 ms"), (2000, "stretch: p99 < 15 ms")):
            beside = {}
            watching = threading.Thread(target=lambda: beside.update(bench.load(
                server, None, "--rate", 100, "--connections", 4, path="/healthz")))
            watching.start()
            outcome = bench.load(server, "1m", "--rate", rate, "--connections", 64)
            watching.join()
            bench.row(f"recommend, 1 M products, {rate:,}/s", latencies(outcome), bar)
            bench.row("  /healthz beside it, 100/s", latencies(beside), "")


def cpu(bench):
    with server_on(bench.shop("100k")) as server:
        bench.load(server, "100k", "--rate", 1000, seconds=2)
        before = cpu_seconds(server.process.pid)
        outcome = bench.load(server, "100k", "--rate", 1000, "--warmup", 0)
        used = (cpu_seconds(server.process.pid) - before) / outcome["requests"]
        bench.row("server CPU for one home answer, 100 k products", f"{used * 1e6:.0f} us", "300 us; stretch: 200")


def fresh(bench):
    """A new product of a category of its own until it is shown; a hidden one in the very next answer."""
    rounds, new_ms, still_shown = 200, [], 0
    with bench.copy_of("100k") as data, server_on(data) as server:
        server.get("/v1/placements/home/products?user_id=u1")
        for number in range(rounds):
            product = {"product_id": f"fresh-{number}", "title": "New", "categories": [f"Fashion > Fresh {number}"],
                       "currency": "EUR", "price": "9.00"}
            page = f"/v1/placements/home/products?user_id=u{number}&limit=12&category=Fashion%20%3E%20Fresh%20{number}"
            begun = time.perf_counter()
            server.request("PUT", f"/v1/products/fresh-{number}", product)
            while not server.get(page)["products"]:
                pass
            new_ms.append((time.perf_counter() - begun) * 1e3)
            shown = server.get(f"/v1/placements/home/products?user_id=u{number}&limit=12")["products"][0]["product_id"]
            server.request("PATCH", f"/v1/products/{shown}", {"hidden": True})
            answer = server.get(f"/v1/placements/home/products?user_id=u{number}&limit=12")
            still_shown += any(product["product_id"] == shown for product in answer["products"])
    new_ms.sort()
    bench.row("new product, from sending it to the answer that shows it",
              f"p50 {new_ms[rounds // 2]:.2f}, worst of {rounds} {new_ms[-1]:.1f} ms", "10 ms; stretch: 2")
    bench.row("hidden product in the next answer", f"{still_shown} of {rounds}", "0")


def start(bench):
    """Ready after kill -9, and what memory that takes."""
    data = bench.shop("1m")
    for again in ("first start", "start after kill -9"):
        server = server_on(data)
        begun = time.monotonic()
        with server:
            ready_s = time.monotonic() - begun
            bench.load(server, "1m", "--rate", 200, seconds=3)
            memory = memory_mib(server.process.pid)
            bench.row(f"{again}, 10 M events, 1 M users and products", f"{ready_s:.1f} s to ready", "5 s; stretch: 1")
            server.kill()
    bench.row("memory, 1 M products x 64, 1 M users",
              f"{memory['VmRSS']:,.0f} MiB ({memory['RssAnon']:,.0f} of its own), peak {memory['VmHWM']:,.0f}",
              "2,048 MiB; stretch: 1,229")


def mixed(bench):
    body = ('{"events":[' + ",".join(
        f'{{"event_id":"{{id}}-{i}","type":"view","user_id":"{{user}}","product_id":"p{i * 37}"}}' for i in range(10))
        + "]}")
    with bench.copy_of("100k") as data, server_on(data) as server:
        seconds = bench.options.minutes * 60 or bench.options.seconds
        bench.load(server, "100k", "--rate", 500, seconds=2)
        before = memory_mib(server.process.pid)["VmRSS"]
        events = {}
        writing = threading.Thread(target=lambda: events.update(bench.load(
            server, "100k", "--rate", 500, "--connections", 32, "--body", body, path="/v1/events", seconds=seconds)))
        writing.start()
        outcome = bench.load(server, "100k", "--rate", 2000, "--connections", 64, seconds=seconds)
        writing.join()
        after = memory_mib(server.process.pid)["VmRSS"]
        bench.row(f"mixed for {seconds} s: 2,000 recommend/s", latencies(outcome), "p99 < 10 ms, no error")
        bench.row("  with 5,000 events/s, 10 a request", latencies(events), "no error")
        bench.row("  memory", f"{before:,.0f} MiB before, {after:,.0f} after", "flat")


def filters(bench):
    for size in bench.options.filter_sizes.split(","):
        with server_on(bench.shop(size)) as server:
            bench.load(server, size, "--connections", 2, seconds=2)
            for share, department in DEPARTMENTS.items():
                outcome = bench.load(server, size, "--connections", 2, path=HOME + f"&category={department}",
                                     seconds=max(1, bench.options.seconds / 3))
                bench.row(f"recommend, {size}, {share} of the products allowed", latencies(outcome), "")


def nginx(bench):
    """The same body from our HTTP and from nginx, server and clients on one core each."""
    program = shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin")
    if program is None:
        return bench.row("pure HTTP", "nginx is not installed", ">= 0.95 x nginx")
    pin = ("taskset", "-c", "1")
    ours = subprocess.Popen(["taskset", "-c", "0", bench.program("http_load/http_echo"), "18081", "1"],
                            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
    folder = bench.folder / "nginx"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "flat").write_text('{"products":"' + "x" * 1490 + '"}')
    (folder / "nginx.conf").write_text(f"""daemon off; worker_processes 1; pid {folder.resolve()}/pid; error_log stderr crit;
events {{ worker_connections 1024; }}
http {{ access_log off; keepalive_requests 100000000; server {{ listen 127.0.0.1:18082;
location /flat {{ default_type application/json; return 200 '{(folder / "flat").read_text()}'; }} }} }}
""")
    theirs = subprocess.Popen(["taskset", "-c", "0", program, "-p", str(folder.resolve()), "-c",
                               str((folder / "nginx.conf").resolve())])
    try:
        time.sleep(0.5)
        best = {18081: 0.0, 18082: 0.0}
        for _ in range(3):
            for port in best:
                outcome = bench.load(port, None, "--connections", 32, path="/flat", seconds=2, prefix=pin)
                best[port] = max(best[port], outcome["per_second"])
        bench.row("pure HTTP beside nginx, the best of three",
                  f"{best[18081]:,.0f}/s, nginx {best[18082]:,.0f}/s: {best[18081] / best[18082]:.2f} x", ">= 0.95 x")
    finally:
        theirs.terminate()
        theirs.wait()
        ours.stdin.close()
        ours.wait()


def scan(bench):
    done = subprocess.run([bench.program("events/log_scan"), bench.shop("1m")], capture_output=True, text=True,
                          check=True)
    outcome = json.loads(done.stdout)
    bench.row(f"log scan for training, {outcome['entries']:,} entries", f"{outcome['per_second']:,.0f}/s",
              "1,000,000/s; stretch: 1,500,000")


BARS = {bar.__name__: bar for bar in (recommend_100k, cpu, filters, fresh, mixed, nginx, recommend_1m, start, scan)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build", help="where the programs are: build/release")
    parser.add_argument("folder", help="where the shops are kept: build/shops")
    parser.add_argument("--only", default=",".join(BARS), help="of " + ",".join(BARS))
    parser.add_argument("--seconds", type=float, default=5, help="of each measurement")
    parser.add_argument("--minutes", type=float, default=0, help="of the mixed load")
    parser.add_argument("--filter-sizes", default="100k", help="100k,1m")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    os.environ["VITRINE_READY_SECONDS"] = "3600"
    os.environ["VITRINE_BINARY"] = str(pathlib.Path(options.build) / "vitrine")
    unknown = set(options.only.split(",")) - set(BARS)
    if unknown:
        parser.error(f"--only: there is no {', '.join(sorted(unknown))}; there are {', '.join(BARS)}")
    bench = Bench(options)
    for name in options.only.split(","):
        BARS[name](bench)
    if options.json:
        print(json.dumps({"date": time.strftime("%Y-%m-%d"), "rows": bench.rows}, indent=2))


if __name__ == "__main__":
    main()
