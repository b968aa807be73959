#!/usr/bin/env python3
"""What a person may ask for and stay: to see everything, to have tags deleted, to be left alone, to take back a yes."""

import json
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
import shop  # noqa: E402
import vitrine  # noqa: E402
from person import EMAIL, USER, VISITOR, PersonTest, event  # noqa: E402


class RightsTest(PersonTest):
    def test_a_deleted_tag_is_gone_and_never_comes_back(self):
        def tags():
            status, _, answer = server.request("GET", f"/v1/users/{USER}/tags")
            self.assertEqual(status, 200, answer)
            return {tag["name"]: tag for tag in answer["tags"]}

        def identify(event_id, traits):
            server.send(event(event_id, "identify", user_id=USER, properties={"traits": traits}))

        with vitrine.Server(self.data) as server:
            self.live(server)
            identify("t1", {"plan": "gold"})
            self.assertEqual((tags()["user.traits.plan"]["value"], tags()["user.traits.plan"]["source"]),
                             ("gold", "shop"))
            self.assertTrue(tags()["user.traits.plan"]["updated_at"])
            self.assertTrue(any(tag["source"] == "events" and tag["rule"] for tag in tags().values()))
            self.assertEqual(server.request("DELETE", f"/v1/users/{USER}/tags/user.traits.plan")[0], 204)
            self.assertNotIn("user.traits.plan", tags())
            identify("t2", {"plan": "tin", "size": "M"})
            self.assertEqual(("user.traits.plan" in tags(), tags()["user.traits.size"]["value"]), (False, "M"))
            self.assertNotIn("plan", server.request("GET", f"/v1/users/{USER}")[2]["traits"])
            self.assertNotIn("plan", self.exported(server)["owners"]["profiles"][0]["traits"])
            for path, code in ((f"{USER}/tags/user.traits.plan", 404), ("nobody/tags/user.traits.plan", 404),
                               (f"{USER}/tags/user.events_count", 422)):
                status, _, answer = server.request("DELETE", f"/v1/users/{path}")
                self.assertEqual(status, code, answer)
        with vitrine.Server(self.data) as server:
            identify("t3", {"plan": "lead"})
            self.assertNotIn("user.traits.plan", tags())
        self.check_sound(self.data)

    def test_what_a_person_agreed_to_is_kept_obeyed_exported_and_forgotten(self):
        path = f"/v1/users/{USER}/consents"

        def say(purpose, granted, **more):
            body = {"purpose": purpose, "granted": granted, "source": "checkout", **more}
            status, _, answer = server.request("POST", path, body)
            self.assertEqual((status, answer.get("granted")), (200, granted), answer)

        def is_personalized():
            return server.request("GET", f"/v1/placements/home/products?user_id={USER}")[2]["personalized"]

        with vitrine.Server(self.data) as server:
            self.live(server)
            say("marketing", True, text_version="2026-10")
            say("personalization", False)
            self.assertFalse(is_personalized())
            say("marketing", False)
            say("personalization", True)
            self.assertTrue(is_personalized())
            server.request("PATCH", f"/v1/users/{USER}", {"personalize": False})
            self.assertFalse(is_personalized())
            answer = server.request("GET", path)[2]
            self.assertEqual([(one["purpose"], one["granted"], one["source"]) for one in answer["history"]],
                             [("marketing", True, "checkout"), ("personalization", False, "checkout"),
                              ("marketing", False, "checkout"), ("personalization", True, "checkout"),
                              ("personalization", False, "api")])
            self.assertEqual({one["purpose"]: one["granted"] for one in answer["current"]},
                             {"marketing": False, "personalization": False})
            for body, field in (({"purpose": "fun", "granted": True, "source": "x"}, "purpose"),
                                ({"purpose": "sharing", "source": "x"}, "granted"),
                                ({"purpose": "sharing", "granted": True}, "source")):
                status, _, refused = server.request("POST", path, body)
                self.assertEqual((status, refused["error"]["field"]), (400, field), refused)
        with vitrine.Server(self.data) as server:
            self.assertEqual(server.request("GET", path)[2], answer, "after a restart")
            self.assertEqual(len(self.exported(server)["owners"]["consents"]), 5)
            receipt = self.erase(server)
            self.assertEqual([owner["dropped"] for owner in receipt["owners"] if owner["owner"] == "consents"], [5])
            self.assertEqual(server.request("GET", path)[0], 404)
            status, _, refused = server.request("POST", path, {"purpose": "sharing", "granted": True, "source": "x"})
            self.assertEqual(status, 422, refused)
        self.check_sound(self.data)

    def answers(self, server, user):
        """What every path shows to the person."""
        listed = shop.product_id
        person = {"user_id": user}
        calls = [("GET", f"/v1/placements/home/products?user_id={user}&limit=8", None),
                 ("POST", "/v1/recommendations", {"placement": "home", "limit": 8, "session_id": f"s-{user}", **person}),
                 ("POST", "/v1/pages", {"placements": [{"placement": "home", "limit": 4},
                                                       {"placement": "email", "limit": 4}], **person}),
                 ("POST", "/v1/rankings", {"products": [listed(theme, 5) for theme in range(8)], **person})]
        found = []
        for method, path, body in calls:
            status, _, answer = server.request(method, path, body)
            self.assertEqual(status, 200, answer)
            lists = answer.get("placements", [answer])
            found.append([(part.get("personalized"), [shown["product_id"] for shown in part["products"]])
                          for part in lists])
        return found

    def test_a_refusal_holds_on_the_next_answer_of_every_path_and_after_restart_and_merge(self):
        with vitrine.Server(self.data) as server:
            for user, theme in (("carl", 1), ("dora", 6)):
                server.send(*[event(f"{user}-{n}", user_id=user, session_id=f"s-{user}",
                                    product_id=shop.product_id(theme, n)) for n in range(6)])
            self.assertNotEqual(self.answers(server, "carl"), self.answers(server, "dora"))
            for user in ("carl", "dora"):
                status, _, answer = server.request("PATCH", f"/v1/users/{user}", {"personalize": False})
                self.assertEqual((status, answer), (200, {"user_id": user, "personalize": False}))
            self.assertEqual(self.answers(server, "carl"), self.answers(server, "dora"))
            self.assertEqual(self.answers(server, "carl"), self.answers(server, "never-seen"))
            server.send(event("merge", user_id="carl", visitor_id="carls-phone", product_id=shop.product_id(1, 9)))
            _, _, answer = server.request("GET", "/v1/placements/home/products?visitor_id=carls-phone")
            self.assertFalse(answer["personalized"])
            _, _, bad = server.request("PATCH", "/v1/users/carl", {"personalize": "no"})
            self.assertEqual(bad["error"]["field"], "personalize")
        with vitrine.Server(self.data) as server:
            self.assertEqual(self.answers(server, "carl"), self.answers(server, "dora"))
            self.assertFalse(server.request("GET", "/v1/users/carl")[2]["personalize"])
            server.request("PATCH", "/v1/users/carl", {"personalize": True})
            self.assertNotEqual(self.answers(server, "carl"), self.answers(server, "dora"))


    def test_an_export_holds_what_every_owner_keeps_and_nothing_of_others(self):
        with vitrine.Server(self.data) as server:
            self.live(server)
            archive = self.exported(server)
            owners = archive["owners"]
            self.assertEqual({person.get("user_id") or person["visitor_id"] for person in owners["identity"]},
                             {USER, VISITOR})
            self.assertEqual(owners["profiles"][0]["traits"]["email"], EMAIL)
            self.assertEqual([(order["net_minor"], order["currency"]) for order in owners["profiles"][0]["orders"]],
                             [(900, "EUR")])
            self.assertIn("cart_add", {deed["type"] for deed in owners["profiles"][0]["deeds"]})
            self.assertEqual([entry["event_id"] for entry in owners["log"]],
                             ["a1", "a2", "a3", "a4", "a5", f"{USER}-a6"])
            self.assertEqual(owners["log"][5]["properties"], {"gift_to": EMAIL})
            self.assertEqual(len(owners["orders"]), 1)
            self.assertGreater(len(owners["decisions"][0]["products"]), 0)
            self.assertEqual([entry["code"] for entry in owners["quarantine"]], ["unknown_type"])
            self.assertNotIn("b1", json.dumps(archive))
            again = self.exported(server)
            self.assertEqual(again["owners"], owners, "the same for the same state")
            self.assertEqual(server.request("GET", "/v1/users/nobody/export")[0], 404)
            self.assertEqual(server.request("DELETE", "/v1/users/nobody")[0], 404)


if __name__ == "__main__":
    unittest.main(verbosity=2)
