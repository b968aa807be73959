#!/usr/bin/env python3
"""Who gets which offer of a campaign: tried and granted by the command, alone and beside a server."""

import unittest

import folder
import vitrine

PEOPLE = 300


def offer(product):
    return {"campaign": "spring", "trigger": "granted", "effect": {"kind": "full_reduction"},
            "conditions": {"product_ids": [product]},
            "amounts": {"*": {"currency": "EUR", "tiers": [{"threshold": "30.00", "off": "5.00"}]}}}


class AllocateTest(folder.FolderTest):
    def setUp(self):
        super().setUp()
        lines = [f"e{n},2026-01-01T10:00:00Z,purchase,u{n},{'mug' if n % 2 else 'hat'},o{n}" for n in range(PEOPLE)]
        events = self.write("events.csv", "\n".join(["event_id,time,type,user_id,product_id,order_id", *lines]) + "\n")
        products = self.write("products.csv", "product_id,title\nmug,A mug\nhat,A hat\n")
        vitrine.run("import", "--data", self.data, "--products", products, "--events", events)
        with vitrine.Server(self.data) as server:
            self.put(server, "/v1/campaigns/spring", {
                "state": "active", "budgets": [{"measure": "discount", "currency": "EUR", "value": "500.00"}]})
            self.put(server, "/v1/offers/mugs", offer("mug"))
            self.put(server, "/v1/offers/hats", offer("hat"))
            self.put(server, "/v1/segments/some", {"expression": "bucket(\"half\", 0.0, 0.5)"})

    def put(self, server, path, body):
        status, _, answer = server.request("PUT", path, body)
        self.assertIn(status, (200, 201), answer)

    def test_a_dry_run_grants_nothing_and_says_what_would_be(self):
        said = vitrine.run("campaign", "allocate", "spring", "--dry-run", "--data", self.data).stdout
        self.assertIn(f"{PEOPLE} people:", said)
        self.assertRegex(said, r"mugs +\d+ +\d+ +[\d.]+ +[\d.]+ +[\d.]+\n")
        self.assertRegex(said, r"instead: (mugs|hats) to 100 % +\d+ ")
        self.assertRegex(said, r"instead: nobody +0 ")
        self.assertIn("500 buyers are missing in the smaller of both groups", said)
        self.assertRegex(said, r"campaign/spring/discount/EUR +500.00 ")
        run = vitrine.run_json("campaign", "allocate", "spring", "--dry-run", "--data", self.data)
        self.assertEqual((run["state"], run["jobs"]), ("done", []))

    def test_it_grants_once_in_a_round(self):
        with vitrine.Server(self.data):
            run = vitrine.run_json("campaign", "allocate", "spring", "--segment", "some", "--data", self.data)
        granted = sum(job["granted"] for job in run["jobs"])
        self.assertEqual(granted, run["result"]["totals"]["people"])
        self.assertTrue(PEOPLE * 0.25 < granted < PEOPLE * 0.6)
        said = vitrine.run("campaign", "allocate", "spring", "--data", self.data).stdout
        self.assertRegex(said, rf"{run['result']['people']['asked_about']} were decided about in this round")
        self.assertRegex(said, r"job \d+ is done: \d+ were given mugs")
        vitrine.run("verify", "--data", self.data)

    def test_what_cannot_be_is_said(self):
        for arguments, why in ((["winter"], "there is no campaign winter"),
                               (["spring", "--offer", "caps"], "caps, which is no offer of campaign spring"),
                               (["spring", "--segment", "none"], "no segment none")):
            wrong = vitrine.run("campaign", "allocate", *arguments, "--data", self.data, check=False)
            self.assertEqual(wrong.returncode, 1)
            self.assertIn(why, wrong.stderr)


if __name__ == "__main__":
    unittest.main()
