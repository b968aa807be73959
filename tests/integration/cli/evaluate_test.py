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

    def test_sessions_are_replayed_click_by_click_beside_the_cheap_rankings(self):
        def clicks(first_session, sessions, start):
            rows = ["event_id,timestamp,session_id,item_id,event_type"]
            for session in range(first_session, first_session + sessions):
                for step in range(2):
                    # Everybody walks the same ring of 30 products, from another place.
                    product = (session * 7 + step) % 30
                    rows.append(f"e{session}-{step},{start + session * 100 + step},s{session},p{product},view")
            return "\n".join(rows) + "\n"

        train = self.write("train.csv", clicks(0, 300, 1_600_000_000))
        test = self.write("test.csv", clicks(300, 50, 1_600_000_000)
                          + "x1,1600090000,x,p0,view\nx2,1600090001,x,unknown,view\n")
        result = vitrine.run_json("evaluate", "--sessions", train, test)["rankings"]
        self.assertEqual(set(result), {"popularity", "co-visitation", "plain VMIS-kNN", "session"})
        served = result["session"]
        self.assertEqual([served[replay]["predictions"] for replay in ("frozen", "live", "live_all")], [50, 50, 51])
        # What follows is certain; what is popular, or next to it on either side, is not.
        self.assertEqual(served["frozen"]["mrr"]["mean"], 1)
        self.assertLess(result["plain VMIS-kNN"]["frozen"]["mrr"]["mean"], 1)
        self.assertLess(result["popularity"]["frozen"]["mrr"]["mean"], 0.5)
        self.assertLessEqual(served["live"]["p50_us"], served["live"]["p99_us"])
        # The product that training does not know is a miss.
        self.assertAlmostEqual(served["live_all"]["hr"]["mean"], 50 / 51, places=3)
        self.assertIn("live_all: 51 predictions", vitrine.run("evaluate", "--sessions", train, test).stdout)

        broken = self.write("broken.csv", "timestamp,session_id,item_id\n1600000000,s1,\n")
        refused = vitrine.run("evaluate", "--sessions", train, broken, check=False)
        self.assertEqual(refused.returncode, 1)
        self.assertIn("broken.csv:2: session_id, product_id and a time are required", refused.stderr)


if __name__ == "__main__":
    unittest.main()
