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
