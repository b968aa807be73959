#!/usr/bin/env python3
"""One shop gives the same answers whatever finds them: on threads of their own with shared scans, by a graph,
without the processor's wide instructions, and while a model is taken over."""

import contextlib
import os
import pathlib
import re
import shutil
import sys
import tempfile
import threading
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
import shop  # noqa: E402
import vitrine  # noqa: E402

LARGE = ["--large-shop-values", "1"]  # every shop is a large one
GRAPH = ["--graph-above-products", "50"]
CLIENTS = 6
shop.PRODUCTS_EACH = 100  # more than an answer asks the index for, or nothing would walk the graph


def requests():
    """Paths of every kind of answer, none with a place drawn by chance."""
    paths = []
    for user in range(0, 60, 2):
        person = f"user_id=u{user}&explore=false&limit=12"
        theme = user % shop.THEMES
        paths += [f"/v1/placements/home/products?{person}",
                  f"/v1/placements/email/products?{person}",
                  f"/v1/placements/category_page/products?{person}&category=Theme%20{theme}",
                  f"/v1/placements/search/products?{person}&price_max=12&currency=EUR",
                  f"/v1/placements/product_page/products?{person}&product_id={shop.product_id(theme, user % 25)}",
                  f"/v1/placements/cart/products?{person}&cart={shop.product_id(theme, 1)}"]
    return paths + ["/v1/placements/home/products?visitor_id=nobody&explore=false"]


def shown(answer):
    return [(product["product_id"], product["score"]) for product in answer["products"]]


class SameAnswersTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.open = contextlib.ExitStack()
        cls.folder = pathlib.Path(cls.open.enter_context(tempfile.TemporaryDirectory()))
        data = cls.folder / "data"
        shop.make(data, cls.folder)
        cls.second = vitrine.run_json("train", "--data", data, "--dims", 16, "--epochs", 3, "--seed", 7)["model_version"]
        cls.plain = cls.serve("plain")

    @classmethod
    def tearDownClass(cls):
        cls.open.close()

    @classmethod
    def serve(cls, name, *arguments):
        """A server of its own on a copy of the shop."""
        shutil.copytree(cls.folder / "data", cls.folder / name)
        return cls.open.enter_context(vitrine.Server(cls.folder / name, *arguments))

    def assert_same(self, server, path, reference):
        mine, others = shown(server.get(path)), shown(reference)
        self.assertEqual([product for product, _ in mine], [product for product, _ in others], path)
        for (_, score), (_, other) in zip(mine, others):
            self.assertAlmostEqual(score, other, delta=1e-5, msg=path)

    def assert_all_same(self, server):
        for path in requests():
            self.assert_same(server, path, self.plain.get(path))

    def assert_much_the_same(self, server):
        """A graph may miss a product, but none where a filter leaves little."""
        shared, wanted = 0, 0
        for path in requests():
            mine = {product for product, _ in shown(server.get(path))}
            others = {product for product, _ in shown(self.plain.get(path))}
            if "category" in path:
                self.assertEqual(mine, others, path)
            shared += len(mine & others)
            wanted += len(others)
        self.assertGreaterEqual(shared, 0.98 * wanted)

    @staticmethod
    def live_lines(server):
        return [line for line in server.said if "model live" in line]

    def test_without_wide_instructions(self):
        os.environ["VITRINE_PORTABLE"] = "1"
        try:
            server = self.serve("portable")
        finally:
            del os.environ["VITRINE_PORTABLE"]
        self.assert_all_same(server)

    def test_by_a_graph_that_is_kept_for_the_next_start(self):
        server = self.serve("graph", *GRAPH)
        self.assert_much_the_same(server)
        self.assertRegex(self.live_lines(server)[-1], "index=graph from=vectors")
        self.assertRegex(server.get("/metrics"), r"vitrine_live_model_index_recall_ratio (1|0\.9)")
        server.stop()
        self.assertEqual(len(list((self.folder / "graph" / "models").glob("*/graph.faiss"))), 1)
        with vitrine.Server(self.folder / "graph", *GRAPH) as again:
            self.assertRegex(self.live_lines(again)[-1], "index=graph from=file")
            self.assert_much_the_same(again)

    def test_when_many_ask_one_thread_at_the_same_time(self):
        server = self.serve("crowded", "--threads", "1", "--recommend-deadline-ms", "10000")
        paths = requests()
        expected = {path: shown(self.plain.get(path)) for path in paths}
        got, refused = [], []

        def ask(client):
            for path in paths[client % 7:]:
                got.append((path, shown(server.get(path))))
                if client == 0:
                    refused.append(server.request("GET", "/v1/placements/nowhere/products?user_id=u1")[0])

        self.in_threads([lambda client=client: ask(client) for client in range(4 * CLIENTS)])
        self.assertEqual([path for path, products in got
                          if [product for product, _ in products] != [product for product, _ in expected[path]]], [])
        self.assertEqual(set(refused), {404})

    def test_when_the_deadline_is_short_answers_are_full(self):
        server = self.serve("hurried", *LARGE, "--recommend-deadline-ms", "1")
        short = []

        def ask():
            short.extend(path for path in requests() if len(server.get(path)["products"]) < 12
                         and "category" not in path)

        self.in_threads([ask] * CLIENTS)
        self.assertEqual(short[:5], [])

    def test_in_a_large_shop_while_a_model_is_taken_over(self):
        server = self.serve("large", *LARGE)
        self.assert_all_same(server)
        paths = requests()
        first = self.plain.get(paths[0])["model_version"]
        expected = {first: {path: self.plain.get(path) for path in paths}}
        self.promote("plain", self.second, self.plain)
        expected[self.second] = {path: self.plain.get(path) for path in paths}
        self.promote("plain", first, self.plain)
        wrong, seen, is_over = [], set(), threading.Event()

        def ask(client):
            number = client
            while not is_over.is_set():
                path = paths[number % len(paths)]
                number += CLIENTS + 1
                answer = server.get(path)
                seen.add(answer["model_version"])
                ours = [product for product, _ in shown(answer)]
                if ours != [product for product, _ in shown(expected[answer["model_version"]][path])]:
                    wrong.append(path)

        def swap():
            try:
                for version in (self.second, first, self.second):
                    self.promote("large", version, server)
            finally:
                is_over.set()

        self.in_threads([lambda client=client: ask(client) for client in range(CLIENTS)] + [swap])
        self.assertEqual(wrong[:5], [])
        self.assertEqual(seen, {first, self.second})

    def promote(self, name, version, server):
        vitrine.run("models", "promote", version, "--data", self.folder / name)
        path = "/v1/placements/home/products?limit=1"
        vitrine.wait_until(lambda: server.get(path)["model_version"] == version, 20, f"{version} is served")

    def in_threads(self, tasks):
        failed = []

        def guarded(task):
            try:
                task()
            except Exception as error:
                failed.append(repr(error))

        threads = [threading.Thread(target=guarded, args=(task,)) for task in tasks]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(failed[:3], [])


if __name__ == "__main__":
    unittest.main()
