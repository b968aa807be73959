#!/usr/bin/env python3
"""Importing files: what is taken, what is refused and why, and that twice is as good as once."""

import csv
import gzip
import json
import time
import unittest

import folder
import vitrine

PRODUCTS = '''product_id,title,categories,price,currency,is_product
cup,"CUP, ""BLUE""",Home > Kitchen,2.50,GBP,1
POST,Postage,,,,0
'''
EVENTS = """event_id,timestamp,user_id,order_id,item_id,event_type,quantity,price,country
e1,2011-03-01T10:00:00Z,ann,o1,cup,purchase,2,2.50,Iceland
e2,2011-03-02T10:00:00Z,,o2,cup,purchase,1,2.50,France
e3,2011-03-03T10:00:00Z,ann,o1,cup,return,1,2.50,Iceland
e4,2011-03-04T10:00:00Z,bea,o3,cup,teleport,1,2.50,Peru
e5,someday,bea,o3,cup,purchase,1,2.50,Peru
e6,2011-03-04T10:00:00Z,bea,o3,,purchase,1,2.50,Peru
e7,2011-03-04T10:00:00Z,bea,o3,cup
e8,2011-03-04T10:00:00Z,bea,o3,cup,purchase,lots,2.50,Peru
e9,2011-03-05T10:00:00Z,bea,o3,cup,purchase,1,2.50,"Peru, Lima"
"""
REFUSED = {5: "unknown_type", 6: "someday", 7: "missing_product", 8: "5 fields", 9: "quantity"}


class ImportTest(folder.FolderTest):
    def import_events(self, *arguments):
        report = vitrine.run_json("import", "--data", self.data, *arguments)
        return next(file for file in report["files"] if file["file"].startswith("events"))

    def exported(self):
        out = self.folder / "out.ndjson"
        vitrine.run("export", "--data", self.data, "--out", out)
        return [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]

    def test_good_lines_are_taken_and_bad_ones_reported_by_number(self):
        products = self.write("products.csv", PRODUCTS)
        report = self.import_events("--products", products, "--events", self.write("events.csv", EVENTS))

        self.assertEqual((report["lines"], report["accepted"], report["rejected"]), (9, 4, 5))
        with open(report["rejected_lines"], newline="", encoding="utf-8") as side_file:
            refused = {int(row["line"]): row for row in csv.DictReader(side_file)}
        self.assertEqual(sorted(refused), sorted(REFUSED))
        for line, reason in REFUSED.items():
            self.assertIn(reason, refused[line]["reason"])
            self.assertEqual(refused[line]["text"], EVENTS.splitlines()[line - 1])

    def test_what_was_taken_is_what_the_file_said(self):
        self.import_events("--products", self.write("products.csv", PRODUCTS), "--events",
                           self.write("events.csv", EVENTS))
        events = {event["event_id"]: event for event in self.exported()}
        self.assertEqual(events["e1"], {
            "event_id": "e1", "time": "2011-03-01T10:00:00Z", "type": "purchase", "user_id": "ann", "order_id": "o1",
            "product_id": "cup", "quantity": 2, "price": "2.50", "currency": "GBP",
            "properties": {"country": "Iceland"}})
        self.assertEqual(events["e3"]["type"], "refund")
        self.assertNotIn("user_id", events["e2"])
        self.assertEqual(events["e9"]["properties"], {"country": "Peru, Lima"})

        stats = vitrine.run_json("stats", "--data", self.data)
        self.assertEqual((stats["products"], stats["hidden_products"], stats["users"]), (2, 1, 2))
        self.assertEqual(stats["by_type"], {"purchase": 3, "refund": 1})

    def test_importing_twice_changes_nothing(self):
        events = self.write("events.csv", EVENTS)
        self.import_events("--events", events)
        again = self.import_events("--events", events)
        self.assertEqual((again["accepted"], again["duplicates"]), (0, 4))
        self.assertEqual(len(self.exported()), 4)

    def test_ndjson_and_gzip_are_read_as_well(self):
        lines = [{"event_id": "n1", "type": "view", "visitor_id": "v", "product_id": "cup",
                  "time": "2026-01-01T00:00:00Z", "properties": {"page": 3}, "ab": True},
                 {"event_id": "n2", "type": "view", "visitor_id": "v"}]
        path = self.folder / "events.ndjson.gz"
        with gzip.open(path, "wt", encoding="utf-8") as out:
            out.writelines(json.dumps(line) + "\n" for line in lines)
        report = self.import_events("--events", path)
        self.assertEqual((report["accepted"], report["rejected"]), (1, 1))
        self.assertEqual(self.exported()[0]["properties"], {"page": 3, "ab": True})

    def test_times_can_be_moved_so_that_the_newest_is_now(self):
        before = time.time()
        self.import_events("--events", self.write("events.csv", EVENTS), "--shift-time-to-now")
        stats = vitrine.run_json("stats", "--data", self.data)
        newest = time.mktime(time.strptime(stats["last_event"][:19], "%Y-%m-%dT%H:%M:%S")) - time.timezone
        oldest = time.mktime(time.strptime(stats["first_event"][:19], "%Y-%m-%dT%H:%M:%S")) - time.timezone
        self.assertGreaterEqual(newest, int(before))
        self.assertLessEqual(newest, time.time())
        self.assertAlmostEqual(newest - oldest, 4 * 86_400, delta=1)

    def test_a_users_file_is_read_and_said_not_to_be_kept(self):
        users = self.write("users.csv", "user_id,country\nann,Iceland\nbea,Peru\n")
        said = vitrine.run("import", "--data", self.data, "--users", users).stdout
        self.assertIn("2 lines read, nothing of them is kept", said)

    def test_a_file_that_is_not_there_or_damaged_fails(self):
        missing = vitrine.run("import", "--data", self.data, "--events", self.folder / "no.csv", check=False)
        self.assertEqual(missing.returncode, 1)
        self.assertIn("no.csv", missing.stderr)
        broken = self.folder / "broken.csv.gz"
        broken.write_bytes(gzip.compress(EVENTS.encode() * 1000)[:-500])
        damaged = vitrine.run("import", "--data", self.data, "--events", broken, check=False)
        self.assertEqual(damaged.returncode, 1)
        self.assertIn("damaged or cut off", damaged.stderr)


if __name__ == "__main__":
    unittest.main()
