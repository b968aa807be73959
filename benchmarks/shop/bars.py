#!/usr/bin/env python3
"""What the server promises under load, measured: one row a promise, with its bars beside the figure.

Makes shops of 100,000 and of 1,000,000 products and users in FOLDER (once: they are kept), starts the real server on
them and asks it as clients do, by an open loop where a rate is promised. What changes a shop works on a copy. Each row
is shown as soon as it is known; a measurement that fails costs its own rows only. Exit status: 0 when every bar that
must be reached was.

  python3 benchmarks/shop/bars.py build/release build/shops [--only NAME,...] [--seconds S] [--minutes M] [--json]
"""

import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests" / "support"), str(pathlib.Path(__file__).resolve().parent)]

from measuring import (SIZES, Bar, Bench, at_rate, cpu_seconds, latencies, memory_mib, metric,  # noqa: E402
                       server_on)

HOME = "/v1/placements/home/products?user_id={user}&limit=12"
DEPARTMENTS = {"50 %": "Fashion", "10 %": "Home", "1 %": "Toys", "0.1 %": "Candles"}  # of made_shop.cpp
SESSIONS = ("train.csv.gz", "test.csv.gz")


def recommend_100k(bench):
    with server_on(bench.shop("100k")) as server:
        recall = metric(server, "vitrine_live_model_index_recall_ratio")
        bench.row("recall of the index, 100 k products", f"{recall:.4f}", Bar("", 0.999, at_least=True), recall)
        bench.load(server, "100k", "--connections", 2, seconds=2, path=HOME)
        outcome = bench.load(server, "100k", "--connections", 2, path=HOME)
        bench.row("recommend, 100 k products, 2 clients", latencies(outcome), Bar("ms p50", 0.4), outcome["p50_ms"])
        for rate, bar in ((6000, Bar("ms p99", 5)), (10000, Bar("ms p99", stretch=5))):
            outcome = bench.load(server, "100k", "--rate", rate, "--connections", 64, path=HOME)
            bench.row(f"recommend, 100 k products, {rate:,}/s", latencies(outcome), bar, at_rate(outcome, rate))


def recommend_1m(bench):
    with server_on(bench.shop("1m")) as server:
        recall = metric(server, "vitrine_live_model_index_recall_ratio")
        bench.row("recall of the index, 1 M products", f"{recall:.4f}", Bar("", 0.99, at_least=True), recall)
        bench.load(server, "1m", "--connections", 2, seconds=2, path=HOME)
        outcome = bench.load(server, "1m", "--connections", 1, path=HOME)
        bench.row("recommend, 1 M products, 1 client", latencies(outcome))
        for rate, bar in ((1000, Bar("ms p99", 20)), (2000, Bar("ms p99", stretch=15))):
            beside = {}
            watching = threading.Thread(target=lambda: beside.update(bench.load(
                server, None, "--rate", 100, "--connections", 4, path="/healthz")))
            watching.start()
            outcome = bench.load(server, "1m", "--rate", rate, "--connections", 64, path=HOME)
            watching.join()
            bench.row(f"recommend, 1 M products, {rate:,}/s", latencies(outcome), bar, at_rate(outcome, rate))
            bench.row("  /healthz beside it, 100/s", latencies(beside))
        late = metric(server, "vitrine_recommend_late_answers_total")
        bench.row("  answers that left a source out", f"{late:,.0f}")


def cpu(bench):
    with server_on(bench.shop("100k")) as server:
        bench.load(server, "100k", "--rate", 1000, seconds=2, path=HOME)
        before = cpu_seconds(server.process.pid)
        outcome = bench.load(server, "100k", "--rate", 1000, "--warmup", 0, path=HOME)
        used_us = (cpu_seconds(server.process.pid) - before) / outcome["requests"] * 1e6
        bench.row("server CPU for one home answer, 100 k products", f"{used_us:.0f} us, decisions kept",
                  Bar("us", 300, 200), used_us)


