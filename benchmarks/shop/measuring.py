"""What the bars are measured with: shops that are kept, servers on them, load, and a table of figures beside their bars.

Standard library only.
"""

import argparse
import contextlib
import dataclasses
import json
import os
import pathlib
import shutil
import subprocess
import time
import traceback
import urllib.request

import vitrine

HOME = "/v1/placements/home/products?user_id={user}&limit=12"
SIZES = {"100k": (100_000, 2_000_000), "1m": (1_000_000, 10_000_000)}  # products and users, events


@dataclasses.dataclass(frozen=True)
class Bar:
    """What a figure must reach and what it would be good to reach; None where nothing is promised."""
    unit: str = ""
    must: float = None
    stretch: float = None
    at_least: bool = False  # otherwise: at most

    def reaches(self, value, bar):
        return bar is not None and (value >= bar if self.at_least else value <= bar)

    def verdict(self, value):
        if self.must is None and self.stretch is None:
            return ""
        if self.reaches(value, self.stretch):
            return "stretch"
        if self.must is None:
            return "short of stretch"
        return "must" if self.reaches(value, self.must) else "MISSED"

    def text(self):
        sign = ">=" if self.at_least else "<="
        parts = [f"{name} {sign} {bar:,.10g} {self.unit}".rstrip()
                 for name, bar in (("must", self.must), ("stretch", self.stretch)) if bar is not None]
        return ", ".join(parts)


class Bench:
    def __init__(self, options):
        self.options = options
        self.build = pathlib.Path(options.build)
        self.folder = pathlib.Path(options.folder)
        self.rows = []
        self.failures = 0
        vitrine.BINARY = str(self.build / "vitrine")
        vitrine.READY_SECONDS = 3600  # a shop that an earlier version left replays its log

    def program(self, name):
        return str(self.build / "benchmarks" / name)

    def shop(self, size):
        """The data folder of a shop; made when it is not there."""
        count, events = SIZES[size]
        data, users = self.folder / size, self.folder / f"{size}.users"
        self.folder.mkdir(parents=True, exist_ok=True)
        subprocess.run([self.program("shop/make_shop"), data, "--products", str(count), "--users", str(count),
                        "--events", str(events), "--visits", self.visits(size)], check=True, stdout=subprocess.DEVNULL)
        if not users.exists():
            users.write_text("".join(f"u{user}\n" for user in range(count)))
        return data

    def visits(self, size):
        """Bodies for /v1/events: visits as the shop's people make them, each with a session of its own."""
        return self.folder / f"{size}.visits"

    @contextlib.contextmanager
    def copy_of(self, size):
        """A shop that may be changed."""
        copy = self.folder / f"{size}-copy"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(self.shop(size), copy, copy_function=link_or_copy, ignore=shutil.ignore_patterns("*.sock"))
        try:
            yield copy
        finally:
            shutil.rmtree(copy)

    def load(self, server, size, *arguments, path, seconds=None, prefix=()):
        port = getattr(server, "port", server)
        done = subprocess.run([*prefix, self.program("http_load/http_load"), f"http://127.0.0.1:{port}{path}",
                               "--seconds", str(seconds or self.options.seconds),
                               *(["--users", self.folder / f"{size}.users"] if size else []), "--json",
                               *map(str, arguments)], capture_output=True, text=True)
        if not done.stdout:
            raise RuntimeError(done.stderr)
        return json.loads(done.stdout)

    def row(self, what, seen, bar=Bar(), value=None):
        """Shown at once. `value` is what the bar judges, in its unit."""
        verdict = bar.verdict(value) if value is not None else ""
        self.rows.append({"what": what, "seen": seen, "value": value, "unit": bar.unit, "must": bar.must,
                          "stretch": bar.stretch, "verdict": verdict, "load_average": os.getloadavg()[0]})
        if not self.options.json:
            print(f"{what:<52} {seen:<76} {bar.text():<42} {verdict}".rstrip(), flush=True)

    def run(self, name, measure):
        """One that fails costs its own rows."""
        begun = time.monotonic()
        try:
            measure(self)
        except Exception as error:  # noqa: the others are still to be measured
            self.failures += 1
            traceback.print_exc()
            self.row(name, f"FAILED: {str(error).splitlines()[0] if str(error) else type(error).__name__}")
        if not self.options.json:
            print(f"  ({name}: {time.monotonic() - begun:.0f} s, load average {os.getloadavg()[0]:.1f})", flush=True)


def measure_alone(description, steps, **more):
    """The command line of a program that measures by itself; runs `steps`, functions of the bench by name. `more` are
    further options with their defaults. Returns the exit status: 1 where a bar is missed."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build")
    parser.add_argument("folder")
    parser.add_argument("--size", default="100k")
    for name, value in {"seconds": 5.0, **more}.items():
        parser.add_argument(f"--{name}", type=type(value), default=value)
    parser.add_argument("--json", action="store_true")
    bench = Bench(parser.parse_args())
    for name, measure in steps.items():
        bench.run(name, measure)
    if bench.options.json:
        print(json.dumps(bench.rows))
    return 1 if bench.failures or any(row["verdict"] == "MISSED" for row in bench.rows) else 0


def link_or_copy(source, target):
    """RocksDB never changes a table file, nobody changes a model; all else may grow."""
    if str(source).endswith(".sst") or "/models/2" in str(source):
        os.link(source, target)
    else:
        shutil.copy2(source, target)


def server_on(data, *arguments):
    """With the deadline that shops have, not that of tests."""
    return vitrine.Server(data, "--recommend-deadline-ms", "100", *arguments)


def latencies(outcome):
    return (f"{outcome['per_second']:,.0f}/s, p50 {outcome['p50_ms']:.2f}, p99 {outcome['p99_ms']:.2f}, "
            f"p99.9 {outcome['p99.9_ms']:.1f} ms, {outcome['errors']} errors")


def at_rate(outcome, rate, percentile="p99_ms"):
    """The latency, unless requests failed or the rate was not kept: then no bar is reached."""
    kept = outcome["errors"] == 0 and outcome["per_second"] >= 0.99 * rate
    return outcome[percentile] if kept else float("inf")


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory_mib(pid):
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return {name: int(text.split(f"{name}:")[1].split()[0]) / 1024 for name in ("VmRSS", "VmHWM", "RssAnon")}


def metric(server, name):
    """The sum of a metric over its labels. Asked by a connection of its own: the last one may have idled too long."""
    with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/metrics", timeout=30) as answer:
        text = answer.read().decode()
    return sum(float(line.split()[-1]) for line in text.splitlines()
               if line.split("{")[0].split(" ")[0] == name)
