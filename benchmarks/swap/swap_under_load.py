#!/usr/bin/env python3
"""What clients notice while a running server takes over another model.

Imports the shop of examples/online_retail into a temporary folder, trains two models, and asks for recommendations at
a fixed rate: once in peace, once while the two models are promoted in turn. Prints failed requests and the latencies
of both. The target: no request fails, and p99 stays within twice that of peace.

  python3 benchmarks/swap/swap_under_load.py build/release/vitrine build/release/benchmarks/http_load/http_load
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests" / "support")]


def load(options, port, users):
    done = subprocess.run([options.http_load, f"http://127.0.0.1:{port}/v1/placements/home/products?user_id={{user}}&limit=20",
                           "--rate", str(options.rate), "--seconds", str(options.seconds), "--users", str(users),
                           "--json"], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def swap_until(stopped, server, versions, every_s):
    """Promotes the versions in turn; returns how often."""
    count = 0
    while not stopped.wait(every_s):
        server.post(f"/v1/models/{versions[count % len(versions)]}/promote", {})
        count += 1
    return count


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("vitrine")
    parser.add_argument("http_load")
    parser.add_argument("--rate", type=int, default=2000, help="requests a second")
    parser.add_argument("--seconds", type=int, default=10, help="of each of the two measurements")
    parser.add_argument("--swap-every", type=float, default=2.0, help="seconds between promotions")
    options = parser.parse_args()
    os.environ["VITRINE_BINARY"] = options.vitrine
    import vitrine

    shop = ROOT / "examples" / "online_retail"
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        data, users = folder / "data", folder / "users.txt"
        users.write_text("\n".join(str(number) for number in range(12346, 18288)) + "\n")
        vitrine.run("import", "--data", data, "--products", shop / "items.csv.gz", "--events", shop / "events.csv.gz",
                    "--currency", "GBP")
        versions = [vitrine.run_json("train", "--data", data, "--seed", seed, "--epochs", 4)["model_version"]
                    for seed in (1, 2)]
        with vitrine.Server(data) as server:
            steady = load(options, server.port, users)
            stopped = threading.Event()
            swaps = []
            thread = threading.Thread(target=lambda: swaps.append(
                swap_until(stopped, server, versions, options.swap_every)))
            thread.start()
            swapping = load(options, server.port, users)
            stopped.set()
            thread.join()
    print(json.dumps({"rate": options.rate, "seconds": options.seconds, "swaps": swaps[0], "steady": steady,
                      "swapping": swapping, "load_average": os.getloadavg()[0],
                      "date": time.strftime("%Y-%m-%d")}, indent=2))


if __name__ == "__main__":
    main()