def filters(bench):
    for size in bench.options.filter_sizes.split(","):
        with server_on(bench.shop(size)) as server:
            bench.load(server, size, "--connections", 2, seconds=2, path=HOME)
            for share, department in DEPARTMENTS.items():
                path = HOME + f"&category={department}"
                bench.load(server, size, "--connections", 2, path=path, seconds=0.5)
                outcome = bench.load(server, size, "--connections", 2, path=path, seconds=2)
                bench.row(f"recommend, {size}, {share} of the products allowed", latencies(outcome))


def events(bench):
    """Acknowledged events are on disk."""
    def body(count):
        return '{"events":[' + ",".join(
            f'{{"event_id":"{{id}}-{i}","type":"view","user_id":"{{user}}","product_id":"p{i * 37}"}}'
            for i in range(count)) + "]}"

    with bench.copy_of("100k") as data, server_on(data) as server:
        bench.load(server, "100k", "--rate", 100, "--body", body(100), path="/v1/events", seconds=1)
        for count, rates in ((100, ((50_000, Bar("ms p99", 10)), (100_000, Bar("ms p99", stretch=20)))),
                             (1, ((20_000, Bar("ms p99", 5)), (35_000, Bar("ms p99", stretch=5))))):
            for rate, bar in rates:
                outcome = bench.load(server, "100k", "--rate", rate / count, "--connections", 64, "--body",
                                     body(count), path="/v1/events")
                bench.row(f"durable events, {count} a request, {rate:,}/s", latencies(outcome), bar,
                          at_rate(outcome, rate / count))


