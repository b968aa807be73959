#!/usr/bin/env python3
"""The audit log has every administrative act with who asked and how it ended, and no key and nobody's id."""

import json
import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
import vitrine  # noqa: E402


class AuditTest(unittest.TestCase):
    def test_acts_are_kept_with_their_end_across_restarts(self):
        with tempfile.TemporaryDirectory() as folder:
            data = pathlib.Path(folder) / "data"
            admin = vitrine.run_json("keys", "create", "--scopes", "admin", "--data", data)
            reader = vitrine.run_json("keys", "create", "--scopes", "recommend", "--data", data)
            with vitrine.Server(data, open_to_all=False) as server:
                def ask(method, path, body=None, key=admin):
                    return server.request(method, path, body, {"Authorization": f"Bearer {key['key']}"})
                self.assertEqual(ask("PUT", "/v1/placements/footer", {"sources": [{"source": "popular"}]})[0], 201)
                self.assertEqual(ask("PUT", "/v1/placements/footer", {"sources": 7})[0], 400)
                self.assertEqual(ask("PUT", "/v1/placements/footer", {}, key=reader)[0], 403)
                self.assertEqual(ask("GET", "/v1/placements/footer")[0], 200)
                status, headers, _ = ask("DELETE", f"/v1/keys/{reader['id']}")
                self.assertEqual(status, 204)
            text = (data / "audit.ndjson").read_text(encoding="utf-8")
            mode = (data / "audit.ndjson").stat().st_mode & 0o777
        acts = [json.loads(line) for line in text.splitlines()]
        told = [(act["actor"], act["method"], act["route"], act.get("object"), act["status"]) for act in acts]
        self.assertEqual(told, [
            ("command", "POST", "/v1/keys", None, 201), ("command", "POST", "/v1/keys", None, 201),
            (admin["id"], "PUT", "/v1/placements/{placement}", "footer", 201),
            (admin["id"], "PUT", "/v1/placements/{placement}", "footer", 400),
            (admin["id"], "DELETE", "/v1/keys/{id}", reader["id"], 204)])
        self.assertEqual(acts[-1]["request_id"], headers["X-Request-Id"])
        self.assertEqual(mode, 0o600)
        for made in (admin, reader):
            self.assertNotIn(made["key"].rsplit("_", 1)[1], text)


if __name__ == "__main__":
    unittest.main()
