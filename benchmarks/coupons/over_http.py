#!/usr/bin/env python3
"""How many redemptions a second are durable, and how many carts a second are priced, over HTTP on this machine.

  python3 benchmarks/coupons/over_http.py build/release [--seconds S] [--rate N] [--connections N]

A server of its own on a temporary folder; the generator shares the machine with it. Figures for docs/benchmarks.md.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/support"))
USERS = 50_000
LINES = [{"line_id": "a", "product_id": "shirt", "unit_price": "40.00", "quantity": 2},
         {"line_id": "b", "product_id": "mug", "unit_price": "10.00", "quantity": 4}]
CART = {"currency": "EUR", "shipping": "4.90", "coupons": ["TWENTY"], "user_id": "{user}", "lines": LINES}
OBJECTS = {
    "/v1/campaigns/spring": {"state": "active", "holdout": {"share": 0},
                             "budgets": [{"measure": "discount", "currency": "EUR", "value": "1000000000.00"}]},
    "/v1/offers/twenty": {"campaign": "spring", "code": "TWENTY", "effect": {"kind": "full_reduction"},
                          "amounts": {"*": {"currency": "EUR", "tiers": [{"threshold": "100.00", "off": "20.00"}]}},
                          "limits": [{"measure": "uses", "scope": "user", "period": "day", "value": 1_000_000}]},
    "/v1/offers/shipping": {"campaign": "spring", "trigger": "automatic", "effect": {"kind": "free_shipping"},
                            "amounts": {"*": {"currency": "EUR"}}, "stacking": {"class": "shipping"}},
}


def load(options, server, users, path, body, rate):
    command = [pathlib.Path(options.build) / "benchmarks/http_load/http_load", f"http://127.0.0.1:{server.port}{path}",
               "--seconds", options.seconds, "--warmup", 1, "--users", users, "--json", "--connections",
               options.connections, "--body", json.dumps(body, separators=(",", ":"))]
    if rate:
        command += ["--rate", rate]
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=True)
    return json.loads(done.stdout.strip().splitlines()[-1])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build")
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--rate", type=float, default=5000, help="of redemptions, open loop")
    parser.add_argument("--connections", type=int, default=64)
    options = parser.parse_args()
    os.environ["VITRINE_BINARY"] = str(pathlib.Path(options.build).resolve() / "vitrine")
    import vitrine  # pylint: disable=import-outside-toplevel
    with tempfile.TemporaryDirectory() as folder:
        users = pathlib.Path(folder) / "users"
        users.write_text("".join(f"user-{number}\n" for number in range(USERS)), encoding="utf-8")
        with vitrine.Server(pathlib.Path(folder) / "data") as server:
            for path, body in OBJECTS.items():
                status, _, answer = server.request("PUT", path, body)
                assert status in (200, 201), (path, answer)
            order = {**CART, "order_id": "{id}"}
            for name, path, body, rate in (("redemptions, open loop", "/v1/redemptions", order, options.rate),
                                           ("redemptions, closed loop", "/v1/redemptions", order, 0),
                                           ("validate, closed loop", "/v1/coupons/validate", CART, 0)):
                said = load(options, server, users, path, body, rate)
                print(f"{name}: {said['per_second']:.0f}/s, p50 {said['p50_ms']} ms, p99 {said['p99_ms']} ms, "
                      f"p99.9 {said['p99.9_ms']} ms, {said['errors']} errors; {said['machine']}, {said['commit']}",
                      flush=True)


if __name__ == "__main__":
    main()