def fresh(bench):
    """An event in the very next answer; a new product until it is shown; a hidden one gone from the next answer."""
    rounds, new_ms, still_shown, missed = 200, [], 0, 0
    with bench.copy_of("100k") as data, server_on(data) as server:
        server.get("/v1/placements/home/products?user_id=u1")
        for number in range(rounds):
            server.post("/v1/events", {"events": [{"event_id": f"fresh-{number}", "type": "view",
                                                   "visitor_id": f"fresh-{number}", "product_id": f"p{number}"}]})
            answer = server.get(f"/v1/placements/home/products?visitor_id=fresh-{number}&limit=12")
            missed += not any(product["reason"].get("product_id") == f"p{number}" for product in answer["products"])
            new_ms.append(until_shown(server, number))
            page = f"/v1/placements/home/products?user_id=u{number}&limit=12"
            shown = server.get(page)["products"][0]["product_id"]
            server.request("PATCH", f"/v1/products/{shown}", {"hidden": True})
            still_shown += any(product["product_id"] == shown for product in server.get(page)["products"])
    new_ms.sort()
    bench.row("acknowledged event not in the very next answer", f"{missed} of {rounds}", Bar("", 0, 0), missed)
    bench.row("new product, from sending it to the answer with it",
              f"p50 {new_ms[rounds // 2]:.2f}, worst of {rounds} {new_ms[-1]:.1f} ms", Bar("ms p50", 10, 2),
              new_ms[rounds // 2])
    bench.row("hidden product in the next answer", f"{still_shown} of {rounds}", Bar("", 0, 0), still_shown)


def until_shown(server, number):
    """Milliseconds from sending a product to having the answer with it; a new category for every ten of them."""
    shelf, name = number // 10, f"fresh-{number}"
    product = {"product_id": name, "title": "New", "categories": [f"Fashion > Fresh {shelf}"], "currency": "EUR",
               "price": "9.00"}
    page = f"/v1/placements/home/products?user_id=u{number}&limit=12&category=Fashion%20%3E%20Fresh%20{shelf}"
    begun = time.perf_counter()
    server.request("PUT", f"/v1/products/{name}", product)
    while not any(shown["product_id"] == name for shown in server.get(page)["products"]):
        pass
    return (time.perf_counter() - begun) * 1e3


def start(bench):
    """Ready after kill -9 while events came in, and what memory that takes."""
    products, events = SIZES["1m"]
    with server_on(bench.shop("1m")):
        pass  # a clean stop leaves a checkpoint of this version
    with bench.copy_of("1m") as data:
        with server_on(data) as server:
            body = '{"events":[{"event_id":"{id}","type":"view","user_id":"{user}","product_id":"p17"}]}'
            bench.load(server, "1m", "--rate", 1000, "--body", body, path="/v1/events", seconds=5)
            bench.load(server, "1m", "--rate", 100, path=HOME, seconds=3)
            server.kill()
        begun = time.monotonic()
        with server_on(data) as server:
            ready_s = time.monotonic() - begun
            used_s = cpu_seconds(server.process.pid)
            bench.row(f"start after kill -9, {events:,} events, {products:,} users",
                      f"{ready_s:.1f} s to ready, {used_s:.1f} s of processor time", Bar("s", 5, 1), ready_s)
            bench.load(server, "1m", "--rate", 200, path=HOME, seconds=3)
            memory = memory_mib(server.process.pid)
    bench.row("memory, 1 M products x 64, 1 M users",
              f"{memory['VmRSS']:,.0f} MiB ({memory['RssAnon']:,.0f} of its own), peak {memory['VmHWM']:,.0f}",
              Bar("MiB", 2048, 1229), memory["VmRSS"])


def watch_memory(server, until, every, seen):
    """Appends the resident memory in MiB, at once and every so many seconds while the thread `until` runs."""
    while until.is_alive():
        seen.append(memory_mib(server.process.pid)["VmRSS"])
        until.join(every)
    seen.append(memory_mib(server.process.pid)["VmRSS"])


def mixed(bench):
    with bench.copy_of("100k") as data, server_on(data) as server:
        visits = ("--bodies", bench.visits("100k"), "--connections", 32)
        seconds = bench.options.minutes * 60 or 4 * bench.options.seconds
        # Sessions and caches first hold as much as they ever will: what grows then, grows for ever.
        bench.load(server, "100k", *visits, path="/v1/events", seconds=seconds / 5)
        bench.load(server, "100k", "--connections", 4, seconds=seconds / 30, path=HOME)
        for times in (1, 2):
            memory = []
            events = {}
            writing = threading.Thread(target=lambda: events.update(bench.load(
                server, "100k", "--rate", 500 * times, *visits, path="/v1/events", seconds=seconds)))
            writing.start()
            watching = threading.Thread(target=lambda: watch_memory(server, writing, seconds / 10, memory))
            watching.start()
            outcome = bench.load(server, "100k", "--rate", 2000 * times, "--connections", 64, seconds=seconds,
                                 path=HOME)
            writing.join()
            watching.join()
            bar = Bar("ms p99", 10) if times == 1 else Bar("ms p99", stretch=10)
            bench.row(f"mixed for {seconds:g} s: {2000 * times:,} recommend/s", latencies(outcome), bar,
                      at_rate(outcome, 2000 * times))
            bench.row(f"  with {5000 * times:,} events/s, 10 a request and visit", latencies(events),
                      Bar("errors", 0) if times == 1 else Bar("errors", stretch=0), events["errors"])
            bench.row("  memory by tenths of that time", " ".join(f"{mib:,.0f}" for mib in memory) + " MiB")
            bench.row("  of it the store's", f"{metric(server, 'vitrine_store_memory_bytes') / 2**20:,.0f} MiB")


def nginx(bench):
    """The same body from our HTTP and from nginx, server and clients on one core each."""
    bar = Bar("x nginx", 0.95, 1.05, at_least=True)
    program = shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin")
    if program is None:
        return bench.row("pure HTTP", "nginx is not installed", bar)
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
        for _ in range(8):  # in turns, so that other work on the machine meets both
            for port in best:
                outcome = bench.load(port, None, "--connections", 32, "--warmup", 0.2, path="/flat", seconds=0.8,
                                     prefix=pin)
                best[port] = max(best[port], outcome["per_second"])
        times = best[18081] / best[18082]
        bench.row("pure HTTP beside nginx, the best of eight",
                  f"{best[18081]:,.0f}/s, nginx {best[18082]:,.0f}/s: {times:.2f} x", bar, times)
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
              Bar("/s", 1_000_000, 1_500_000, at_least=True), outcome["per_second"])


def index(bench):
    """One thread, beside FAISS's IndexFlatIP as packaged and hnswlib, in the same run. Processor time."""
    program = bench.program("index/bench_index")
    there = subprocess.run([program, "--benchmark_list_tests"], capture_output=True, text=True, check=True).stdout
    kernel = next(kernel for kernel in ("avx512", "avx2", "portable") if f"scan_{kernel}/" in there)
    names = {"flat": "faiss_flat_ip/100000x64/k100", "scan": f"scan_{kernel}/100000x64/k100",
             "graph": "hnswlib_m32_ef512/100000x64/k100", "narrow": "scan_one_of_100_allowed/100000x64/k100",
             "alone": f"scan_{kernel}/1000000x64/k500", "together": "scan_8_together/1000000x64/k500"}
    done = subprocess.run([program, "--benchmark_format=json", "--benchmark_min_time=0.3",
                           "--benchmark_filter=^(" + "|".join(names.values()) + ")$"],
                          capture_output=True, text=True, check=True)
    found = {run["name"]: run for run in json.loads(done.stdout)["benchmarks"] if run["run_type"] == "iteration"}
    seen = {short: found[name] for short, name in names.items()}

    def row(what, short, bar, microseconds=None):
        cpu_us = seen[short]["cpu_time"] if microseconds is None else microseconds
        recall = f", recall {seen[short]['recall']:.4f}" if "recall" in seen[short] else ""
        bench.row(what, f"{cpu_us:,.0f} us{recall}", bar, cpu_us)

    row(f"index ({kernel}), 100 k x 64, k = 100, one thread", "scan", Bar("us", 150))
    row("  FAISS IndexFlatIP as packaged", "flat", Bar())
    row("  hnswlib, M 32, ef 512", "graph", Bar())
    times = seen["flat"]["cpu_time"] / seen["scan"]["cpu_time"]
    bench.row("  times FAISS's speed", f"{times:.1f} x", Bar("x", 20, at_least=True), times)
    row("index, 1 % of 100 k x 64 allowed", "narrow", Bar("us", 40))
    row("index, 1 M x 64, k = 500, alone", "alone", Bar("us", 3500))
    row("  each of 8 that share a pass", "together", Bar("us", 700), seen["together"]["per_query"] * 1e6)


def sessions(bench):
    """Foretelling the next click; computation only."""
    files = [pathlib.Path(bench.options.sessions) / name for name in SESSIONS]
    if not all(file.exists() for file in files):
        return bench.row("next click", f"no {' and '.join(SESSIONS)} in {bench.options.sessions}: not measured")
    done = subprocess.run([str(bench.build / "vitrine"), "evaluate", "--sessions", *map(str, files), "--json"],
                          capture_output=True, text=True, check=True)
    outcome = json.loads(done.stdout.strip().splitlines()[-1])["rankings"]["session"]["live"]
    bench.row("next click of a session, live", f"HR@20 {outcome['hr']['mean']:.3f}, MRR@20 {outcome['mrr']['mean']:.3f}, "
              f"p50 {outcome['p50_us']:.0f}, p99 {outcome['p99_us']:.0f} us", Bar("us p99", 300), outcome["p99_us"])


BARS = {bar.__name__: bar for bar in (recommend_100k, cpu, filters, fresh, events, mixed, nginx, recommend_1m, start,
                                      scan, sessions, index)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build", help="where the programs are: build/release")
    parser.add_argument("folder", help="where the shops are kept: build/shops")
    parser.add_argument("--only", default=",".join(BARS), help="of " + ",".join(BARS))
    parser.add_argument("--seconds", type=float, default=5, help="of each measurement")
    parser.add_argument("--minutes", type=float, default=0, help="of the mixed load")
    parser.add_argument("--filter-sizes", default="100k,1m", help="100k,1m")
    parser.add_argument("--sessions", default="data/sessions", help="folder with the clicks of sessions")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    unknown = set(options.only.split(",")) - set(BARS)
    if unknown:
        parser.error(f"--only: there is no {', '.join(sorted(unknown))}; there are {', '.join(BARS)}")
    bench = Bench(options)
    for name in options.only.split(","):
        bench.run(name, BARS[name])
    missed = [row["what"].strip() for row in bench.rows if row["verdict"] == "MISSED"]
    if options.json:
        print(json.dumps({"date": time.strftime("%Y-%m-%d"), "rows": bench.rows}, indent=2))
    else:
        print(f"{len(bench.rows)} rows, {len(missed)} missed, {bench.failures} not measured")
    return 1 if missed or bench.failures else 0


if __name__ == "__main__":
    sys.exit(main())
