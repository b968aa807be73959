#!/usr/bin/env python3
"""A new visitor's first click changes the very next answer, and a reason in it names what was clicked. Always."""

import pathlib
import sys
import tempfile
import threading
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
import shop  # noqa: E402
import vitrine  # noqa: E402

PAIRS = 10_000
CLIENTS = 8


def shown(answer):
    return [product["product_id"] for product in answer["products"]]


class FreshnessTest(unittest.TestCase):
    def test_every_first_click_is_in_the_next_answer(self):
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            shop.make(folder / "data", folder)
            with vitrine.Server(folder / "data") as server:
                wrong = []
                clients = [threading.Thread(target=self.shop_around, args=(server, client, wrong))
                           for client in range(CLIENTS)]
                for client in clients:
                    client.start()
                for client in clients:
                    client.join()
            print(f"freshness: {PAIRS} first clicks by {CLIENTS} clients, {len(wrong)} not in the next answer")
            self.assertEqual(wrong[:5], [])

    def shop_around(self, server, client, wrong):
        try:
            for number in range(client, PAIRS, CLIENTS):
                clicked = shop.product_id(number % shop.THEMES, number // shop.THEMES % shop.PRODUCTS_EACH)
                visitor = f"v{number}"
                home = f"/v1/placements/home/products?visitor_id={visitor}&limit=8"
                before = server.get(home)
                server.send({"event_id": f"first-{number}", "type": "click", "visitor_id": visitor,
                             "product_id": clicked})
                after = server.get(home)
                named = any(product["reason"].get("product_id") == clicked for product in after["products"])
                if before["personalized"] or not after["personalized"] or not named or shown(before) == shown(after):
                    wrong.append((visitor, clicked, shown(before), after))
        except Exception as error:  # a client that dies must fail the test
            wrong.append(("client", client, repr(error)))


if __name__ == "__main__":
    unittest.main()
