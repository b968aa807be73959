#!/usr/bin/env python3
"""What a person may ask for: to see everything, to be forgotten in every file, to be left alone."""

import base64
import json
import pathlib
import shutil
import sys
import tempfile
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
import shop  # noqa: E402
import vitrine  # noqa: E402

USER = "annabel-7Q5x2"
VISITOR = "cookie-93kd02mf"
EMAIL = "annabel.lee@seaside.example"
SESSION = "session-of-annabel-1"
SECRETS = [USER, VISITOR, EMAIL, SESSION]


def forms_of(text):
    """Every way in which a file may hold a text: raw, UTF-16, base64 at any offset."""
    raw = text.encode()
    forms = {raw, text.encode("utf-16-le"), text.encode("utf-16-be"), raw.hex().encode()}
    for skip in range(3):
        whole = raw[skip:]
        forms.add(base64.b64encode(whole[: len(whole) // 3 * 3]))
        forms.add(base64.urlsafe_b64encode(whole[: len(whole) // 3 * 3]))
    return forms


def found_in(folder, secrets=tuple(SECRETS)):
    """Which secret is in which file."""
    found = []
    for path in sorted(pathlib.Path(folder).rglob("*")):
        if not path.is_file():
            continue
        content = path.read_bytes()
        found += [(text, path.name) for text in secrets if any(form in content for form in forms_of(text))]
    return found


def event(event_id, kind="view", **fields):
    return {"event_id": event_id, "type": kind, **fields}


def journey():
    """Anonymous, then logged in: behaviour, an order, traits, a refusal by quarantine."""
    who = {"user_id": USER, "visitor_id": VISITOR, "session_id": SESSION}
    return [
        event("a1", visitor_id=VISITOR, session_id=SESSION, product_id=shop.product_id(2, 1)),
        event("a2", visitor_id=VISITOR, product_id=shop.product_id(2, 2)),
        event("a3", "identify", **who, properties={"traits": {"email": EMAIL, "user": USER}}),
        event("a4", "cart_add", **who, product_id=shop.product_id(2, 3)),
        event("a5", "search", **who, query=f"orders of {EMAIL}"),
        event(f"{USER}-a6", "purchase", **who, product_id=shop.product_id(2, 3), quantity=2, price="4.50",
              currency="EUR", order_id="A-1001", properties={"gift_to": EMAIL}),
        event("a7", "veiw", **who, product_id=shop.product_id(2, 4), properties={"email": EMAIL}),
        # What another person says of this one.
        event("b1", user_id="bob", product_id=shop.product_id(5, 1), properties={"invited_by": USER, "page": "/x"}),
    ]


class PrivacyTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.at = pathlib.Path(self.folder.name)
        self.data = self.at / "data"
        shop.write_files(self.at, users=40)
        vitrine.run("import", "--data", self.data, "--products", self.at / "products.csv",
                    "--events", self.at / "events.csv", "--shift-time-to-now")

    def tearDown(self):
        self.folder.cleanup()

    def live(self, server):
        status, _, answer = server.request("POST", "/v1/events", {"events": journey()})
        self.assertEqual((status, answer["accepted"], len(answer["rejected"])), (200, 7, 1))
        status, _, answer = server.request("GET", f"/v1/placements/home/products?user_id={USER}")
        self.assertEqual((status, answer["personalized"]), (200, True))
        vitrine.wait_until(lambda: len(self.exported(server)["owners"]["decisions"]) > 0, 10, "the decision is kept")

    def exported(self, server, user=USER):
        status, _, answer = server.request("GET", f"/v1/users/{user}/export")
        self.assertEqual(status, 200, answer)
        return answer

    def erase(self, server, user=USER):
        status, _, answer = server.request("DELETE", f"/v1/users/{user}")
        self.assertEqual(status, 200, answer)
        return answer

    def assert_gone(self, server):
        self.assertEqual(server.request("GET", f"/v1/users/{USER}")[0], 404)
        self.assertEqual(server.request("GET", f"/v1/users/{USER}/export")[0], 404)
        for query in (f"user_id={USER}", f"visitor_id={VISITOR}"):
            status, _, answer = server.request("GET", f"/v1/placements/home/products?{query}")
            self.assertEqual((status, answer["personalized"]), (200, False))

    def assert_late_events_are_refused(self, server):
        late = [event("late-1", user_id=USER, product_id=shop.product_id(2, 1)),
                event("late-2", visitor_id=VISITOR, product_id=shop.product_id(2, 1)),
                event("late-3", user_id=USER, visitor_id="another", product_id=shop.product_id(2, 1)),
                event("late-4", "veiw", user_id=USER, product_id=shop.product_id(2, 1)),
                event("late-5", user_id="bob", visitor_id=VISITOR, product_id=shop.product_id(2, 1))]
        status, _, answer = server.request("POST", "/v1/events", {"events": late})
        self.assertEqual(status, 200, answer)
        codes = {refused["index"]: refused["code"] for refused in answer["rejected"]}
        self.assertEqual(codes, {0: "erased", 1: "erased", 2: "erased", 3: "unknown_type"})
        status, _, answer = server.request("GET", "/v1/quarantine?limit=100")
        self.assertNotIn(USER, json.dumps(answer))

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

    def make_key(self, *arguments):
        return vitrine.run_json("keys", "create", "--data", self.data, *arguments)["key"]

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
                                        "rejected_imports", "segments", "webhooks", "kept_answers", "consents", "coupons"])
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

    def check_sound(self, data):
        checks = vitrine.run_json("verify", "--data", data)
        self.assertTrue(checks["sound"], checks)
        outcomes = {check["name"]: check["outcome"] for check in checks["checks"]}
        self.assertEqual(outcomes["log"], "sound")
        self.assertEqual(outcomes["profiles"], "sound")

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


if __name__ == "__main__":
    unittest.main(verbosity=2)
