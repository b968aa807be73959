#!/usr/bin/env python3
"""What TLS costs: the same requests over kept connections without and with it, by wrk with one thread and one event loop
of the server, a core each, as requests a second and as the server's processor time a request. In turns, the better of two.

Works on the shops of bars.py in FOLDER, and needs wrk and openssl.

  python3 benchmarks/shop/tls.py build/release FOLDER [--size 100k] [--seconds S] [--json]
"""

import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests" / "support"), str(pathlib.Path(__file__).resolve().parent)]

from measuring import HOME, Bar, cpu_seconds, measure_alone, server_on  # noqa: E402

ROUNDS = 2
KEPT_PERCENT = 75
PATHS = {"/healthz": "/healthz", "home, 12 products": HOME.format(user="u7")}


def make_certificate(folder):
    chain, key = folder / "cert.pem", folder / "key.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days",
                    "2", "-subj", "/CN=localhost", "-out", chain, "-keyout", key], check=True, capture_output=True)
    return chain, key


def pressed(server, url, seconds):
    """Requests a second, and the server's microseconds of processor time for each."""
    subprocess.run(["taskset", "-acp", "0", str(server.process.pid)], check=True, capture_output=True)
    before = cpu_seconds(server.process.pid)
    done = subprocess.run(["taskset", "-c", "1", "wrk", "-t1", "-c8", f"-d{seconds}s", url], capture_output=True, text=True, check=True).stdout
    assert "Non-2xx" not in done and "Socket errors" not in done, done
    requests = int(re.search(r"(\d+) requests in", done)[1])
    return float(re.search(r"Requests/sec: +([\d.]+)", done)[1]), 1e6 * (cpu_seconds(server.process.pid) - before) / requests


def compare(bench):
    seconds = max(1, round(bench.options.seconds))
    with tempfile.TemporaryDirectory() as folder, bench.copy_of(bench.options.size) as copy:
        chain, key = make_certificate(pathlib.Path(folder))
        kinds = {"http": ("--threads", "1"), "https": ("--threads", "1", "--tls-cert", str(chain), "--tls-key", str(key))}
        seen = {}
        for _ in range(ROUNDS):
            for scheme, arguments in kinds.items():
                with server_on(copy, *arguments) as server:
                    for name, path in PATHS.items():
                        seen.setdefault((name, scheme), []).append(
                            pressed(server, f"{scheme}://127.0.0.1:{server.port}{path}", seconds))
    for name in PATHS:
        (plain, plain_us), (tls, tls_us) = (
            (max(rate for rate, _ in seen[name, scheme]), min(us for _, us in seen[name, scheme])) for scheme in kinds)
        bench.row(name, f"{plain:,.0f}/s plain, {tls:,.0f}/s with TLS", Bar("%", KEPT_PERCENT, at_least=True),
                  100 * tls / plain)
        bench.row("  of the server's processor time", f"{plain_us:.1f} us plain, {tls_us:.1f} us with TLS",
                  Bar("%", KEPT_PERCENT, at_least=True), 100 * plain_us / tls_us)


if __name__ == "__main__":
    sys.exit(measure_alone(__doc__, {"tls": compare}, seconds=3.0))
