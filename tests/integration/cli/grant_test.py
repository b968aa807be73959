#!/usr/bin/env python3
"""A coupon for everybody in a segment: by the command, and by a server that is killed in the middle."""

import unittest

import folder
import vitrine

PEOPLE = 3000
OFFER = {"campaign": "spring", "trigger": "granted", "effect": {"kind": "full_reduction"},
         "amounts": {"*": {"currency": "EUR", "tiers": [{"threshold": "30.00", "off": "5.00"}]}}}


class GrantTest(folder.FolderTest):
    def setUp(self):
        super().setUp()
        lines = [f"e{n},2026-01-01T10:00:00Z,view,u{n},p" for n in range(PEOPLE)]
        events = self.write("events.csv", "\n".join(["event_id,time,type,user_id,product_id", *lines]) + "\n")
        vitrine.run("import", "--data", self.data, "--events", events)
        with vitrine.Server(self.data) as server:
            self.put(server, "/v1/campaigns/spring", {"state": "active", "holdout": {"share": 0}})
            self.put(server, "/v1/offers/five", OFFER)
            self.put(server, "/v1/segments/some", {"expression": "bucket(\"half\", 0.0, 0.5)"})
            self.put(server, "/v1/segments/all", {"expression": "user.orders_count >= 0"})

    def put(self, server, path, body):
        status, _, answer = server.request("PUT", path, body)
        self.assertIn(status, (200, 201), answer)

    def test_the_command_gives_everybody_one_and_says_so(self):
        job = vitrine.run_json("grant", "--data", self.data, "five", "--segment", "some")
        kept = sum(job["withheld"].values())  # by the control group over all campaigns
        self.assertEqual((job["state"], job["granted"] + kept, job["looked_at"]), ("done", job["people"], job["people"]))
        self.assertTrue(PEOPLE * 0.4 < job["people"] < PEOPLE * 0.6)
        said = vitrine.run("grant", "--data", self.data, "five", "--segment", "some").stdout
        self.assertIn(f"0 were given five, {job['granted']} had it already, {kept} are kept from it", said)
        with vitrine.Server(self.data):
            said = vitrine.run("grant", "--data", self.data, "five", "--segment", "all").stdout
        self.assertRegex(said, rf"is done: \d+ were given five, {job['granted']} had it already")
        vitrine.run("verify", "--data", self.data)

    def test_what_cannot_be_is_said(self):
        wrong = vitrine.run("grant", "--data", self.data, "five", "--segment", "none", check=False)
        self.assertEqual(wrong.returncode, 1)
        self.assertIn("there is no segment none", wrong.stderr)

    def test_a_killed_server_loses_nothing_and_gives_nobody_twice(self):
        server = vitrine.Server(self.data)
        with server:
            status, _, job = server.request(
                "POST", "/v1/grants/jobs", {"offer": "five", "user_ids": [f"u{n}" for n in range(PEOPLE)]})
            self.assertEqual(status, 202, job)
            vitrine.wait_until(lambda: server.get(f"/v1/grants/jobs/{job['job']}")["granted"] > 0, 30, "a first grant")
            server.kill()
        with vitrine.Server(self.data) as again:
            def now():
                return again.get(f"/v1/grants/jobs/{job['job']}")
            vitrine.wait_until(lambda: now()["state"] == "done", 60, "the job to be done")
            kept = sum(now()["withheld"].values())
            self.assertEqual((now()["granted"] + kept, now()["had_it"]), (PEOPLE, 0))
            self.assertLess(kept, PEOPLE * 0.05, "about two of a hundred")
            self.assertEqual(again.get("/v1/offers/five/results")["issued"]["committed"], PEOPLE - kept)
            for person in (0, 1, PEOPLE // 2, PEOPLE - 1):
                self.assertEqual(len(again.get(f"/v1/grants?user_id=u{person}")["grants"]), 1)
        vitrine.run("verify", "--data", self.data)


if __name__ == "__main__":
    unittest.main()
