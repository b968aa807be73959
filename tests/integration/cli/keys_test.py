#!/usr/bin/env python3
"""API keys are made, listed without their secret, and revoked at once; without one a server answers 401."""

import unittest

import folder
import vitrine

EVENT = {"events": [{"event_id": "e1", "type": "view", "visitor_id": "v", "product_id": "p"}]}


class KeysTest(folder.FolderTest):
    def test_a_key_opens_what_its_scopes_say_until_it_is_revoked(self):
        made = vitrine.run_json("keys", "create", "--scopes", "collect", "--origin", "https://shop.example", "--data",
                                self.data)
        bearer = {"Authorization": f"Bearer {made['key']}"}
        with vitrine.Server(self.data, open_to_all=False) as server:
            self.assertEqual(server.request("POST", "/v1/events", EVENT)[0], 401)
            self.assertEqual(server.request("POST", "/v1/events", EVENT, bearer)[0], 200)
            self.assertEqual(server.request("GET", "/v1/keys", headers=bearer)[0], 403)

            vitrine.run("keys", "revoke", made["id"], "--data", self.data)
            self.assertEqual(server.request("POST", "/v1/events", EVENT, bearer)[0], 401)

    def test_a_key_that_asks_too_often_is_told_to_wait_and_others_are_not(self):
        few, many = (vitrine.run_json("keys", "create", "--scopes", "recommend", "--requests-per-second", rate, "--burst",
                                      burst, "--data", self.data) for rate, burst in ((1, 5), (1000, 1000)))
        self.assertEqual((few["requests_per_second"], few["burst"]), (1, 5))
        path = "/v1/placements/home/products"
        with vitrine.Server(self.data, open_to_all=False) as server:
            def ask(key):
                status, headers, answer = server.request("GET", path, headers={"Authorization": f"Bearer {key['key']}"})
                return status, headers.get("Retry-After"), answer
            answers = [ask(few) for _ in range(20)]
            self.assertEqual([status for status, _, _ in answers[:5]], [200] * 5)
            refused = [answer for answer in answers if answer[0] == 429]
            self.assertGreater(len(refused), 10)
            self.assertEqual({wait for _, wait, _ in refused}, {"1"})
            self.assertEqual(refused[0][2]["error"]["message"],
                             "the API key may make 1 requests a second, and 5 at once")
            self.assertEqual({ask(many)[0] for _ in range(20)}, {200})
            vitrine.wait_until(lambda: ask(few)[0] == 200, 10, "the key may ask again")

    def test_a_rate_out_of_range_is_wrong_use(self):
        for option, value in (("--requests-per-second", 0), ("--requests-per-second", 1_000_001), ("--burst", 0)):
            wrong = vitrine.run("keys", "create", "--scopes", "collect", option, value, "--data", self.data, check=False)
            self.assertEqual(wrong.returncode, 2, wrong.stderr)
            self.assertIn(option, wrong.stderr)

    def test_lists_show_no_secret(self):
        made = vitrine.run_json("keys", "create", "--scopes", "catalog,models", "--data", self.data)
        listed = vitrine.run("keys", "list", "--data", self.data).stdout
        self.assertIn(made["id"], listed)
        self.assertIn("catalog, models", listed)
        self.assertNotIn(made["key"].rsplit("_", 1)[1], listed)
        stored = b"".join(path.read_bytes() for path in (self.data / "store").iterdir())
        self.assertNotIn(made["key"].encode(), stored)

    def test_the_key_alone_is_on_standard_output(self):
        made = vitrine.run("keys", "create", "--scopes", "recommend", "--data", self.data)
        self.assertRegex(made.stdout, r"^vk_[0-9a-f]+_[0-9a-f]+\n$")

    def test_a_scope_there_is_not_is_wrong_use(self):
        wrong = vitrine.run("keys", "create", "--scopes", "collect,everything", "--data", self.data, check=False)
        self.assertEqual(wrong.returncode, 2)
        self.assertIn("everything", wrong.stderr)


if __name__ == "__main__":
    unittest.main()
