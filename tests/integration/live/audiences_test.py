#!/usr/bin/env python3
"""Whom to reach, on a shop whose people have two tastes each: lookalikes, and who would want a product."""

import csv
import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
import shop  # noqa: E402
import vitrine  # noqa: E402

USERS = 1200
THEME = 3


def likes(user):
    """Whether the shop's user has the theme as the first of its two tastes; the other one is drawn."""
    return int(user[1:]) % shop.THEMES == THEME


class AudiencesTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        folder = pathlib.Path(cls.folder.name)
        shop.make(folder / "data", folder, users=USERS)
        cls.server = vitrine.Server(folder / "data").start()
        with open(folder / "events.csv", newline="") as events:
            cls.buyers = {row["user_id"] for row in csv.DictReader(events)
                          if row["product_id"].startswith(shop.product_id(THEME, 0)[:4])}
        cls.everybody = [f"u{number}" for number in range(USERS)]

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()
        cls.folder.cleanup()

    def make_static(self, key, users):
        status, _, answer = self.server.request("PUT", f"/v1/segments/{key}", {"kind": "static"})
        self.assertIn(status, (200, 201), answer)
        self.server.post(f"/v1/segments/{key}/members", {"add": users})

    def run_lookalike(self, key):
        status, _, answer = self.server.request("POST", f"/v1/segments/{key}/lookalike", {})
        self.assertEqual(status, 202, answer)

        def is_over():
            return self.server.get(f"/v1/segments/{key}/lookalike")["state"] != "running"
        vitrine.wait_until(is_over, 60, "the lookalike")
        return self.server.get(f"/v1/segments/{key}/lookalike")

    def test_people_like_those_of_a_taste_are_found(self):
        seed = [user for user in self.everybody if likes(user)][:75]
        self.make_static("seed", seed)
        run = self.run_lookalike("seed")
        self.assertEqual(run["state"], "done", run)
        result = run["result"]
        self.assertEqual((result["seed_people"], result["seed_examples"]), (75, 75))
        self.assertGreater(result["auc_low"], 0.8)
        self.assertTrue(result["better_than_chance"])
        self.assertEqual(result["categories"][0]["name"], f"Theme {THEME}")
        self.assertGreater(result["categories"][0]["weight"], 0)
        page = self.server.get("/v1/segments/seed/lookalike/members?limit=60")
        found = [member["user_id"] for member in page["members"]]
        self.assertEqual(set(found) & set(seed), set())
        self.assertGreater(len(self.buyers & set(found)) / 60, 0.9)
        self.assertLess(len(self.buyers - set(seed)) / (USERS - 75), 0.25, "of all others one in four has bought of it")
        scores = [member["score"] for member in page["members"]]
        self.assertEqual(scores, sorted(scores, reverse=True))
        following = self.server.get(f"/v1/segments/seed/lookalike/members?limit=60&cursor={page['cursor']}")
        self.assertLessEqual(following["members"][0]["score"], scores[-1])

        saved = {"segment": "like-seed", "name": "Like them", "size": 60}
        status, _, answer = self.server.request("POST", "/v1/segments/seed/lookalike/save", saved)
        self.assertEqual((status, answer["size"]), (201, 60))
        members = self.server.get("/v1/segments/like-seed/members")["members"]
        self.assertEqual({member["user_id"] for member in members}, set(found))
        self.assertEqual(self.server.request("POST", "/v1/segments/seed/lookalike/save", saved)[0], 409)
        status, _, answer = self.server.request("POST", "/v1/segments/seed/lookalike/save",
                                                {"segment": "more", "size": USERS})
        self.assertEqual((status, answer["error"]["field"]), (400, "size"))

    def test_nobody_is_like_a_random_lot(self):
        self.make_static("random", [f"u{number * 7919 % USERS}" for number in range(300)])
        result = self.run_lookalike("random")["result"]
        self.assertLess(abs(result["auc"] - 0.5), 0.1)
        self.assertLess(result["auc_low"], 0.5)
        self.assertFalse(result["better_than_chance"])

    def test_too_few_people_say_nothing(self):
        self.make_static("few", self.everybody[:49])
        run = self.run_lookalike("few")
        self.assertEqual((run["state"], run["result"]), ("failed", None))
        self.assertIn("at least 50", run["error"])
        self.assertEqual(self.server.request("POST", "/v1/segments/nobody/lookalike", {})[0], 404)

    def test_who_would_want_a_product_or_a_category(self):
        for question in ({"product_id": shop.product_id(THEME, 4)}, {"category": f"Theme {THEME}", "include_buyers": True}):
            found = self.server.post("/v1/audiences", {**question, "limit": 100})["members"]
            share = sum(likes(member["user_id"]) for member in found) / len(found)
            self.assertGreater(share, 0.6, question)
        buyers = self.server.post("/v1/audiences", {"category": f"Theme {THEME}", "limit": 10000})["members"]
        self.assertFalse([member for member in buyers if likes(member["user_id"])],
                         "whoever likes it has bought of it")
        for question, field in (({"product_id": "unknown"}, "product_id"), ({"category": "Nothing"}, "category"),
                                ({}, "product_id"), ({"product_id": "a", "category": "b"}, "product_id"),
                                ({"category": "Theme 1", "limit": 0}, "limit")):
            status, _, answer = self.server.request("POST", "/v1/audiences", question)
            self.assertEqual(answer["error"].get("field"), field, (question, status, answer))

    def test_who_refuses_is_not_found(self):
        question = {"product_id": shop.product_id(THEME, 5), "limit": 10}
        best = self.server.post("/v1/audiences", question)["members"][0]["user_id"]
        status, _, answer = self.server.request("PATCH", f"/v1/users/{best}", {"personalize": False})
        self.assertEqual(status, 200, answer)
        self.assertNotIn(best, [member["user_id"] for member in self.server.post("/v1/audiences", question)["members"]])


if __name__ == "__main__":
    unittest.main()
