#!/usr/bin/env python3
"""A data folder is verified: sound after kills, wrong when a file is damaged, partly checked beside a server."""

import unittest

import folder
import vitrine


def events(first, count):
    """Purchases, refunds and views of few people, so that they meet."""
    kinds = ["view", "purchase", "view", "refund", "cart_add"]
    return {"events": [{"event_id": f"e{i}", "type": kinds[i % 5], "product_id": f"p{i % 37}", "order_id": f"o{i // 9}",
                        "visitor_id": f"v{i % 23}", **({"user_id": f"u{i % 7}"} if i % 11 == 0 else {})}
                       for i in range(first, first + count)]}


class VerifyTest(folder.FolderTest):

    def outcomes(self):
        return {check["name"]: check["outcome"]
                for check in vitrine.run_json("verify", "--data", self.data)["checks"]}

    def test_a_folder_is_sound_whatever_killed_its_servers(self):
        for life in range(3):
            server = vitrine.Server(self.data, "--checkpoint-entries", "1000")
            with server:
                for call in range(6):
                    status, _ = server.request("POST", "/v1/events", events(3000 * life + 500 * call, 500))[:2]
                    self.assertEqual(status, 200)
                if life < 2:
                    server.process.kill()
                    server.process.wait()

        outcomes = self.outcomes()

        self.assertEqual(set(outcomes.values()), {"sound"})
        self.assertLessEqual({"checksums", "log", "event keys", "profiles", "popularity"}, set(outcomes))
        self.assertFalse((self.data / "verify.work").exists())

    def test_beside_a_server_it_says_what_it_cannot_check(self):
        with vitrine.Server(self.data) as server:
            server.request("POST", "/v1/events", events(0, 50))
            outcomes = self.outcomes()

        self.assertEqual(outcomes["log"], "sound")
        self.assertEqual(outcomes["projections"], "not checked")

    def test_a_damaged_file_is_told_with_status_1(self):
        with vitrine.Server(self.data) as server:
            server.request("POST", "/v1/events", events(0, 2000))
        files = sorted((self.data / "store").glob("*.sst"), key=lambda path: path.stat().st_size)
        self.assertTrue(files)
        damaged = bytearray(files[-1].read_bytes())
        for at in range(64, len(damaged) // 2):
            damaged[at] ^= 0xFF
        files[-1].write_bytes(damaged)

        done = vitrine.run("verify", "--data", self.data, check=False)

        self.assertEqual(done.returncode, 1, done.stdout)

    def test_a_folder_that_is_none_is_refused(self):
        self.assertEqual(vitrine.run("verify", "--data", self.folder / "nothing", check=False).returncode, 1)


if __name__ == "__main__":
    unittest.main()
