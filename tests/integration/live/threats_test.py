#!/usr/bin/env python3
"""The table of docs/security.md, row by row: what whoever holds nothing, a public key or a secret one can reach."""

import pathlib
import re
import sys
import tempfile
import unittest

import yaml

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
import shop  # noqa: E402
import vitrine  # noqa: E402

SCOPES = ("collect", "recommend", "catalog", "marketing", "models", "privacy", "admin")
REACHED = range(200, 300)


def call_of(path):
    """The path with something in place of its parameters."""
    return re.sub(r"\{[a-z_]+\}", "someone", path)


class ThreatsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        folder = pathlib.Path(cls.folder.name)
        shop.make(folder / "data", folder, users=60)
        cls.keys = {scope: vitrine.run_json("keys", "create", "--scopes", scope, "--data", folder / "data")
                    for scope in SCOPES}
        cls.public = vitrine.run_json("keys", "create", "--scopes", "collect,recommend", "--origin",
                                      "https://shop.example", "--data", folder / "data")
        cls.server = vitrine.Server(folder / "data", open_to_all=False).start()
        cls.calls = cls.calls_of(yaml.safe_load(cls.server.get("/openapi.yaml")))

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()
        cls.folder.cleanup()

    @staticmethod
    def calls_of(contract):
        """(method, path, needs a key) of every route that takes its key from the header."""
        methods = ("get", "put", "post", "patch", "delete")
        calls = [(method, path, call.get("security") != []) for path, all_calls in contract["paths"].items()
                 for method, call in all_calls.items() if method in methods
                 and "tracking" not in call["tags"]]
        assert len(calls) > 30, calls
        return calls

    def status(self, method, path, key=None, headers=None, body=None):
        headers = dict(headers or {})
        if key is not None:
            headers["Authorization"] = f"Bearer {key}"
        return self.server.request(method.upper(), path, body, headers)[0]

    def statuses(self, key, *, keyed=True):
        """What an empty call of each route is answered; a 400 has passed the door."""
        return {(method, path): self.status(method, call_of(path), key, body={} if method != "get" else None)
                for method, path, needs_key in self.calls if needs_key == keyed}

    def test_nothing_opens_nothing(self):
        self.assertEqual(set(self.statuses(None).values()), {401})
        self.assertEqual({self.status("get", path) for method, path, needs in self.calls
                          if not needs and "{" not in path}, {200})

    def test_an_invented_a_cut_and_a_revoked_key_open_nothing(self):
        revoked = self.keys["catalog"]["key"][:-1] + "0123456789abcdef"[(int(self.keys["catalog"]["key"][-1], 16) + 1) % 16]
        for key in (revoked, self.public["key"][:-4], "vk_", "vk_" + self.public["id"] + "_", "x" * 4000):
            self.assertEqual(set(self.statuses(key).values()), {401}, key[:8])

    def test_a_public_key_neither_administrates_nor_reads_people(self):
        found = self.statuses(self.public["key"])
        refused = {route for route, status in found.items() if status == 403}
        passed = sorted(path for (_, path), status in found.items() if status != 403)
        # What a page needs, and nothing that names people, keys or what others did.
        for path in passed:
            self.assertRegex(path, r"^/v1/(events|recommendations|pages|rankings|placements(/\{placement\}/products)?|coupons/(qualify|validate|claim|recommendations))$")
        for route in (("get", "/v1/users/{id}"), ("get", "/v1/keys"), ("get", "/v1/quarantine"), ("get", "/metrics"),
                      ("get", "/v1/stats"), ("post", "/v1/import/events"), ("put", "/v1/placements/{placement}")):
            self.assertIn(route, refused)

    def test_a_public_key_is_for_its_pages_only(self):
        path = "/v1/placements/home/products"
        for origin, status in (("https://shop.example", 200), ("https://evil.example", 403), ("null", 403)):
            self.assertEqual(self.status("get", path, self.public["key"], {"Origin": origin}), status, origin)

    def test_a_guessed_person_looks_like_one_who_is_not_there(self):
        key = self.public["key"]
        self.assertEqual(self.status("get", "/v1/users/u1", key), self.status("get", "/v1/users/nobody", key))

    def test_a_public_key_neither_sees_nor_takes_nor_holds_the_coupons_of_others(self):
        key, cart = self.public["key"], {"lines": [{"product_id": "p00-01", "quantity": 1, "unit_price": "5.00"}],
                                         "currency": "EUR"}
        for body in ({"user_id": "u1"}, {"user_id": "u1", "user_token": "made.up"}, {"user_id": "nobody"}):
            for act, more in (("qualify", cart), ("validate", cart), ("claim", {"offer": "any"})):
                self.assertEqual(self.status("post", f"/v1/coupons/{act}", key, body={**body, **more}), 403, (act, body))
        self.assertEqual(self.status("post", "/v1/coupons/qualify", key, body=cart), 200, "nobody's cart has its price")
        held = {**cart, "hold_seconds": 60, "order_ref": "o-1"}
        self.assertEqual(self.status("post", "/v1/coupons/validate", key, body=held), 403)

    def test_codes_of_coupons_are_not_to_be_guessed(self):
        key = self.keys["admin"]["key"]

        def tries(user, code):
            cart = {"lines": [{"product_id": "p00-01", "unit_price": "5.00"}], "currency": "EUR", "user_id": user}
            return self.status("post", "/v1/coupons/validate", key, body={**cart, "coupons": [code]})

        self.assertEqual({tries("eve", f"GUESS-{number}") for number in range(20)}, {200})
        self.assertEqual(tries("eve", "GUESS-20"), 429)
        self.assertEqual(tries("mallory", "GUESS-20"), 200, "others go on")

    def calls_under(self, *beginnings):
        calls = [call for call in self.calls if call[1].startswith(beginnings)]
        for beginning in beginnings:
            self.assertTrue(any(call[1].startswith(beginning) for call in calls), beginning)
        return calls

    def reached(self, key, calls):
        """Of these routes, those that let the key pass."""
        answers = {(method, path): self.status(method, call_of(path), key, body={} if method != "get" else None)
                   for method, path, _ in calls}
        self.assertNotIn(401, answers.values())
        return {route for route, status in answers.items() if status != 403}

    def test_coupons_segments_audiences_and_webhooks_are_for_marketing_alone(self):
        calls = self.calls_under("/v1/campaigns", "/v1/offers", "/v1/grants", "/v1/redemptions", "/v1/reservations",
                                 "/v1/segments", "/v1/audiences", "/v1/webhooks")
        self.assertGreater(len(calls), 30)
        everything = {(method, path) for method, path, _ in calls}
        for scope in SCOPES:
            may = scope in ("marketing", "admin")
            self.assertEqual(self.reached(self.keys[scope]["key"], calls), everything if may else set(), scope)
        self.assertEqual(self.reached(self.public["key"], calls), set())

    def test_marketing_does_not_reach_what_is_known_of_a_person(self):
        everything = self.calls_under("/v1/users", "/v1/visitors", "/v1/erasures")
        # Points are money that marketing gives; they say nothing else of anybody.
        points = [call for call in everything if call[1].endswith("/points")]
        calls = [call for call in everything if call not in points]
        self.assertEqual(self.reached(self.keys["marketing"]["key"], points), {call[:2] for call in points})
        self.assertTrue(any("consents" in path for _, path, _ in calls))
        for scope in SCOPES:
            if scope not in ("privacy", "admin"):
                self.assertEqual(self.reached(self.keys[scope]["key"], calls), set(), scope)

    def test_a_secret_key_is_refused_in_a_url(self):
        self.assertEqual(self.status("get", f"/v1/products?key={self.keys['catalog']['key']}"), 401)

    def test_each_secret_scope_opens_its_own_and_no_more(self):
        opened = {scope: {route for route, status in self.statuses(self.keys[scope]["key"]).items() if status != 403}
                  for scope in SCOPES}
        for scope in SCOPES:
            self.assertNotIn(401, self.statuses(self.keys[scope]["key"]).values(), scope)
            self.assertLessEqual(opened[scope], opened["admin"], scope)
        others = [scope for scope in SCOPES if scope != "admin"]
        for scope in others:
            for other in others:
                if scope != other:
                    shared = opened[scope] & opened[other]
                    self.assertEqual(shared, set(), (scope, other))
            self.assertNotIn(("post", "/v1/keys"), opened[scope])

    def test_no_key_is_in_what_the_server_says(self):
        said = "".join(self.server.said)
        for made in [*self.keys.values(), self.public]:
            self.assertNotIn(made["key"].rsplit("_", 1)[1], said)
        text = self.server.request("GET", "/metrics", headers={"Authorization": f"Bearer {self.keys['admin']['key']}"})[2]
        self.assertNotIn(self.public["id"], text)


if __name__ == "__main__":
    unittest.main()
