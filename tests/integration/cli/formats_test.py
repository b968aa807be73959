#!/usr/bin/env python3
"""The shipped data sets import as they are: a shop's orders, a grocery's baskets, anonymous click sessions."""

import unittest

import folder
import vitrine


class FormatsTest(folder.FolderTest):
    def assert_taken(self, report, expected):
        taken = {file["file"]: (file["lines"], file["accepted"], file["rejected"]) for file in report["files"]}
        self.assertEqual(taken, {name: (lines, lines, 0) for name, lines in expected.items()})

    def test_orders_of_online_retail(self):
        report = vitrine.run_json(
            "import", "--data", self.data,
            "--products", self.excerpt(folder.ONLINE_RETAIL / "items.csv.gz", 501),
            "--users", self.excerpt(folder.ONLINE_RETAIL / "users.csv.gz", 11),
            "--events", self.excerpt(folder.ONLINE_RETAIL / "events.csv.gz", 2001))
        self.assert_taken(report, {"items.csv": 500, "events.csv": 2000})
        stats = vitrine.run_json("stats", "--data", self.data)
        self.assertEqual(set(stats["by_type"]), {"purchase", "refund"})
        self.assertEqual(stats["first_event"], "2010-12-01T08:26:00Z")

    def test_baskets_of_complete_journey(self):
        report = vitrine.run_json(
            "import", "--data", self.data, "--currency", "USD",
            "--products", folder.FIXTURES / "complete_journey_items.csv",
            "--users", folder.FIXTURES / "complete_journey_users.csv",
            "--events", folder.FIXTURES / "complete_journey_events.csv")
        self.assert_taken(report, {"complete_journey_items.csv": 66, "complete_journey_events.csv": 70})
        self.assertEqual(report["users_files_not_used"],
                         [{"file": "complete_journey_users.csv", "lines": 48}])
        trained = vitrine.run_json("train", "--data", self.data, "--dims", 8, "--epochs", 2)
        self.assertEqual((trained["users"], trained["products"]), (48, 66))
        answer = vitrine.run_json("recommend", "--data", self.data, "--user", "906", "--limit", 3)
        self.assertEqual(len(answer["products"]), 3)

    def test_click_sessions_of_nobody_known(self):
        report = vitrine.run_json("import", "--data", self.data, "--events", folder.FIXTURES / "sessions.csv")
        self.assert_taken(report, {"sessions.csv": 200})
        stats = vitrine.run_json("stats", "--data", self.data)
        self.assertEqual((stats["by_type"], stats["users"], stats["visitors"]), ({"view": 200}, 0, 0))
        trained = vitrine.run_json("train", "--data", self.data, "--dims", 8, "--epochs", 2)
        self.assertGreater(trained["users"], 10)  # each session counts as a person of its own


if __name__ == "__main__":
    unittest.main()
