#!/usr/bin/env python3
"""Models come, serve, give way and go, without a server."""

import unittest

import folder
import shop
import vitrine


class ModelsTest(folder.FolderTest):
    def setUp(self):
        super().setUp()
        shop.make(self.data, self.folder, users=60)

    def models(self):
        return vitrine.run_json("models", "list", "--data", self.data)["models"]

    def current(self):
        return next((model["model_version"] for model in self.models() if model["is_current"]), None)

    def train(self, seed, *arguments):
        return vitrine.run_json("train", "--data", self.data, "--dims", 8, "--epochs", 2, "--seed", seed, *arguments)

    def test_a_first_model_serves_and_a_later_one_waits(self):
        first = self.current()
        self.assertIsNotNone(first)
        second = self.train(2)
        self.assertFalse(second["promoted"])
        self.assertEqual(self.current(), first)

        vitrine.run("models", "promote", second["model_version"], "--data", self.data)
        self.assertEqual(self.current(), second["model_version"])
        answer = vitrine.run_json("recommend", "--data", self.data, "--user", "u1", "--limit", 3)
        self.assertEqual(answer["model_version"], second["model_version"])

        vitrine.run("models", "rollback", "--data", self.data)
        self.assertEqual(self.current(), first)

    def test_old_models_are_pruned_but_never_the_one_that_serves(self):
        serving = self.current()
        for seed in (2, 3, 4):
            self.train(seed)
        removed = vitrine.run_json("models", "prune", "--keep", 1, "--data", self.data)["removed"]
        left = [model["model_version"] for model in self.models()]
        self.assertIn(serving, left)
        self.assertEqual((len(left), len(removed)), (2, 2))

    def test_a_model_tells_how_it_came_about(self):
        trained = self.train(7)
        shown = vitrine.run_json("models", "show", trained["model_version"], "--data", self.data)
        self.assertEqual((shown["seed"], shown["epochs"], shown["source"], shown["dims"]), (7, 2, "log", 8))
        self.assertIn("alpha0", vitrine.run("models", "show", trained["model_version"], "--data", self.data).stdout)

    def test_same_data_and_seed_give_the_same_model(self):
        def content(version):
            return version.split("-")[1]

        self.assertEqual(content(self.train(5)["model_version"]),
                         content(vitrine.run_json("train", "--data", self.data, "--dims", 8, "--epochs", 2, "--seed",
                                                  5, "--threads", 1, "--out", self.folder / "m")["model_version"]))

    def test_an_unknown_model_is_refused(self):
        for verb in ("promote", "show"):
            refused = vitrine.run("models", verb, "20200101T000000Z-00000000", "--data", self.data, check=False)
            self.assertEqual(refused.returncode, 1)
            self.assertIn("20200101T000000Z-00000000", refused.stderr)

    def test_recommendations_are_a_table_with_titles_and_reasons(self):
        said = vitrine.run("recommend", "--data", self.data, "--user", "u1", "--limit", 5).stdout
        self.assertIn("What u1 did last", said)
        self.assertIn("Because you bought", said)
        self.assertRegex(said, r"\n +1  p\d\d-\d\d +Theme \d product \d")
        self.assertNotIn("\x1b", said)


if __name__ == "__main__":
    unittest.main()
