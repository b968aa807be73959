#!/usr/bin/env python3
"""Evaluation beside the baselines, from a data folder and from files."""

import unittest

import folder
import shop
import vitrine


class EvaluateTest(folder.FolderTest):
    def test_a_time_split_of_the_log_is_judged_beside_the_baselines(self):
        now_ms = 1_790_000_000_000
        shop.write_files(self.folder, users=200, now_ms=now_ms)
        vitrine.run("import", "--data", self.data, "--events", self.folder / "events.csv")
        result = vitrine.run_json("evaluate", "--data", self.data, "--split", now_ms - 20 * shop.DAY_MS, "--dims", 16,
                                  "--epochs", 8, "--k", "10,20")
        self.assertGreater(result["users"], 50)
        self.assertEqual(set(result["baselines"]), {"popular", "product_knn"})
        self.assertEqual(set(result["repeats"]["baselines"]), {"popular", "product_knn", "own_orders"})
        # The shop's people stay with their two themes; a model that does not see that is broken.
        self.assertGreater(result["recall@20"], 2 * result["baselines"]["popular"]["recall@20"])
        self.assertIn("ndcg@10", result)

    def test_files_and_a_saved_model_give_the_same_figures_as_training_on_the_way(self):
        pairs = [f"u{user}\tp{(user * 7 + k * k) % 40}" for user in range(60) for k in range(8)]
        train = self.write("train.tsv", "\n".join(pairs[::2]) + "\n")
        test = self.write("test.tsv", "\n".join(pairs[1::2]) + "\n")
        common = ("--dims", 8, "--epochs", 4, "--seed", 3)
        vitrine.run("train", "--interactions", train, "--out", self.folder / "model", *common)
        on_the_way = vitrine.run_json("evaluate", "--train", train, "--test", test, "--k", 20, *common)
        saved = vitrine.run_json("evaluate", "--train", train, "--test", test, "--k", 20, "--model",
                                 self.folder / "model")
        self.assertEqual(on_the_way["recall@20"], saved["recall@20"])
        table = vitrine.run("evaluate", "--train", train, "--test", test, "--k", 20, *common).stdout
        self.assertIn("products new to the user", table)
        self.assertIn("own_orders", table)


if __name__ == "__main__":
    unittest.main()
