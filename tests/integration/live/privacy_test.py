#!/usr/bin/env python3
"""Who is erased is gone from every file, whatever the shop knew of them and wherever it was written since."""

import json
import pathlib
import shutil
import sys
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
import shop  # noqa: E402
import vitrine  # noqa: E402
from person import EMAIL, SECRETS, USER, VISITOR, PersonTest, event, found_in  # noqa: E402


class PrivacyTest(PersonTest):
    def test_nothing_of_an_erased_person_is_in_any_file_with_restart_backup_and_restore_between(self):
        before, after, again = self.at / "before", self.at / "after", self.at / "again"
        (self.data / "rejected").mkdir(exist_ok=True)
        rejected = self.data / "rejected" / "events.csv.csv"
        rejected.write_text(f"line,reason,raw\n1,bad,\"{USER},p1\"\n2,bad,\"u7,p1\"\n")
        with vitrine.Server(self.data) as server:
            self.live(server)
            vitrine.run("backup", before, "--data", self.data)
            self.assertTrue(found_in(self.data), "the test finds what is there")
            receipt = self.erase(server)
            self.assertEqual(found_in(self.data), [], "while the server runs")
            self.assert_gone(server)
            self.assert_late_events_are_refused(server)
            self.assertEqual(self.erase(server), receipt, "asked again, it is the same")
            self.assertEqual(rejected.read_text(), "line,reason,raw\n2,bad,\"u7,p1\"\n")
        self.check_receipt(receipt)
        self.assertEqual(found_in(self.data), [], "after the end")
        self.check_sound(self.data)
        with vitrine.Server(self.data) as server:
            self.assert_gone(server)
            self.assert_late_events_are_refused(server)
            vitrine.run("backup", after, "--data", self.data)
        self.assertEqual(found_in(self.data), [], "after a restart")
        self.assertEqual(found_in(after), [], "in a backup made afterwards")
        vitrine.run("restore", after, "--data", again)
        with vitrine.Server(again) as server:
            self.assert_gone(server)
        self.assertEqual(found_in(again), [], "in what was restored from it")

    def put(self, server, path, body, key=None):
        status, _, answer = server.request("PUT", path, body, {"Idempotency-Key": key} if key else None)
        self.assertIn(status, (200, 201), (path, answer))
        return answer

    def deal_with(self, server):
        """Coupons given, claimed, held and spent; places in segments, and a webhook that cannot be reached."""
        self.put(server, "/v1/campaigns/spring", {"state": "active", "window": {"end": "2099-12-31",
                                                                               "time_zone": "Europe/Berlin"}})
        for offer, trigger in (("gift", "granted"), ("taken", "claimed"), ("welcome", "granted")):
            self.put(server, f"/v1/offers/{offer}", {
                "campaign": "spring", "trigger": trigger, "effect": {"kind": "percent", "percent_off": 10},
                "amounts": {"*": {"currency": "EUR", "max_discount": "8.00"}}})
        cart = {"currency": "EUR", "user_id": USER, "identifiers": [EMAIL],
                "lines": [{"product_id": shop.product_id(2, 1), "unit_price": "30.00"}]}
        given = []
        for offer in ("gift", "welcome"):
            status, _, answer = server.request("POST", "/v1/grants", {"offer": offer, "user_ids": [USER]},
                                               {"Idempotency-Key": f"give-{offer}"})
            self.assertEqual(status, 200, answer)
            given.append(answer["grants"][0]["grant"]["code"])
        self.assertEqual(server.request("POST", "/v1/coupons/claim", {"offer": "taken", "user_id": USER})[0], 201)
        server.post("/v1/redemptions", {**cart, "order_id": "C-1", "coupons": given[:1]})
        held = server.post("/v1/coupons/validate", {**cart, "order_ref": "C-2", "hold_seconds": 3600,
                                                    "coupons": given[1:]})
        self.assertIsNotNone(held["reservation"], held)
        self.put(server, "/v1/segments/vips", {"kind": "static"})
        self.put(server, "/v1/webhooks/crm", {"url": "http://127.0.0.1:9/"})  # nobody listens there
        vitrine.wait_until(lambda: server.get("/v1/webhooks/crm")["state"] == "live", 20, "the webhook follows")
        server.post("/v1/segments/vips/members", {"add": [USER]})
        vitrine.wait_until(lambda: len(self.exported(server)["owners"]["webhooks"]) > 0, 20, "it is to be told")
        server.post(f"/v1/users/{USER}/consents", {"purpose": "marketing", "granted": True,
                                                   "source": f"mail to {EMAIL}"})

    def test_nothing_is_left_of_what_the_shop_and_the_person_had_with_each_other(self):
        options = ("--webhook-allow-private", "--webhook-retry-ms", "50")
        backup, restored = self.at / "backup", self.at / "restored"
        with vitrine.Server(self.data, *options) as server:
            self.live(server)
            self.deal_with(server)
            owners = self.exported(server)["owners"]
            self.assertEqual([name for name, part in owners.items() if not part], ["rejected_imports"])
        with vitrine.Server(self.data, *options) as server:
            receipt = self.erase(server)
            dropped = {owner["owner"]: owner["dropped"] for owner in receipt["owners"]}
            for owner in ("segments", "webhooks", "kept_answers", "consents", "coupons"):
                self.assertGreater(dropped[owner], 0, owner)
            self.assertEqual(found_in(self.data), [], "while the server runs")
            self.assertEqual(server.get(f"/v1/grants?user_id={USER}")["grants"], [])
            self.assertEqual(server.get("/v1/redemptions/C-1")["state"], "applied", "what was paid stays")
            vitrine.run("backup", backup, "--data", self.data)
        self.assertEqual(found_in(self.data), [], "after the end")
        self.assertEqual(found_in(backup), [], "in a backup made afterwards")
        vitrine.run("restore", backup, "--data", restored)
        for _ in range(2):
            with vitrine.Server(restored, *options) as server:
                self.assert_gone(server)
            self.assertEqual(found_in(restored), [], "in what was restored from it")
        self.check_sound(restored)

    def test_a_page_does_not_learn_that_somebody_was_erased_and_cannot_bring_them_back(self):
        page, privacy = self.make_key("--scopes", "collect,recommend"), self.make_key("--scopes", "privacy")
        backend = self.make_key("--scopes", "collect", "--secret")

        def ask(key, method, path, body=None):
            return server.request(method, path, body, {"Authorization": f"Bearer {key}"})

        def send(key, *events):
            status, _, answer = ask(key, "POST", "/v1/events", {"events": list(events)})
            self.assertEqual(status, 200, answer)
            return answer["accepted"], answer["rejected"]

        with vitrine.Server(self.data, open_to_all=False) as server:
            send(backend, event("c1", user_id=USER, visitor_id=VISITOR, product_id=shop.product_id(2, 1)))
            send(page, event("c2", user_id=USER, visitor_id="claims-to-be", product_id=shop.product_id(2, 1)))
            status, _, receipt = ask(privacy, "DELETE", f"/v1/users/{USER}")
            self.assertEqual((status, receipt["ids"]), (200, 3), "who claims to be them goes along")
            asked = [event("c3", user_id=USER, product_id=shop.product_id(2, 1)),
                     event("c4", user_id=USER, visitor_id="claims-to-be", product_id=shop.product_id(2, 1)),
                     event("c5", user_id=USER, visitor_id="new", product_id=shop.product_id(2, 1)),
                     event("c6", user_id="never-seen", visitor_id="new-2", product_id=shop.product_id(2, 1))]
            self.assertEqual(send(page, *asked), (4, []), "all four look the same")
            self.assertEqual(ask(privacy, "GET", f"/v1/users/{USER}")[0], 404)
            self.assertEqual(ask(privacy, "DELETE", f"/v1/users/{USER}")[2], receipt)
        self.assertEqual(found_in(self.data, (USER, VISITOR, "claims-to-be")), [])

    def test_nobody_else_may_ask(self):
        others = [self.make_key("--scopes", scope) for scope in ("collect,recommend", "catalog,marketing,models")]
        with vitrine.Server(self.data, open_to_all=False) as server:
            for key in others:
                for method, path, body in (("GET", "/v1/users/u1/export", None), ("DELETE", "/v1/users/u1", None),
                                           ("PATCH", "/v1/users/u1", {"personalize": False}),
                                           ("GET", "/v1/erasures", None)):
                    answer = server.request(method, path, body, {"Authorization": f"Bearer {key}"})
                    self.assertEqual(answer[0], 403, (method, path, answer[2]))

    def test_the_command_erases_with_and_without_a_server_and_the_acts_are_in_the_audit_log(self):
        with vitrine.Server(self.data) as server:
            self.live(server)
            receipt = vitrine.run_json("erase", "--data", self.data, "--user", USER)
            self.check_receipt_of_log(receipt)
        self.assertIn("log", vitrine.run("erase", "--data", self.data, "--user", "u3").stdout)
        self.assertEqual(vitrine.run("erase", "--data", self.data, "--user", "u3x", check=False).returncode, 1)
        self.assertEqual(found_in(self.data), [])
        audit = [json.loads(line) for line in (self.data / "audit.ndjson").read_text().splitlines()]
        routes = {(act["method"], act["route"]) for act in audit}
        self.assertLessEqual({("POST", "/v1/erasures"), ("GET", "/v1/users/{id}/export")}, routes)
        self.assertNotIn(USER, json.dumps(audit))

    def check_receipt_of_log(self, receipt):
        self.assertIn("log", [owner["owner"] for owner in receipt["owners"]])

    def check_receipt(self, receipt):
        owners = {owner["owner"]: owner for owner in receipt["owners"]}
        self.assertEqual(list(owners), ["identity", "profiles", "log", "orders", "decisions", "quarantine",
                                        "rejected_imports", "segments", "webhooks", "kept_answers", "consents", "coupons",
                                        "coupon_decisions"])
        counts = {name: (owner["dropped"], owner["kept_without_person"]) for name, owner in owners.items()}
        self.assertEqual(counts["identity"], (2, 0))
        self.assertEqual(counts["profiles"], (1, 0))
        self.assertEqual(counts["log"], (5, 1), "behaviour goes, the order stays")
        self.assertEqual(counts["orders"], (0, 1))
        self.assertGreaterEqual(counts["decisions"][1], 1)
        self.assertEqual(counts["quarantine"], (1, 0))
        self.assertEqual(counts["rejected_imports"], (1, 0))
        self.assertEqual([text for text in SECRETS if text in json.dumps(receipt)], [])
        self.assertLessEqual(receipt["requested_at"], receipt["completed_at"])

    def test_a_restored_backup_forgets_again_whom_the_folder_forgot_since(self):
        backup, restored = self.at / "backup", self.at / "restored"
        with vitrine.Server(self.data) as server:
            self.live(server)
            vitrine.run("backup", backup, "--data", self.data)
            self.erase(server)
        self.assertTrue(found_in(backup), "a backup is what it was")
        vitrine.run("restore", backup, "--data", restored, "--erasures", self.data / "erasures.ndjson")
        with vitrine.Server(restored) as server:
            vitrine.wait_until(lambda: self.completed(server) == 1, 30, "the erasure is done anew")
            self.assert_gone(server)
            self.assertEqual(found_in(restored), [])
        self.assertEqual(found_in(restored), [])
        self.check_sound(restored)

    def completed(self, server):
        _, _, answer = server.request("GET", "/v1/erasures")
        return sum(erasure["completed_at"] is not None for erasure in answer["erasures"])

    def test_an_erasure_that_was_killed_is_finished_by_the_next_start(self):
        with vitrine.Server(self.data) as server:
            self.live(server)
        for round_number, wait in enumerate((0.0, 0.005, 0.02, 0.05, 0.1)):
            data = self.at / f"killed-{round_number}"
            shutil.copytree(self.data, data, ignore=shutil.ignore_patterns("control.sock"))
            server = vitrine.Server(data).start()
            asking = threading.Thread(target=self.ask_to_erase, args=(server,), daemon=True)
            asking.start()
            time.sleep(wait)
            server.kill()
            asking.join()
            with vitrine.Server(data) as server:
                _, _, answer = server.request("GET", "/v1/erasures")
                if not answer["erasures"]:  # killed before it was begun: nothing was promised
                    self.assertEqual(server.request("GET", f"/v1/users/{USER}")[0], 200)
                    self.erase(server)
                vitrine.wait_until(lambda: self.completed(server) == 1, 30, "the erasure is finished")
                self.assert_gone(server)
            self.assertEqual(found_in(data), [], f"killed after {wait} s")
            self.check_sound(data)

    @staticmethod
    def ask_to_erase(server):
        try:
            server.request("DELETE", f"/v1/users/{USER}")
        except OSError:
            pass
        except Exception:  # the server is killed while it answers
            pass

    def test_an_anonymous_visitor_is_shown_and_forgotten_and_a_users_visitor_only_with_the_user(self):
        anonymous = "cookie-of-nobody-55f"
        page = self.make_key("--scopes", "collect")
        admin = self.make_key("--scopes", "admin")

        def ask(method, path, body=None, key=admin):
            return server.request(method, path, body, {"Authorization": f"Bearer {key}"})

        with vitrine.Server(self.data, open_to_all=False) as server:
            own = [event(f"v{n}", visitor_id=anonymous, product_id=shop.product_id(3, n)) for n in range(3)]
            claim = event("v9", visitor_id=anonymous, user_id="u5", product_id=shop.product_id(3, 9))
            self.assertEqual(ask("POST", "/v1/events", {"events": own})[2]["accepted"], 3)
            self.assertEqual(ask("POST", "/v1/events", {"events": [claim]}, page)[2]["accepted"], 1)
            ask("POST", "/v1/events", {"events": [event("w1", visitor_id=VISITOR, user_id="u5",
                                                         product_id=shop.product_id(1, 1))]})
            before = ask("GET", "/v1/users/u5")[2]
            status, _, archive = ask("GET", f"/v1/visitors/{anonymous}/export")
            self.assertEqual((status, archive["visitor_id"]), (200, anonymous))
            self.assertEqual([entry["event_id"] for entry in archive["owners"]["log"]], ["v0", "v1", "v2", "v9"])
            for method, path in (("DELETE", f"/v1/visitors/{VISITOR}"), ("GET", f"/v1/visitors/{VISITOR}/export")):
                status, _, answer = ask(method, path)
                self.assertEqual(status, 422, answer)
                self.assertIn("belongs to a user", answer["error"]["message"])
            self.assertEqual(ask("DELETE", f"/v1/visitors/{anonymous}", key=page)[0], 403)
            self.assertEqual(ask("DELETE", "/v1/visitors/never-seen")[0], 404)
            status, _, receipt = ask("DELETE", f"/v1/visitors/{anonymous}")
            self.assertEqual((status, receipt["ids"]), (200, 1), receipt)
            self.assertEqual(found_in(self.data, (anonymous,)), [])
            self.assertEqual(ask("DELETE", f"/v1/visitors/{anonymous}")[2], receipt, "asked again")
            late = ask("POST", "/v1/events", {"events": [event("v8", visitor_id=anonymous,
                                                                product_id=shop.product_id(3, 1))]})[2]
            self.assertEqual([refused["code"] for refused in late["rejected"]], ["erased"])
            self.assertEqual(ask("GET", "/v1/users/u5")[2], before, "whom it claimed to be is as before")
        self.assertEqual(found_in(self.data, (anonymous,)), [], "after the end")
        self.check_sound(self.data)

    def test_many_people_are_forgotten_in_one_pass_with_one_receipt(self):
        with vitrine.Server(self.data) as server:
            self.live(server)
            people = {"user_ids": [USER, "u3", "u4"], "visitor_ids": []}
            status, _, answer = server.request("POST", "/v1/erasures", {**people, "user_ids": [USER, "not-there"]})
            self.assertEqual((status, server.request("GET", f"/v1/users/{USER}")[0]), (404, 200), answer)
            status, _, receipt = server.request("POST", "/v1/erasures", people)
            self.assertEqual((status, receipt["ids"]), (200, 4), receipt)
            for user in people["user_ids"]:
                self.assertEqual(server.request("GET", f"/v1/users/{user}")[0], 404)
                self.assertEqual(self.erase(server, user), receipt)
            self.assertEqual(server.request("GET", "/v1/users/u6")[0], 200)
            for body in ({}, {"user_ids": [f"x{n}" for n in range(101)]}, {"user_ids": "u1"}):
                status, _, answer = server.request("POST", "/v1/erasures", body)
                self.assertEqual((status, answer["error"]["field"]), (400, "user_ids"), answer)
        self.assertEqual(found_in(self.data), [])
        self.check_sound(self.data)

    def test_who_came_after_a_backup_and_was_erased_stays_refused_in_what_is_restored_from_it(self):
        backup, restored = self.at / "backup", self.at / "restored"
        with vitrine.Server(self.data) as server:
            vitrine.run("backup", backup, "--data", self.data)
            self.live(server)
            server.send(event("n1", visitor_id="nobodys-cookie", product_id=shop.product_id(2, 1)))
            self.erase(server)
            self.assertEqual(server.request("DELETE", "/v1/visitors/nobodys-cookie")[0], 200)
        vitrine.run("restore", backup, "--data", restored, "--erasures", self.data / "erasures.ndjson")
        for _ in range(2):
            with vitrine.Server(restored) as server:
                self.assert_late_events_are_refused(server)
                late = event("n2", visitor_id="nobodys-cookie", product_id=shop.product_id(2, 1))
                answer = server.request("POST", "/v1/events", {"events": [late]})[2]
                self.assertEqual([refused["code"] for refused in answer["rejected"]], ["erased"])
                self.assertEqual(server.request("GET", f"/v1/users/{USER}")[0], 404)
        self.assertEqual(found_in(restored), [])
        self.check_sound(restored)

    def test_an_order_stays_without_the_person_and_is_still_known(self):
        with vitrine.Server(self.data) as server:
            self.live(server)
            self.erase(server)
            # The shop sends it again, without the person: it is known.
            status, _, answer = server.request("POST", "/v1/events", {"events": [
                event(f"{USER}-a6", "purchase", session_id="s", product_id=shop.product_id(2, 3), quantity=2,
                      price="4.50", currency="EUR", order_id="A-1001")]})
            self.assertEqual((status, answer["duplicates"]), (200, 1))
        out = self.at / "events.ndjson"
        vitrine.run("export", "--data", self.data, "--what", "events", "--format", "ndjson", "--out", out)
        lines = [json.loads(line) for line in out.read_text().splitlines()]
        orders = [line for line in lines if line.get("order_id") == "A-1001"]
        self.assertEqual(len(orders), 1)
        self.assertEqual((orders[0]["quantity"], orders[0].get("user_id")), (2, None), orders[0])


if __name__ == "__main__":
    unittest.main(verbosity=2)
