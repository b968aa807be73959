#!/usr/bin/env python3
"""What a visitor did belongs to the user it turns out to be, and only to that user."""

import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
import shop  # noqa: E402
import vitrine  # noqa: E402


class IdentityTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        folder = pathlib.Path(cls.folder.name)
        shop.make(folder / "data", folder)
        cls.server = vitrine.Server(folder / "data").start()

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()
        cls.folder.cleanup()

    def reasons(self, query):
        answer = self.server.get(f"/v1/placements/home/products?{query}&limit=8")
        return answer["personalized"], [product["reason"].get("product_id") for product in answer["products"]]

    def test_history_moves_with_the_login(self):
        self.server.send({"event_id": "a1", "type": "click", "visitor_id": "phone", "product_id": "p03-01"})
        self.assertEqual(self.reasons("user_id=ann")[0], False)
        self.server.send({"event_id": "a2", "type": "login", "visitor_id": "phone", "user_id": "ann"})

        is_personal, named = self.reasons("user_id=ann")
        self.assertTrue(is_personal)
        self.assertIn("p03-01", named)
        self.assertIn("p03-01", self.reasons("visitor_id=phone")[1])

    def test_a_second_login_on_one_device_takes_nothing_along(self):
        self.server.send({"event_id": "b1", "type": "click", "visitor_id": "shared", "user_id": "bea",
                          "product_id": "p04-02"},
                         {"event_id": "b2", "type": "click", "visitor_id": "shared", "user_id": "carl",
                          "product_id": "p05-03"})
        self.assertNotIn("p04-02", self.reasons("user_id=carl")[1])
        self.assertIn("p04-02", self.reasons("user_id=bea")[1])
        self.assertIn("p05-03", self.reasons("visitor_id=shared")[1])

    def test_without_personalization_two_people_see_the_same(self):
        self.server.send({"event_id": "c1", "type": "click", "user_id": "dora", "product_id": "p01-01"})
        answers = [self.server.post("/v1/recommendations", {"placement": "home", "user_id": user, "limit": 10,
                                                            "personalize": False})
                   for user in ("dora", "u1", "nobody-ever")]
        lists = [[product["product_id"] for product in answer["products"]] for answer in answers]
        self.assertEqual(lists[0], lists[1])
        self.assertEqual(lists[0], lists[2])
        self.assertFalse(answers[0]["personalized"])

    def test_a_product_hidden_or_sold_out_is_gone_from_the_next_answer(self):
        for change in ({"hidden": True}, {"in_stock": False}):
            shown = self.server.get("/v1/placements/home/products?user_id=u7&limit=5")["products"]
            first = shown[0]["product_id"]
            status, _, _ = self.server.request("PATCH", f"/v1/products/{first}", change)
            self.assertEqual(status, 200)
            after = self.server.get("/v1/placements/home/products?user_id=u7&limit=50")["products"]
            self.assertNotIn(first, [product["product_id"] for product in after])


if __name__ == "__main__":
    unittest.main()
