#!/usr/bin/env python3
"""What two visitors look at changes a third one's answer at once, and after a restart still does."""

import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
import vitrine  # noqa: E402

PRODUCTS = 400


def click(number, product, **who):
    return {"event_id": f"click-{number}", "type": "view", "product_id": product, **who}


class SessionsTest(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = pathlib.Path(temporary.name)
        # No model, no categories and no history: only sessions can tell what goes with what.
        rows = "product_id,title,price,currency\n" + "".join(f"p{i},Product {i},1.00,EUR\n" for i in range(PRODUCTS))
        (self.folder / "products.csv").write_text(rows)
        vitrine.run("import", "--data", self.folder / "data", "--products", self.folder / "products.csv")

    def home(self, server, **request):
        answer = server.post("/v1/recommendations", {"placement": "home", "limit": 4, **request})
        return {product["product_id"]: product["reason"] for product in answer["products"]}

    def test_two_sessions_change_the_answer_to_a_third(self):
        with vitrine.Server(self.folder / "data") as server:
            server.send(click(0, "p7", session_id="third"))
            self.assertNotIn("p301", self.home(server, session_id="third"))
            server.send(click(1, "p7", session_id="first"))
            server.send(click(2, "p301", session_id="first"))
            server.send(click(3, "p7", visitor_id="second"))
            server.send(click(4, "p301", visitor_id="second"))
            shown = self.home(server, session_id="third")
            self.assertEqual(next(iter(shown)), "p301")
            self.assertEqual(shown["p301"]["product_id"], "p7")
            self.assertIn("also looked at", shown["p301"]["text"])
            # A visitor without a session id has the running session; without personalization nobody has one.
            server.send(click(5, "p7", visitor_id="fourth"))
            self.assertEqual(self.home(server, visitor_id="fourth")["p301"]["kind"], "also_viewed")
            for reason in self.home(server, session_id="third", personalize=False).values():
                self.assertNotEqual(reason["kind"], "also_viewed")

        with vitrine.Server(self.folder / "data") as server:
            self.assertEqual(next(iter(self.home(server, session_id="third"))), "p301")


if __name__ == "__main__":
    unittest.main()
