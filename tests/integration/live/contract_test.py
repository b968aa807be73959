#!/usr/bin/env python3
"""Every route of openapi.yaml is called on the real server; what it answers is what the contract says it answers."""

import json
import pathlib
import re
import sys
import tempfile
import unittest

import jsonschema
import yaml

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
import shop  # noqa: E402
import vitrine  # noqa: E402


class Contract:
    """The document of the running server."""

    def __init__(self, text):
        self.document = yaml.safe_load(text)
        self.called = set()

    def resolved(self, node):
        while "$ref" in node:
            steps = node["$ref"].removeprefix("#/").split("/")
            node = self.document
            for step in steps:
                node = node[step]
        return node

    def routes(self):
        methods = {"get", "put", "post", "patch", "delete"}
        return {(method.upper(), path) for path, calls in self.document["paths"].items() for method in calls
                if method in methods}

    def route_of(self, method, path):
        path = path.split("?")[0]
        fitting = [pattern for verb, pattern in self.routes() if verb == method
                   and re.fullmatch(re.sub(r"\{[a-z_]+\}", "[^/]+", pattern), path)]
        assert fitting, f"{method} {path} is not in the contract"
        return min(fitting, key=lambda pattern: pattern.count("{"))

    def check(self, method, path, status, body):
        route = self.route_of(method, path)
        responses = self.document["paths"][route][method.lower()]["responses"]
        assert str(status) in responses or (status >= 400 and "default" in responses), \
            f"{method} {path} answered {status}, documented are {', '.join(responses)}: {body}"
        if status < 400:
            self.called.add((method, route))
        response = self.resolved(responses.get(str(status), responses.get("default")))
        media = response.get("content", {}).get("application/json")
        if media is None:
            return
        # References within the schema are looked up from its own root.
        schema = {**media["schema"], "components": self.document["components"]}
        errors = list(jsonschema.Draft202012Validator(schema).iter_errors(body))
        told = [f"{'/'.join(map(str, error.absolute_path))}: {error.message[:300]}" for error in errors]
        assert not told, f"{method} {path} {status}: " + "; ".join(told)


