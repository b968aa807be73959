#!/usr/bin/env python3
"""A marketing person's day at one placement: pins, boosts and buries that begin and end, and what came of each place."""

import datetime
import pathlib
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
import shop  # noqa: E402
import vitrine  # noqa: E402

PINNED = shop.product_id(7, 24)
SOURCES = [{"source": "popular", "weight": 1}]


def moment(seconds_from_now):
    when = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds_from_now)
    return when.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


class RulesTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        folder = pathlib.Path(cls.folder.name)
        cls.data = folder / "data"
        shop.make(cls.data, folder, users=60)
        cls.server = vitrine.Server(cls.data).start()

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()
        cls.folder.cleanup()

    def ask(self, method, path, body=None, expected=200):
        status, _, answer = self.server.request(method, path, body)
        self.assertEqual(status, expected, answer)
        return answer

    def put(self, name, rules):
        status, _, answer = self.server.request("PUT", f"/v1/placements/{name}",
                                                {"sources": SOURCES, "variety": {"explores_one_in": 0}, "rules": rules})
        self.assertIn(status, (200, 201), answer)

    def shown(self, name, **more):
        body = {"placement": name, "limit": 10, "explain": True, **more}
        return self.ask("POST", "/v1/recommendations", body)["products"]

    def ids(self, name, **more):
        return [product["product_id"] for product in self.shown(name, **more)]

    def test_a_pin_holds_from_its_first_moment_to_its_last_without_another_call(self):
        rule = {"id": "launch", "kind": "pin", "when": {"products": [PINNED]}, "position": 3}
        self.put("window", [{**rule, "valid_from": moment(3), "valid_until": moment(6)}])
        before = self.ids("window")
        self.assertNotEqual(before[2], PINNED, "it has not begun")
        vitrine.wait_until(lambda: self.ids("window")[2] == PINNED, 20, "the pin begins")
        shown = self.shown("window")
        self.assertEqual(shown[2]["rules"], ["launch"])
        self.assertEqual([product["product_id"] for product in shown if product["product_id"] != PINNED][:2], before[:2],
                         "the others keep their order")
        vitrine.wait_until(lambda: self.ids("window") == before, 20, "the pin ends")

    def test_a_bury_sinks_and_a_boost_lifts_and_a_dead_rule_does_neither(self):
        self.put("plain", [])
        first = self.ids("plain")
        self.put("moved", [
            {"id": "sink", "kind": "bury", "when": {"products": [first[0]]}, "factor": 0.01},
            {"id": "lift", "kind": "boost", "when": {"products": [first[5]]}, "factor": 100},
            {"id": "over", "kind": "boost", "when": {"products": [first[7]]}, "factor": 100, "valid_until": moment(-60)},
        ])
        moved = self.shown("moved")
        ids = [product["product_id"] for product in moved]
        self.assertEqual(ids[0], first[5])
        self.assertEqual(moved[0]["rules"], ["lift"])
        self.assertNotIn(first[0], ids[:5])
        self.assertLess(ids.index(first[1]), ids.index(first[7]), "what is over moves nothing")

    def test_each_place_is_owed_its_own_clicks_and_purchases(self):
        self.put("owed", [])
        answer = self.ask("POST", "/v1/recommendations", {"placement": "owed", "limit": 4, "user_id": "u1"})
        ids = [product["product_id"] for product in answer["products"]]
        self.ask("POST", "/v1/recommendations", {"placement": "owed", "limit": 4, "user_id": "u2"})  # never seen
        told = {"user_id": "u1", "recommendation_id": answer["recommendation_id"]}
        events = [{"event_id": f"seen-{i}", "type": "impression", "product_id": product, **told}
                  for i, product in enumerate(ids)]
        events += [{"event_id": "click", "type": "click", "product_id": ids[2], **told},
                   {"event_id": "other", "type": "purchase", "product_id": shop.product_id(7, 20), "quantity": 1,
                    "price": "9.00", "currency": "EUR", "order_id": "r-1", "user_id": "u1"},
                   {"event_id": "buy", "type": "purchase", "product_id": ids[2], "quantity": 2, "price": "3.00",
                    "currency": "EUR", "order_id": "r-1", "user_id": "u1"}]
        self.assertEqual(self.ask("POST", "/v1/events", {"events": events})["accepted"], len(events))

        def counted():
            return self.ask("GET", "/v1/placements/owed/results?by=position")["totals"]["served"] >= 8
        vitrine.wait_until(counted, 5, "both answers are counted")
        results = self.ask("GET", "/v1/placements/owed/results?by=position")
        totals = results["totals"]
        self.assertEqual((totals["impressions"], totals["clicks"], totals["purchases"]), (4, 1, 1))
        self.assertEqual(totals["revenue"], {"EUR": "6.00"}, "what was never shown is owed to nobody")
        by_place = {row["position"]: row for row in results["rows"]}
        self.assertEqual({place: row["clicks"] for place, row in by_place.items() if row["clicks"]}, {3: 1})
        self.assertAlmostEqual(totals["click_through_rate"], 0.25, msg="of what was seen, not of what was served")


if __name__ == "__main__":
    unittest.main(verbosity=2)
