#!/usr/bin/env python3
"""Under a public key anybody may say who they are: it reveals nothing and harms nobody, until the shop vouches for it."""

import hashlib
import hmac
import pathlib
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
import shop  # noqa: E402
import vitrine  # noqa: E402

LIKED = shop.product_id(3, 1)  # what the victim looked at
BOUGHT = shop.product_id(4, 2)

# As docs/tracking.md has them.
NODE = """
const crypto = require("crypto");
const [secret, userId, expires] = process.argv.slice(1);
console.log(`${expires}.${crypto.createHmac("sha256", secret).update(`${expires}:${userId}`).digest("hex")}`);
"""


def token_of(secret, user_id, expires=None):
    expires = int(time.time()) + 3600 if expires is None else expires
    signature = hmac.new(secret.encode(), f"{expires}:{user_id}".encode(), hashlib.sha256).hexdigest()
    return f"{expires}.{signature}"


class ClaimsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        folder = pathlib.Path(cls.folder.name)
        cls.data = folder / "data"
        shop.make(cls.data, folder, users=100)
        cls.page = cls.make_key("--scopes", "collect,recommend")
        cls.backend = cls.make_key("--scopes", "collect,recommend", "--secret")
        cls.admin = cls.make_key("--scopes", "admin")
        cls.server = vitrine.Server(cls.data, open_to_all=False).start()

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()
        cls.folder.cleanup()

    @classmethod
    def make_key(cls, *arguments):
        return vitrine.run_json("keys", "create", "--data", cls.data, *arguments)

    def ask(self, key, method, path, body=None):
        status, _, answer = self.server.request(method, path, body, {"Authorization": f"Bearer {key['key']}"})
        return status, answer

    def ok(self, *arguments):
        status, answer = self.ask(*arguments)
        self.assertEqual(status, 200, answer)
        return answer

    def send(self, key, *events, **around):
        answer = self.ok(key, "POST", "/v1/events", {"events": list(events), **around})
        self.assertEqual(answer["rejected"], [])

    def recommend(self, key, **request):
        return self.ok(key, "POST", "/v1/recommendations", {"placement": "home", "limit": 8, "explore": False, **request})

    def named(self, answer):
        return {product["reason"].get("product_id") for product in answer["products"]} - {None}

    def shown(self, answer):
        return [(product["product_id"], product["source"]) for product in answer["products"]]

    def user(self, name):
        return self.ask(self.admin, "GET", f"/v1/users/{name}")

    def make_victim(self, name):
        """A known user with a history, on a browser of their own."""
        browser = f"{name}-browser"
        self.send(self.backend, {"type": "click", "visitor_id": browser, "user_id": name, "product_id": LIKED},
                  {"type": "identify", "user_id": name, "properties": {"traits": {"plan": "gold"}}},
                  {"type": "purchase", "user_id": name, "product_id": BOUGHT, "order_id": f"{name}-order", "quantity": 1})
        self.assertTrue({LIKED, BOUGHT} & self.named(self.recommend(self.backend, user_id=name)))
        return self.user(name)[1]

    def test_naming_a_victim_reveals_nothing(self):
        self.make_victim("vera")
        stranger = self.recommend(self.page, visitor_id="never-seen")
        for who in ({"user_id": "vera"}, {"user_id": "vera", "visitor_id": "attacker"}, {"user_id": "nobody-at-all"}):
            answer = self.recommend(self.page, **who)
            self.assertFalse(answer["personalized"])
            self.assertEqual(answer["user_token"], "missing")
            self.assertEqual(self.shown(answer), self.shown(stranger))
        simple = self.ok(self.page, "GET", "/v1/placements/home/products?user_id=vera&limit=8&explore=false")
        self.assertEqual(self.shown(simple), self.shown(stranger))
        page = self.ok(self.page, "POST", "/v1/pages", {"user_id": "vera", "placements": [{"placement": "home"}]})
        self.assertFalse(page["placements"][0]["personalized"])
        ranking = self.ok(self.page, "POST", "/v1/rankings", {"user_id": "vera", "products": [LIKED, BOUGHT]})
        self.assertFalse(ranking["personalized"])
        self.assertEqual(self.ask(self.page, "GET", "/v1/users/vera")[0], 403)

    def test_forged_identify_merge_and_alias_reveal_nothing_and_do_no_harm(self):
        before = self.make_victim("viktor")
        forged = [("/v1/identify", {"traits": {"plan": "stolen"}}), ("/v1/alias", {"previousId": "viktor"}),
                  ("/v1/alias", {"userId": "attacker", "previousId": "viktor"}),
                  ("/v1/track", {"event": "Product Viewed", "properties": {"product_id": shop.product_id(6, 6)}}),
                  ("/v1/track", {"event": "Order Cancelled", "properties": {"order_id": "viktor-order"}})]
        for path, message in forged:
            for ids in ({"anonymousId": "thief", "userId": "viktor"}, {"userId": "viktor"}):
                self.ok(self.page, "POST", path, {**ids, **message})
        self.send(self.page, {"type": "login", "visitor_id": "thief", "user_id": "viktor"},
                  {"type": "cancel", "order_id": "viktor-order"},
                  {"type": "not_interested", "user_id": "viktor", "product_id": LIKED})
        self.assertEqual(self.user("viktor")[1], before)
        for who in ({"visitor_id": "thief"}, {"visitor_id": "thief", "user_id": "viktor"}):
            self.assertTrue(self.named(self.recommend(self.page, **who)).isdisjoint({LIKED, BOUGHT}))
        # Nor does the victim's browser become the attacker's.
        self.send(self.page, {"type": "login", "visitor_id": "viktor-browser", "user_id": "attacker"})
        self.assertTrue(self.named(self.recommend(self.page, visitor_id="viktor-browser", user_id="attacker"))
                        .isdisjoint({LIKED, BOUGHT}))
        self.assertEqual(self.user("attacker")[0], 404, "a claim makes no user")
        self.assertTrue({LIKED, BOUGHT} & self.named(self.recommend(self.backend, user_id="viktor")))

    def test_the_right_token_opens_the_history_and_no_other(self):
        self.make_victim("vally")
        secret = self.page["identity_secret"]
        good = token_of(secret, "vally")
        answer = self.recommend(self.page, user_id="vally", user_token=good)
        self.assertEqual((answer["user_token"], answer["personalized"]), ("valid", True))
        self.assertTrue({LIKED, BOUGHT} & self.named(answer))
        simple = self.ok(self.page, "GET", f"/v1/placements/home/products?user_id=vally&user_token={good}")
        self.assertTrue(simple["personalized"])
        wrong = {"expired": token_of(secret, "vally", int(time.time()) - 1), "of another user": token_of(secret, "mallory"),
                 "tampered": good[:-1] + ("0" if good[-1] != "0" else "1"), "of another secret": token_of("x", "vally"),
                 "later": f"{int(good.split('.')[0]) + 9}.{good.split('.')[1]}", "no token": "vally"}
        for what, token in wrong.items():
            answer = self.recommend(self.page, user_id="vally", user_token=token)
            self.assertEqual(answer["user_token"], "expired" if what == "expired" else "invalid", what)
            self.assertFalse(answer["personalized"], what)
            self.assertTrue(self.named(answer).isdisjoint({LIKED, BOUGHT}), what)

    def test_a_secret_is_renewed_without_a_gap(self):
        self.make_victim("vito")
        key = self.make_key("--scopes", "recommend")
        state = lambda secret: self.recommend(key, user_id="vito", user_token=token_of(secret, "vito"))["user_token"]  # noqa: E731
        first = key["identity_secret"]
        second = vitrine.run("keys", "renew-identity", key["id"], "--data", self.data).stdout.strip()
        self.assertEqual((state(first), state(second)), ("valid", "valid"))
        status, third = self.ask(self.admin, "POST", f"/v1/keys/{key['id']}/identity-secrets")
        self.assertEqual(status, 201)
        self.assertEqual([state(each) for each in (first, second, third["identity_secret"])],
                         ["invalid", "valid", "valid"])
        status, answer = self.ask(self.admin, "POST", f"/v1/keys/{self.backend['id']}/identity-secrets")
        self.assertEqual(status, 422, answer)
        self.assertNotIn("identity_secret", self.backend)
        self.assertNotIn("identity_secret", str(self.ask(self.admin, "GET", "/v1/keys")[1]))

    @unittest.skipUnless(shutil.which("node"), "skipped: there is no node")
    def test_the_documented_node_code_makes_the_same_token(self):
        made = subprocess.run(["node", "-e", NODE, "vis_1", "ann", "1795003600"], capture_output=True, text=True, check=True)
        self.assertEqual(made.stdout.strip(), token_of("vis_1", "ann", 1795003600))

    def test_an_unverified_login_keeps_its_past_and_moves_it_once_the_backend_agrees(self):
        self.send(self.page, {"type": "click", "visitor_id": "ida-browser", "product_id": LIKED},
                  {"type": "login", "visitor_id": "ida-browser", "user_id": "ida"},
                  {"type": "click", "visitor_id": "ida-browser", "user_id": "ida", "product_id": BOUGHT})
        own = self.recommend(self.page, visitor_id="ida-browser", user_id="ida")
        self.assertTrue(own["personalized"], "its own events count")
        self.assertTrue({LIKED, BOUGHT} & self.named(own))
        self.assertEqual(self.user("ida")[0], 404)

        self.send(self.backend, {"type": "login", "visitor_id": "ida-browser", "user_id": "ida"},
                  {"type": "click", "user_id": "ida", "product_id": shop.product_id(5, 5)})
        status, ida = self.user("ida")
        self.assertEqual((status, ida["visitors"]), (200, ["ida-browser"]))
        self.assertEqual({event["product_id"] for event in ida["recent"]}, {LIKED, BOUGHT, shop.product_id(5, 5)})
        own = self.recommend(self.page, visitor_id="ida-browser", user_id="ida")
        self.assertTrue(own["personalized"])
        self.assertNotIn(shop.product_id(5, 5), self.named(own), "that was not done here")
        self.send(self.page, {"type": "click", "visitor_id": "ida-browser", "user_id": "ida", "product_id": LIKED})
        self.assertEqual(self.user("ida")[1]["computed"]["events_count"], 6, "the browser is known as hers")

    def test_a_token_vouches_for_events_too(self):
        token = token_of(self.page["identity_secret"], "tom")
        self.send(self.page, {"type": "click", "visitor_id": "tom-browser", "user_id": "tom", "product_id": LIKED},
                  user_token=token)
        self.ok(self.page, "POST", "/v1/track", {"anonymousId": "tom-phone", "userId": "tom", "event": "Product Viewed",
                                                 "context": {"user_token": token}, "properties": {"product_id": BOUGHT}})
        tom = self.user("tom")[1]
        self.assertEqual(sorted(tom["visitors"]), ["tom-browser", "tom-phone"])
        out = self.data / "events.ndjson"
        vitrine.run("export", "--data", self.data, "--what", "events", "--format", "ndjson", "--out", out)
        self.assertNotIn(token, out.read_text(), "it is not kept")

    def test_a_second_login_on_one_device_starts_anew(self):
        for key, suffix in ((self.backend, "secret"), (self.page, "public")):
            visitor = f"shared-{suffix}"
            self.send(key, {"type": "click", "visitor_id": visitor, "user_id": f"ann-{suffix}", "product_id": LIKED},
                      {"type": "click", "visitor_id": visitor, "user_id": f"ann-{suffix}", "product_id": BOUGHT},
                      {"type": "login", "visitor_id": visitor, "user_id": f"bob-{suffix}"})
            for reader in (self.backend, self.page):
                answer = self.recommend(reader, visitor_id=visitor, user_id=f"bob-{suffix}")
                self.assertFalse(answer["personalized"], (suffix, "Ann's session is not Bob's"))
            self.send(key, {"type": "click", "visitor_id": visitor, "user_id": f"bob-{suffix}",
                            "product_id": shop.product_id(5, 5)})
            answer = self.recommend(self.page, visitor_id=visitor, user_id=f"bob-{suffix}")
            self.assertEqual(self.named(answer), {shop.product_id(5, 5)})

    def test_logins_side_by_side_leave_every_visitor_with_one_user(self):
        users, visitors = [f"crowd-{n}" for n in range(4)], [f"crowd-visitor-{n}" for n in range(12)]

        def log_in(shift):
            for n, visitor in enumerate(visitors):
                self.send(self.backend, {"type": "view", "visitor_id": visitor, "product_id": LIKED},
                          {"type": "login", "visitor_id": visitor, "user_id": users[(n + shift) % len(users)]})
        threads = [threading.Thread(target=log_in, args=(shift,)) for shift in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        known = [self.user(user)[1] for user in users]
        self.assertEqual(sorted(visitor for user in known for visitor in user["visitors"]), sorted(visitors))
        self.assertEqual(sum(user["computed"]["events_count"] for user in known), 4 * 2 * len(visitors), "each event once")

    def test_an_order_from_the_page_and_the_backend_is_one_order(self):
        lines = [{"product_id": BOUGHT, "price": 12.5, "quantity": 1}]
        order = {"event": "Order Completed", "anonymousId": "olga-browser", "userId": "olga",
                 "properties": {"order_id": "olga-1", "products": lines}}
        self.ok(self.page, "POST", "/v1/track", {**order, "messageId": "from-the-page"})
        self.ok(self.backend, "POST", "/v1/track", {**order, "messageId": "from-the-backend"})
        olga = self.user("olga")[1]
        self.assertEqual((olga["computed"]["orders_count"], olga["computed"]["products_bought"]), (1, 1))
        # Taken back by its id alone.
        self.ok(self.backend, "POST", "/v1/track", {"event": "Order Refunded", "anonymousId": "the-shop",
                                                    "properties": {"order_id": "olga-1"}})
        _, why = self.ask(self.admin, "POST", "/v1/recommendations/why-not",
                          {"placement": "home", "user_id": "olga", "product_id": BOUGHT})
        self.assertNotEqual(why["stage"], "purchased")

    def test_a_page_cannot_take_the_event_ids_of_the_backend(self):
        event = {"event_id": "e-1", "type": "click", "visitor_id": "x", "product_id": LIKED}
        self.send(self.page, event)
        answer = self.ok(self.backend, "POST", "/v1/events", {"events": [event]})
        self.assertEqual((answer["accepted"], answer["duplicates"]), (1, 0))


if __name__ == "__main__":
    unittest.main()
