"""A person whom a shop knows well, for tests of what the person may ask for."""

import base64
import json
import pathlib
import tempfile
import unittest

import shop
import vitrine

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


class PersonTest(unittest.TestCase):
    """A small shop on disk, and what is asked of its server in every such test."""

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

    def make_key(self, *arguments):
        return vitrine.run_json("keys", "create", "--data", self.data, *arguments)["key"]

    def check_sound(self, data):
        checks = vitrine.run_json("verify", "--data", data)
        self.assertTrue(checks["sound"], checks)
        outcomes = {check["name"]: check["outcome"] for check in checks["checks"]}
        self.assertEqual(outcomes["log"], "sound")
        self.assertEqual(outcomes["profiles"], "sound")
