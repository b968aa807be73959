#!/usr/bin/env python3
"""What stands between the world and the server: its logs, its headers, its readiness, settings that change while it
runs, and writes that are sent twice."""

import json
import pathlib
import signal
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
import vitrine  # noqa: E402

SECRETS = ("ann@shop.example", "visitor-of-ann", "vk_invented", "Very Private Cup")


class EdgeTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.path = pathlib.Path(self.folder.name)
        self.addCleanup(self.folder.cleanup)

    def settings(self, text):
        file = self.path / "vitrine.toml"
        file.write_text(text)
        return file

    def said(self, server, event):
        """The log's lines of an event, as objects."""
        lines = [json.loads(line) for line in server.said if line.startswith("{")]
        return [line for line in lines if line.get("event") == event]

    def test_logs_are_json_and_hold_no_person_no_key_and_no_product(self):
        keys = [vitrine.run_json("keys", "create", "--scopes", "admin", "--data", self.path / "data")]
        server = vitrine.Server(self.path / "data", "--log-format", "json", "--access-log-every", "1",
                                open_to_all=False)
        with server:
            headers = {"Authorization": f"Bearer {keys[0]['key']}"}
            asked = []
            for method, path, body in (
                    ("POST", "/v1/events", {"events": [{"type": "view", "user_id": SECRETS[0], "product_id": "p",
                                                        "visitor_id": SECRETS[1]}]}),
                    ("POST", "/v1/events", {"events": [{"type": "stare", "user_id": SECRETS[0]}]}),
                    ("GET", f"/v1/users/{SECRETS[0]}", None), ("GET", f"/{SECRETS[0]}", None),
                    ("PUT", "/v1/products/cup", {"title": SECRETS[3], "price": SECRETS[0]}),
                    ("GET", f"/v1/placements/home/products?user_id={SECRETS[0]}&key={SECRETS[2]}", None)):
                answer = server.request(method, path, body, headers)
                asked.append((answer[0], answer[1]["X-Request-Id"]))
            server.request("GET", "/v1/keys", headers={"Authorization": f"Bearer {SECRETS[2]}"})
            vitrine.wait_until(lambda: len(self.said(server, "request")) >= len(asked) + 1, 10, "the requests logged")
        text = "".join(server.said)
        for secret in (*SECRETS, keys[0]["key"], keys[0]["key"].rsplit("_", 1)[1]):
            self.assertNotIn(secret, text)
        for line in text.splitlines():
            if not line.startswith("vitrine ready"):
                self.assertIn("time", json.loads(line))
        logged = {line["request_id"]: line for line in self.said(server, "request")}
        for status, request_id in asked:
            self.assertEqual(logged[request_id]["status"], status)
        self.assertIn("/v1/users/{id}", {line["route"] for line in logged.values()})

    def test_nothing_is_logged_of_requests_unless_it_is_asked_for(self):
        with vitrine.Server(self.path / "data", "--log-format", "json") as server:
            server.get("/healthz")
        self.assertEqual(self.said(server, "request"), [])

    def test_settings_change_on_a_signal_and_a_wrong_file_changes_nothing(self):
        file = self.settings("access-log-every=1\n")
        server = vitrine.Server(self.path / "data", "--log-format", "json")
        server.arguments[1:1] = ["--config", str(file)]
        with server:
            def reload(text, event):
                count = len(self.said(server, event))
                self.settings(text)
                server.process.send_signal(signal.SIGHUP)
                vitrine.wait_until(lambda: len(self.said(server, event)) > count, 10, event)
                return self.said(server, event)[-1]

            server.get("/healthz")
            vitrine.wait_until(lambda: self.said(server, "request"), 10, "a request logged")
            for wrong in ("access-log-every=-1\n", "no-such-setting=1\n", "access-log-every=[\n"):
                self.assertTrue(reload(wrong, "settings_refused")["error"])
            count = len(self.said(server, "request"))
            server.get("/healthz")
            vitrine.wait_until(lambda: len(self.said(server, "request")) > count, 10, "still as before")
            reload("access-log-every=0\n", "settings_reloaded")
            count = len(self.said(server, "request"))
            for _ in range(5):
                server.get("/healthz")
        self.assertEqual(len(self.said(server, "request")), count)

    def test_every_answer_tells_browsers_neither_to_guess_nor_to_keep_it(self):
        with vitrine.Server(self.path / "data") as server:
            for method, path, body in (("GET", "/healthz", None), ("GET", "/nowhere", None), ("GET", "/metrics", None),
                                       ("POST", "/v1/events", 7), ("DELETE", "/healthz", None),
                                       ("GET", "/openapi.yaml", None)):
                _, headers, _ = server.request(method, path, body)
                self.assertEqual(headers["X-Content-Type-Options"], "nosniff", path)
                self.assertEqual(headers["Cache-Control"], "no-store", path)
                self.assertNotIn("Strict-Transport-Security", headers)  # without TLS it would lock people out
                self.assertNotIn("Server", headers)

    def test_readiness_names_what_is_wanting(self):
        with vitrine.Server(self.path / "data") as server:
            ready = server.get("/readyz")
        self.assertEqual(ready["status"], "ready")
        self.assertEqual([each["reason"] for each in ready["degraded"]], ["no_model"])
        full = vitrine.Server(self.path / "data", "--store-min-free", "1TiB")
        with full as server:
            self.assertIn("disk_full", [each["reason"] for each in server.get("/readyz")["degraded"]])

    def test_a_write_sent_again_after_a_kill_is_answered_as_before(self):
        server = vitrine.Server(self.path / "data").start()
        product = {"title": "Cup", "price": "1.00", "currency": "EUR"}
        key = {"Idempotency-Key": "order-7"}
        status, _, first = server.request("PUT", "/v1/products/cup", product, key)
        self.assertEqual(status, 201)
        server.kill()
        with vitrine.Server(self.path / "data") as server:
            status, headers, again = server.request("PUT", "/v1/products/cup", product, key)
            self.assertEqual((status, again, headers["Idempotent-Replayed"]), (201, first, "true"))
            self.assertEqual(server.request("PUT", "/v1/products/cup", {**product, "title": "Mug"}, key)[0], 409)
            self.assertEqual(server.get("/v1/products/cup")["version"], first["version"])


if __name__ == "__main__":
    unittest.main()
