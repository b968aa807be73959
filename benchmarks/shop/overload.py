#!/usr/bin/env python3
"""Twice the load that a server can carry, by an open loop over many connections: what is still answered, how late, how
soon it is over, and whether a quiet key notices a noisy one.

Works on the shops of bars.py in FOLDER, and changes nothing in them but the decisions it makes the server keep: give it
a copy.

  python3 benchmarks/shop/overload.py build/release FOLDER [--size 100k] [--seconds S] [--connections N] [--json]
"""

import pathlib
import sys
import threading

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests" / "support"), str(pathlib.Path(__file__).resolve().parent)]

import vitrine  # noqa: E402
from measuring import HOME, Bar, latencies, measure_alone, metric, server_on  # noqa: E402

DEADLINE_MS = 100
RECOVERY_S = 2


def shed(server):
    text = server.request("GET", "/metrics")[2]
    return ", ".join(line.split('to="')[1].replace('"}', "") for line in text.splitlines()
                     if line.startswith("vitrine_recommend_shed_total{"))


def twice_the_load(bench):
    options = bench.options
    with server_on(bench.folder / options.size) as server:
        bench.load(server, options.size, "--connections", 2, seconds=2, path=HOME)
        most = bench.load(server, options.size, "--connections", 64, path=HOME)
        bench.row("maximum, 64 clients without a pause", latencies(most))
        outcome = bench.load(server, options.size, "--rate", 2 * most["per_second"], "--connections",
                             options.connections, path=HOME)
        goodput = outcome["per_second"] / most["per_second"]
        bench.row(f"  answered at twice that, {2 * most['per_second']:,.0f}/s",
                  f"{latencies(outcome)}; {100 * goodput:.0f} % of the maximum", Bar("%", 90, at_least=True),
                  100 * goodput)
        bench.row("  p99 of what is answered", f"{outcome['p99_ms']:.1f} ms", Bar("ms", DEADLINE_MS),
                  outcome["p99_ms"])
        bench.row("  answered more cheaply, or refused", shed(server))
        before = metric(server, "vitrine_recommend_shed_total")
        after = bench.load(server, options.size, "--rate", 0.3 * most["per_second"], "--warmup", RECOVERY_S, path=HOME,
                           seconds=2)
        bench.row(f"  {RECOVERY_S} s later, at 0.3 of the maximum", latencies(after), Bar("ms p99", DEADLINE_MS),
                  after["p99_ms"] if after["errors"] == 0 else float("inf"))
        bench.row("  shed since", f"{metric(server, 'vitrine_recommend_shed_total') - before:,.0f}")


def two_keys(bench):
    """One key asks for twice what there is, another for a twentieth."""
    options = bench.options
    data = bench.folder / options.size
    keys = [vitrine.run_json("keys", "create", "--scopes", "recommend", "--secret", "--requests-per-second", 1_000_000,
                             "--data", data) for _ in range(2)]
    noisy, quiet = (("--header", f"Authorization: Bearer {key['key']}") for key in keys)
    with vitrine.Server(data, "--recommend-deadline-ms", str(DEADLINE_MS), open_to_all=False) as server:
        bench.load(server, options.size, *noisy, "--connections", 2, seconds=2, path=HOME)
        most = bench.load(server, options.size, *noisy, "--connections", 64, path=HOME, seconds=2)["per_second"]
        loud = {}
        crowd = threading.Thread(target=lambda: loud.update(bench.load(
            server, options.size, *noisy, "--rate", 2 * most, "--connections", options.connections, path=HOME)))
        crowd.start()
        calm = bench.load(server, options.size, *quiet, "--rate", most / 20, "--warmup", 2, "--connections", 200,
                          path=HOME, seconds=max(1, options.seconds - 2))
        crowd.join()
        part = 100 * calm["errors"] / max(1, calm["errors"] + calm["requests"])
        bench.row(f"a quiet key, {most / 20:,.0f}/s, beside a noisy one", f"{latencies(calm)}; {part:.2f} % refused",
                  Bar("% refused", 1), part)
        bench.row("  the noisy one", latencies(loud))


if __name__ == "__main__":
    sys.exit(measure_alone(__doc__, {"overload": twice_the_load, "two keys": two_keys}, seconds=10.0, connections=4000))
