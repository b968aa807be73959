#!/usr/bin/env python3
"""Fails when an include points up, or when an outside library is used beside its door.

The two tables below are the architecture. A change to them is a change of architecture: docs/architecture.md says why
each arrow is there.
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent

# What a folder may include, besides itself, base and model.
SERVER = ["expressions", "store", "events", "identity", "catalog", "collect", "live_model", "profiles", "segments", "recommend",
          "audiences", "decisions", "webhooks", "coupons", "payoff", "privacy"]
MAY_USE = {
    "base": [],
    "model": ["base"],
    "index": [],
    "training": [],
    "server/expressions": [],
    "server/store": [],
    "server/events": ["server/store"],
    "server/identity": ["server/events", "server/store"],
    "server/catalog": ["server/events", "server/store"],
    "server/collect": ["server/identity", "server/events", "server/store"],
    "server/live_model": ["index", "server/catalog", "server/events"],
    "server/profiles": ["server/identity", "server/catalog", "server/events", "server/store"],
    "server/segments": ["server/expressions", "server/profiles", "server/identity", "server/catalog", "server/events",
                        "server/store"],
    "server/recommend": ["server/expressions", "server/segments", "server/profiles", "server/identity", "server/catalog", "server/live_model", "index",
                         "server/events", "server/store"],
    "server/audiences": ["training", "index", "server/recommend", "server/segments", "server/live_model", "server/profiles",
                         "server/identity", "server/catalog", "server/events", "server/store"],
    "server/decisions": ["server/events", "server/store"],
    "server/webhooks": ["server/segments", "server/identity", "server/events", "server/store"],
    "server/coupons": ["training", "index", "server/recommend", "server/live_model", "server/segments", "server/expressions",
                       "server/profiles", "server/identity", "server/catalog", "server/events", "server/store"],
    "server/payoff": ["training", "server/coupons", "server/recommend", "server/profiles", "server/identity", "server/catalog",
                      "server/events", "server/store"],
    "server/privacy": ["server/identity", "server/events", "server/store"],
    "server/rehearsal": ["index", "training", "server/recommend", "server/profiles", "server/identity",
                         "server/catalog", "server/live_model", "server/events"],
    "server/http": ["index"] + [f"server/{name}" for name in SERVER],
    "server/app": ["index", "training", "server/rehearsal", "server/http"] + [f"server/{name}" for name in SERVER],
}

# The one folder (or few files) in which an outside library may be included.
DOORS = {
    r"rocksdb/": ["server/store"],
    r"faiss/": ["index"],
    r"boost/(beast|asio)": ["server/http"],
    r"curl/": ["server/webhooks/outgoing_client.cpp"],
    r"openssl/": ["base/crypto.cpp", "server/http"],
    r"spdlog/": ["base/log.cpp"],
    r"prometheus/": ["base/metrics.cpp"],
    r"Eigen/": ["training", "model"],
    r"CLI/": ["server/app"],
    r"boost/json": ["model", "server"],
    r"google/protobuf": ["model"],
    r"roaring/": ["server/segments/membership.cpp"],
    r"zlib\.h": ["base", "training", "server/app"],
}

INCLUDE = re.compile(r'^\s*#\s*include\s*(["<])([^">]+)[">]', re.MULTILINE)


def folder_of(path: str) -> str | None:
    """The layer a path belongs to: the longest folder of the table that holds it."""
    fitting = [folder for folder in MAY_USE if path.startswith(folder + "/")]
    return max(fitting, key=len) if fitting else None


def complaints() -> list[str]:
    found = []
    for layer in MAY_USE:
        for file in sorted((ROOT / layer).rglob("*")):
            if file.suffix not in {".h", ".cpp"}:
                continue
            name = file.relative_to(ROOT).as_posix()
            own = folder_of(name)
            if own != layer:
                continue
            for kind, target in INCLUDE.findall(file.read_text(encoding="utf-8")):
                if kind == '"':
                    used = folder_of(target)
                    allowed = [own, *MAY_USE[own]] + ([] if own == "base" else ["base"])
                    if own not in ("base", "model"):
                        allowed.append("model")
                    if used is None:
                        found.append(f'{name}: "{target}" is not included by its path from the root')
                    elif used not in allowed:
                        found.append(f"{name}: {own} may not include {used} ({target})")
                for door, keepers in DOORS.items():
                    if re.match(door, target) and not any(name == k or name.startswith(k + "/") for k in keepers):
                        found.append(f"{name}: <{target}> belongs behind {', '.join(keepers)}")
        headers = [f for f in sorted((ROOT / layer).glob("*.h"))]
        for header in headers:
            if "#pragma once" not in header.read_text(encoding="utf-8"):
                found.append(f"{header.relative_to(ROOT)}: has no #pragma once")
    return found


def main() -> int:
    found = complaints()
    for complaint in found:
        print(complaint)
    print(f"layers: {len(MAY_USE)} folders, {len(found)} wrong includes")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