class ContractTest(unittest.TestCase):
    def test_every_route_answers_as_documented(self):
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            shop.make(folder / "data", folder, users=60)
            first = self.models_of(folder)
            vitrine.run("train", "--data", folder / "data", "--dims", 8, "--epochs", 1, "--promote")
            with vitrine.Server(folder / "data") as server:
                self.server = server
                self.contract = Contract(server.get("/openapi.yaml"))
                self.operations()
                self.backups(folder)
                shown = self.recommendations()
                self.events(shown)
                self.tracking()
                self.placements()
                self.products()
                self.models(first)
                self.keys()
                self.expressions()
                self.segments()
                self.audiences()
                self.webhooks()
                self.coupons()
                self.refusals()
                self.privacy()
                self.assertEqual(self.contract.routes() - self.contract.called, set(), "never called with success")

    def models_of(self, folder):
        return vitrine.run_json("models", "list", "--data", folder / "data")["models"][0]["model_version"]

    def ask(self, method, path, body=None, status=200, **headers):
        found, _, answer = self.server.request(method, path, body, headers)
        self.assertEqual(found, status, (method, path, answer))
        self.contract.check(method, path, found, answer if answer != "" else None)
        return answer

    def operations(self):
        for path in ("/healthz", "/readyz", "/metrics", "/openapi.yaml", "/v1/stats"):
            self.ask("GET", path)

    def privacy(self):
        self.ask("PATCH", "/v1/users/u-contract", {"personalize": False})
        self.ask("GET", "/v1/users/u-contract/export")
        self.ask("POST", "/v1/events", {"events": [
            {"type": "identify", "user_id": "u-contract", "properties": {"traits": {"plan": "gold"}}},
            {"type": "view", "visitor_id": "v-anonymous", "product_id": shop.product_id(1, 2)}]})
        self.ask("GET", "/v1/users/u-contract/tags")
        self.ask("DELETE", "/v1/users/u-contract/tags/user.traits.plan", status=204)
        self.ask("POST", "/v1/users/u-contract/consents",
                 {"purpose": "marketing", "granted": True, "source": "checkout", "text_version": "3"})
        self.ask("GET", "/v1/users/u-contract/consents")
        self.ask("GET", "/v1/visitors/v-anonymous/export")
        self.ask("DELETE", "/v1/visitors/v-contract", status=422)
        receipts = [self.ask("DELETE", "/v1/users/u-contract"), self.ask("DELETE", "/v1/visitors/v-anonymous"),
                    self.ask("POST", "/v1/erasures", {"user_ids": ["u2", "u3"]})]
        self.assertEqual(self.ask("GET", "/v1/erasures")["erasures"], receipts)

    def backups(self, folder):
        self.ask("POST", "/v1/backups", {"folder": str(folder / "copy")}, status=201)
        self.ask("POST", "/v1/backups", {"folder": str(folder / "copy")}, status=422)

    def recommendations(self):
        product = shop.product_id(1, 2)
        answer = self.ask("POST", "/v1/recommendations", {
            "placement": "product_page", "user_id": "u1", "explain": True, "limit": 5,
            "context": {"product_id": product, "cart": [product]}, "fields": ["title", "categories", "price", "in_stock"],
            "filter": {"not_brands": ["acme"], "price_max": "90.00", "currency": "EUR"},
            "boost": [{"id": "theme", "when": {"categories": ["Theme 1"]}, "factor": 1.5}]})
        self.ask("POST", "/v1/recommendations", {"placement": "home", "limit": 200})  # declares its shortfall
        self.ask("GET", "/v1/placements/home/products?user_id=u1&limit=3&price_max=50&currency=EUR")
        page = self.ask("POST", "/v1/pages", {"user_id": "u1", "placements": [
            {"placement": "home", "limit": 6}, {"placement": "email", "limit": 6}]})
        shown = [p["product_id"] for part in page["placements"] for p in part["products"]]
        self.assertEqual(len(set(shown)), len(shown))
        ranking = self.ask("POST", "/v1/rankings", {"user_id": "u1", "explain": True,
                                                    "products": [product, "nobody-knows", shop.product_id(2, 2)]})
        self.assertEqual([p["product_id"] for p in ranking["products"]][-1], "nobody-knows")
        self.ask("POST", "/v1/recommendations/why-not", {"placement": "home", "user_id": "u1", "product_id": product})
        return answer

    def events(self, shown):
        product = shown["products"][0]["product_id"]
        about = {"visitor_id": "v-contract", "user_id": "u-contract", "product_id": product,
                 "recommendation_id": shown["recommendation_id"]}
        batch = {"events": [{**about, "type": "impression"}, {**about, "type": "click"},
                            {**about, "type": "purchase", "quantity": 2, "price": "3.00", "currency": "EUR",
                             "order_id": "o-contract"},
                            {"type": "dance", "visitor_id": "v"}]}
        self.ask("POST", "/v1/events", batch)
        self.ask("POST", "/v1/import/events?source=contract", {"events": [
            {"event_id": "i1", "type": "view", "visitor_id": "v", "product_id": product, "time": "2020-01-01"}]})
        refused = self.ask("GET", "/v1/quarantine?limit=5&code=unknown_type")
        self.ask("POST", f"/v1/quarantine/{refused['events'][0]['number']}/resubmit")
        self.ask("POST", "/v1/quarantine/resubmit?code=unknown_type&limit=2")
        self.ask("GET", "/v1/users/u-contract")
        results = self.ask("GET", "/v1/placements/product_page/results?by=day,source,position,model_version")
        self.assertEqual((results["totals"]["impressions"], results["totals"]["clicks"]), (1, 1))
        self.assertEqual(results["totals"]["revenue"], {"EUR": "6.00"})

    def tracking(self):
        viewed = {"anonymousId": "v-contract", "event": "Product Viewed", "properties": {"product_id": "p"}}
        for prefix in ("", "/v1"):
            for kind in ("track", "identify", "page", "screen", "group", "alias", "t", "i", "p", "s", "g", "a"):
                self.ask("POST", f"{prefix}/{kind}", viewed)
            for path in ("/batch", "/b", "/import"):
                self.ask("POST", prefix + path, {"batch": [{"type": "track", **viewed}, {"type": "track"}]})
            self.ask("GET", prefix + "/projects/any/settings")
        for path in ("/sourceConfig", "/sourceConfig/"):
            self.ask("GET", path + "?writeKey=any&v=3")
        for path in ("/beacon/v1/batch?writeKey=any", "/beacon/batch?writeKey=any"):
            self.ask("POST", path, {"batch": []})
        self.ask("POST", "/mp/collect?api_secret=any", {"client_id": "c", "events": []}, status=204)
        self.ask("POST", "/v1/batch", [], status=400)

    def placements(self):
        self.ask("GET", "/v1/placements")
        home = self.ask("GET", "/v1/placements/home")
        home["rules"] = [{"id": "pin", "kind": "pin", "when": {"products": [shop.product_id(0, 0)]}, "position": 2,
                          "valid_until": "2100-01-01T00:00:00Z"}]
        self.ask("PUT", "/v1/placements/home?validate_only=true", home)
        self.ask("PUT", "/v1/placements/home", home, **{"If-Match": f'"{home["version"]}"'})
        self.ask("PUT", "/v1/placements/footer", {"sources": [{"source": "popular"}]}, status=201)
        self.ask("DELETE", "/v1/placements/footer", status=204)
        self.ask("DELETE", "/v1/placements/home", status=204)

    def products(self):
        self.ask("POST", "/v1/products/batch", {"products": [{"product_id": "c-1", "title": "One"}, {"titel": "x"}]})
        self.ask("PUT", "/v1/products/c-2", {"title": "Two", "price": "1.00", "currency": "EUR"}, status=201)
        self.ask("PATCH", "/v1/products/c-2", {"in_stock": False})
        self.ask("GET", "/v1/products/c-2")
        self.ask("GET", "/v1/products?limit=3")
        self.ask("DELETE", "/v1/products/c-2", status=204)

    def models(self, first):
        self.ask("GET", "/v1/models")
        self.ask("POST", f"/v1/models/{first}/promote")
        self.ask("POST", "/v1/models/rollback")
        self.ask("POST", "/v1/models/refresh")

    def keys(self):
        key = self.ask("POST", "/v1/keys", {"name": "web", "scopes": ["recommend"], "currency": "EUR"}, status=201)
        self.ask("GET", "/v1/keys")
        self.ask("POST", f"/v1/keys/{key['id']}/identity-secrets", status=201)
        self.ask("DELETE", f"/v1/keys/{key['id']}", status=204)

    def expressions(self):
        self.ask("GET", "/v1/expressions/fields")
        self.ask("POST", "/v1/expressions/check", {"expression": "price < 50"})

        self.ask("GET", "/v1/expressions/fields?about=person")
        self.ask("POST", "/v1/expressions/check", {"expression": 'count("view", "7d") > 1', "about": "person"})

    def coupons(self):
        self.ask("PUT", "/v1/campaigns/spring", {"state": "active", "holdout": {"share": 0}, "budgets": [
            {"measure": "discount", "currency": "EUR", "value": "100.00"}]}, status=201)
        spring = self.ask("GET", "/v1/campaigns/spring")
        self.ask("GET", "/v1/campaigns/spring/report")
        self.ask("PUT", "/v1/campaigns/spring?validate_only=true", spring)
        self.ask("PUT", "/v1/campaigns/spring", spring, **{"If-Match": f'"{spring["version"]}"'})
        self.ask("PUT", "/v1/campaigns/spring", {"window": {"time_zone": "Mars"}}, status=400)
        tiers = {"*": {"currency": "EUR", "tiers": [{"threshold": "100.00", "off": "20.00"}]}}
        offer = {"campaign": "spring", "effect": {"kind": "full_reduction"}, "amounts": tiers}
        for name, more in [("twenty", {"code": "TWENTY"}), ("claim", {"trigger": "claimed"}), ("many", {}),
                           ("given", {"trigger": "granted"})]:
            self.ask("PUT", f"/v1/offers/{name}", {**offer, **more}, status=201)
        self.ask("PUT", "/v1/offers/twenty", self.ask("GET", "/v1/offers/twenty"))
        self.ask("GET", "/v1/campaigns")
        self.ask("GET", "/v1/offers")
        cart = {"currency": "EUR", "user_id": "u1", "lines": [{"product_id": "p1", "unit_price": "60.00", "quantity": 2}]}
        given = self.ask("POST", "/v1/grants", {"offer": "given", "user_ids": ["u1"]})["grants"][0]["grant"]
        self.ask("POST", "/v1/grants", {"offer": "many", "codes": 3})
        self.ask("POST", "/v1/coupons/claim", {"offer": "claim", "user_id": "u1"}, status=201)
        self.ask("POST", "/v1/coupons/claim", {"offer": "claim", "user_id": "u1"})
        self.ask("POST", "/v1/coupons/claim", {"offer": "claim"}, status=400)
        self.ask("GET", "/v1/grants?user_id=u1")
        self.ask("POST", "/v1/coupons/recommendations", {"user_id": "u1", "currency": "EUR", "explore": False})
        self.ask("POST", "/v1/coupons/recommendations", {"limit": 10}, status=400)
        self.ask("POST", "/v1/pages", {"placements": [{"placement": "home"}, {"placement": "coupons"}]})
        self.ask("PUT", "/v1/campaigns/later", {"window": {"start": "2027-06-01T00:00:00Z"}}, status=201)
        self.ask("GET", "/v1/campaigns/later")
        self.assertEqual(len(self.ask("POST", "/v1/coupons/qualify", cart)["coupons"]), 2)
        held = self.ask("POST", "/v1/coupons/validate",
                        {**cart, "coupons": ["TWENTY", "NONE"], "order_ref": "o-1", "hold_seconds": 60})
        self.assertIsNone(held["reservation"])
        held = self.ask("POST", "/v1/coupons/validate",
                        {**cart, "coupons": ["TWENTY"], "order_ref": "o-1", "hold_seconds": 60})
        self.ask("POST", f"/v1/reservations/{held['reservation']['reservation']}/release", {})
        self.ask("POST", "/v1/redemptions", {**cart, "order_id": "o-2", "coupons": [given["code"]]})
        self.ask("POST", "/v1/redemptions", {**cart, "order_id": "o-3", "coupons": [given["code"]]}, status=422)
        self.ask("POST", "/v1/redemptions/o-2/return", {"return_id": "r-1", "lines": [{"line_id": "1"}]})
        self.ask("GET", "/v1/redemptions/o-2")
        self.ask("GET", "/v1/redemptions/o-9", status=404)
        self.ask("POST", f"/v1/grants/{given['grant']}/revoke", {})
        self.ask("GET", "/v1/offers/given/results")
        # Its offer is paused, so it gives nothing and is not over until it is cancelled.
        self.ask("PUT", "/v1/offers/later", {**offer, "code": None, "trigger": "granted", "paused": True}, status=201)
        job = self.ask("POST", "/v1/grants/jobs", {"offer": "later", "user_ids": ["u1", "u2"]}, status=202)["job"]
        self.ask("GET", "/v1/grants/jobs")
        self.ask("GET", f"/v1/grants/jobs/{job}")
        for change in ("pause", "resume", "cancel"):
            self.ask("POST", f"/v1/grants/jobs/{job}/{change}", {})
        tried = self.ask("POST", "/v1/campaigns/spring/allocations?validate_only=true", {"round": "2"}, status=202)
        while tried["state"] == "working":
            tried = self.ask("GET", f"/v1/campaigns/spring/allocations/{tried['allocation']}")
        self.assertEqual((tried["state"], tried["jobs"]), ("done", []))
        self.ask("POST", "/v1/campaigns/spring/allocations", {"offers": ["twenty"]}, status=400)
        self.ask("POST", "/v1/import/grants", {"grants": [
            {"offer": "later", "user_id": "u1", "granted_at": "2026-01-01", "valid_until": "2026-02-01"}]})
        self.ask("POST", "/v1/import/redemptions", {"redemptions": [
            {"order_id": "o-old", "offer": "later", "user_id": "u1", "redeemed_at": "2026-01-02", "currency": "EUR",
             "discount": "1.00"}]})
        self.ask("POST", "/v1/users/u1/points", {"points": 10, "reference": "hello"})
        self.ask("GET", "/v1/users/u1/points")
        self.ask("PUT", "/v1/offers/gone", {**offer, "code": "GONE"}, status=201)
        self.ask("DELETE", "/v1/offers/gone", status=204)
        self.ask("PUT", "/v1/campaigns/gone", {}, status=201)
        self.ask("DELETE", "/v1/campaigns/gone", status=204)

    def segments(self):
        self.ask("PUT", "/v1/segments/active", {"expression": 'count("view", "7d") > 0', "name": "Active"}, status=201)
        active = self.ask("GET", "/v1/segments/active")
        self.ask("PUT", "/v1/segments/active?validate_only=true", active)
        self.ask("PUT", "/v1/segments/active", active, **{"If-Match": f'"{active["version"]}"'})
        self.ask("PUT", "/v1/segments/hand", {"kind": "static"}, status=201)
        self.assertEqual(self.ask("POST", "/v1/segments/hand/members", {"add": ["u1"], "remove": ["u2"]})["changed"], 1)
        self.assertEqual(self.ask("GET", "/v1/segments/hand/members")["members"], [{"user_id": "u1"}])
        self.ask("GET", "/v1/segments/active/overlap/hand")
        self.ask("GET", "/v1/segments")
        self.ask("POST", "/v1/segments/preview", {"expression": "user.orders_count > 0"})
        self.ask("GET", "/v1/users/u1")
        self.ask("GET", "/v1/analytics/rfm?compared_to=2020-01-01")
        self.ask("GET", "/v1/analytics/rfm/months?months=2")
        self.ask("GET", "/v1/analytics/cohorts?months=2")
        self.ask("DELETE", "/v1/segments/hand", status=204)
        self.ask("GET", "/v1/segments/hand", status=404)
        self.ask("PUT", "/v1/segments/x", {"expression": "user.order_count > 0"}, status=400)

    def audiences(self):
        seed = [f"seed-{number}" for number in range(60)]
        self.server.send(*[{"event_id": user, "type": "view", "user_id": user, "product_id": shop.product_id(1, 2)}
                           for user in seed])
        self.ask("PUT", "/v1/segments/seed", {"kind": "static"}, status=201)
        self.ask("POST", "/v1/segments/seed/members", {"add": seed})
        self.ask("GET", "/v1/segments/seed/lookalike", status=404)
        self.ask("POST", "/v1/segments/seed/lookalike", status=202)
        vitrine.wait_until(lambda: self.ask("GET", "/v1/segments/seed/lookalike")["state"] == "done", 60, "lookalike")
        self.assertEqual(len(self.ask("GET", "/v1/segments/seed/lookalike/members?limit=5")["members"]), 5)
        self.ask("POST", "/v1/segments/seed/lookalike/save", {"segment": "like-seed", "size": 10}, status=201)
        self.ask("POST", "/v1/audiences", {"product_id": shop.product_id(1, 2), "limit": 5})
        self.ask("POST", "/v1/audiences", {"category": "Nothing"}, status=422)

    def webhooks(self):
        body = {"url": "https://crm.example.com/in", "types": ["segment.left"], "segments": ["seed"], "active": False}
        self.assertIn("secret", self.ask("PUT", "/v1/webhooks/crm", body, status=201))
        crm = self.ask("GET", "/v1/webhooks/crm")
        self.ask("PUT", "/v1/webhooks/crm?validate_only=true", crm)
        self.ask("PUT", "/v1/webhooks/crm", crm, **{"If-Match": f'"{crm["version"]}"'})
        self.ask("GET", "/v1/webhooks")
        self.ask("POST", "/v1/webhooks/crm/secret")
        self.ask("PUT", "/v1/webhooks/own", {"url": "https://localhost:9/"}, status=201)
        self.assertFalse(self.ask("POST", "/v1/webhooks/own/ping")["delivered"])
        self.assertEqual(len(self.ask("GET", "/v1/webhooks/own/attempts")["attempts"]), 1)
        self.ask("GET", "/v1/webhooks/crm/deliveries?state=dead")
        self.ask("POST", "/v1/webhooks/crm/redeliver")
        self.ask("PUT", "/v1/webhooks/own", {"url": "https://10.0.0.1/"}, status=400)
        self.ask("DELETE", "/v1/webhooks/own", status=204)

    def refusals(self):
        self.ask("POST", "/v1/recommendations", {"placement": "home", "filter": "price <"}, status=400)
        self.ask("POST", "/v1/pages", {"placements": []}, status=400)
        self.ask("GET", "/v1/placements/nowhere", status=404)
        self.ask("DELETE", "/v1/placements/home", status=409, **{"If-Match": '"77"'})
        self.ask("GET", "/v1/products/c-2", status=404)

    def test_a_wrong_answer_is_noticed(self):
        document = (vitrine.ROOT / "server/http/openapi.yaml").read_text(encoding="utf-8")
        contract = Contract(document)
        good = {"error": {"code": "not_found", "message": "no", "request_id": "1"}}
        contract.check("GET", "/v1/placements", 404, good)
        with self.assertRaisesRegex(AssertionError, "code"):
            contract.check("GET", "/v1/placements", 404, json.loads(json.dumps(good).replace("not_found", "gone")))
        with self.assertRaisesRegex(AssertionError, "rows"):
            contract.check("GET", "/v1/placements/home/results", 200, {})


if __name__ == "__main__":
    unittest.main()
