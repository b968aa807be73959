#!/usr/bin/env python3
"""Do lookalikes and audiences find people who will? On the Complete Journey: learnt before a day, judged after it.

    python3 benchmarks/shop/audiences.py FOLDER [--until 2017-10-01]

FOLDER has events.csv.gz, items.csv.gz and coupon_redemptions.csv.gz of the data set. For each seed: the AUC that the
server reports from its held-out people, and of the best of those who are no part of the seed the share that did the
same after the day, beside the share of everybody who could have, and of those of them who bought most.
"""

import argparse
import collections
import csv
import gzip
import pathlib
import random
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tests/support"))
import vitrine  # noqa: E402

BEST = 100


def rows(path):
    with gzip.open(path, "rt", newline="") as file:
        yield from csv.DictReader(file)


def read(folder, until):
    """Who bought from which category, and who redeemed a coupon, before the day and after it."""
    category = {row["item_id"]: row["category_path"].split(" > ")[:2] for row in rows(folder / "items.csv.gz")}
    before, after = collections.defaultdict(set), collections.defaultdict(set)
    deeds = collections.Counter()
    for row in rows(folder / "events.csv.gz"):
        side = before if row["timestamp"] < until else after
        path = category.get(row["item_id"], [])
        if len(path) == 2:
            side[" > ".join(path)].add(row["user_id"])
        side[""].add(row["user_id"])
        if side is before:
            deeds[row["user_id"]] += 1
    redeemed = {False: set(), True: set()}
    for row in rows(folder / "coupon_redemptions.csv.gz"):
        redeemed[row["redeemed_on"] >= until].add(row["user_id"])
    before["coupon"], after["coupon"] = redeemed[False] & before[""], redeemed[True]
    return before, after, [user for user, _ in deeds.most_common()]


def make_shop(folder, work, until):
    with gzip.open(work / "before.csv.gz", "wt", newline="") as out:
        writer = None
        for row in rows(folder / "events.csv.gz"):
            if writer is None:
                writer = csv.DictWriter(out, row.keys())
                writer.writeheader()
            if row["timestamp"] < until:
                writer.writerow(row)
    vitrine.run("import", "--data", work / "data", "--products", folder / "items.csv.gz", "--events",
                work / "before.csv.gz", "--shift-time-to-now", timeout=600)
    vitrine.run("train", "--data", work / "data", "--promote", "--no-blend", timeout=900)


def share(users, doers):
    return len([user for user in users if user in doers]) / max(1, len(users))


def shares(best, known, everybody, doers):
    """Of the found, of those of the others who bought most, of all others. `everybody`: who bought most first."""
    others = [user for user in everybody if user not in known]
    return " | ".join(f"{share(users, doers):.3f}" for users in (best, others[:BEST], others))


def judge_lookalike(server, name, seed, everybody, doers):
    key = "".join(letter if letter.isalnum() else "-" for letter in name.lower())[:60]
    server.request("PUT", f"/v1/segments/{key}", {"kind": "static"})
    server.post(f"/v1/segments/{key}/members", {"add": sorted(seed)})
    status, _, answer = server.request("POST", f"/v1/segments/{key}/lookalike")
    assert status == 202, answer
    vitrine.wait_until(lambda: server.get(f"/v1/segments/{key}/lookalike")["state"] != "running", 300, "lookalike")
    run = server.get(f"/v1/segments/{key}/lookalike")
    found = server.get(f"/v1/segments/{key}/lookalike/members?limit={BEST}")["members"]
    best = [member["user_id"] for member in found]
    result = run["result"]
    print(f"| {name} | {len(seed)} | {result['auc']:.3f} ({result['auc_low']:.3f} to {result['auc_high']:.3f}) "
          f"| {shares(best, seed, everybody, doers)} |", flush=True)


def judge_audience(server, category, buyers, everybody, doers):
    found = server.post("/v1/audiences", {"category": category, "limit": BEST})["members"]
    best = [member["user_id"] for member in found]
    print(f"| {category} | {len(buyers)} | {shares(best, buyers, everybody, doers)} |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--until", default="2017-10-01")
    options = parser.parse_args()
    before, after, everybody = read(options.folder, options.until)
    fitting = sorted(category for category, users in before.items()
                     if " > " in category and 200 <= len(users) <= len(everybody) // 2)
    chance = random.Random(1)
    categories = chance.sample(fitting, min(8, len(fitting)))
    with tempfile.TemporaryDirectory() as work:
        make_shop(options.folder, pathlib.Path(work), options.until)
        with vitrine.Server(pathlib.Path(work) / "data") as server:
            print("| seed | people | AUC | of the best 100 | of the 100 busiest | of all others |\n|---|---|---|---|---|---|")
            judge_lookalike(server, "coupon", before["coupon"], everybody, after["coupon"])
            judge_lookalike(server, "random", set(chance.sample(sorted(everybody), 500)), everybody, after["coupon"])
            for category in categories:
                judge_lookalike(server, category, before[category], everybody, after[category])
            print("\n| category | buyers before | of the best 100 | of the 100 busiest | of all others |\n|---|---|---|---|---|")
            for category in categories:
                judge_audience(server, category, before[category], everybody, after[category])


if __name__ == "__main__":
    main()
