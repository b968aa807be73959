#!/usr/bin/env python3
"""Requests that nobody thought of, made from openapi.yaml by schemathesis: none gets a 5xx or an answer outside the
contract, every operation of it is asked for, and the server stays well.

VITRINE_SCHEMATHESIS is a folder with what requirements.txt names, as `./run test` makes it; without it the test is
skipped, and says so. VITRINE_CONTRACT_SECONDS bounds the run (40).
"""

import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

import yaml

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
import shop  # noqa: E402
import vitrine  # noqa: E402

INSTALLED = pathlib.Path(os.environ.get("VITRINE_SCHEMATHESIS", "build/schemathesis"))
SECONDS = os.environ.get("VITRINE_CONTRACT_SECONDS", "40")
SKIPPED = 77  # what ctest takes for "not run"

CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"
# Twins of /v1/track and the like: one handler, which their namesakes show.
TWINS = r"^/(track|identify|page|screen|group|alias|batch|import|beacon/batch|[tipsgab])$|^/v1/[tipsgab]$"
WRITES_ANYWHERE = r"^/v1/backups$"  # makes folders where the request says
LEFT_OUT = f"{TWINS}|{WRITES_ANYWHERE}"


def stock(server):
    """What the contract's examples name, so that requests made from them reach more than a 404."""
    tiers = {"*": {"currency": "EUR", "tiers": [{"threshold": "100.00", "off": "20.00"}]}}
    offer = {"campaign": "spring", "effect": {"kind": "full_reduction"}, "amounts": tiers}
    cart = {"currency": "EUR", "user_id": "u1", "coupons": ["TWENTY"],
            "lines": [{"product_id": "p1", "unit_price": "60.00", "quantity": 2}]}
    for method, path, body in (
            ("PUT", "/v1/campaigns/spring", {"state": "active", "holdout": {"share": 0}}),
            ("PUT", "/v1/offers/twenty", {**offer, "code": "TWENTY"}),
            ("PUT", "/v1/offers/given", {**offer, "trigger": "granted"}),
            ("PUT", "/v1/offers/later", {**offer, "trigger": "granted", "paused": True}),
            ("POST", "/v1/grants", {"offer": "given", "user_ids": ["u1", "u2"]}),
            ("POST", "/v1/grants/jobs", {"offer": "later", "user_ids": ["u1"]}),
            ("POST", "/v1/coupons/validate", {**cart, "order_ref": "o-2", "hold_seconds": 600}),
            ("POST", "/v1/redemptions", {**cart, "order_id": "o-1"}),
            ("POST", "/v1/users/u1/points", {"points": 10, "reference": "hello"}),
            ("PUT", "/v1/segments/lapsed", {"expression": "user.orders_count > 0"}),
            ("PUT", "/v1/segments/hand-picked", {"kind": "static"}),
            ("PUT", "/v1/webhooks/crm", {"url": "https://crm.example.com/in", "active": False})):
        status, _, answer = server.request(method, path, body)
        assert status in (200, 201, 202), (method, path, status, answer)


def operations(contract):
    """All that the contract describes, as `METHOD /path`."""
    methods = ("get", "put", "post", "patch", "delete")
    return {f"{method.upper()} {path}" for path, calls in contract["paths"].items() for method in calls
            if method in methods}


def explore(port, contract, *arguments):
    """Exit status and report of a run against the server."""
    command = [sys.executable, "-m", "schemathesis.cli", "run", str(contract), "--url", f"http://127.0.0.1:{port}",
               "--checks", CHECKS, "--phases", "examples,coverage,fuzzing", "--max-examples", "20",
               "--generation-deterministic", "--no-shrink", "--continue-on-failure", "--warnings", "off",
               "--suppress-health-check", "all", "--no-color", *arguments]
    told = subprocess.run(command, capture_output=True, text=True, timeout=float(SECONDS) + 120,
                          cwd=contract.parent,  # it leaves a folder of its own
                          env={**os.environ, "PYTHONPATH": str(INSTALLED.resolve())})
    return told.returncode, told.stdout + told.stderr


class PropertyTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        folder = pathlib.Path(cls.folder.name)
        shop.make(folder / "data", folder, users=60)
        cls.server = vitrine.Server(folder / "data").start()
        stock(cls.server)
        cls.contract = folder / "openapi.yaml"
        cls.contract.write_text(cls.server.get("/openapi.yaml"), encoding="utf-8")

    @classmethod
    def tearDownClass(cls):
        status = cls.server.stop()
        cls.folder.cleanup()
        assert status == 0, f"the server ended with {status}"

    def test_no_request_leads_outside_the_contract(self):
        told = self.contract.with_name("run.json")
        status, report = explore(self.server.port, self.contract, "--exclude-path-regex", LEFT_OUT, "--max-time", SECONDS,
                                 "--report", "json", "--report-json-path", str(told))
        self.assertEqual(status, 0, report)
        self.assertRegex(report, r"Test cases:\n +\d{3,} generated", report)
        run = json.loads(told.read_text(encoding="utf-8"))
        asked = {operation for operation, phases in run["valid_rates"].items()
                 if sum(sum(answers.values()) for answers in phases.values()) > 0}
        described = operations(yaml.safe_load(self.contract.read_text(encoding="utf-8")))
        self.assertEqual({each for each in described if not re.search(LEFT_OUT, each.split()[1])} - asked, set(),
                         "never requested")
        failures = [line for line in self.server.said if "request_failed" in line or "threw" in line]
        self.assertEqual(failures, [])
        self.server.local.connection = None  # the one from before was idle too long on a busy machine
        self.assertEqual(self.server.get("/readyz")["status"], "ready")

    def test_an_answer_outside_the_contract_is_found(self):
        wrong = yaml.safe_load(self.contract.read_text(encoding="utf-8"))
        wrong["components"]["responses"]["Status"]["content"]["application/json"]["schema"] = {"type": "array"}
        contract = self.contract.with_name("wrong.yaml")
        contract.write_text(json.dumps(wrong), encoding="utf-8")
        status, report = explore(self.server.port, contract, "--include-path", "/healthz")
        self.assertEqual(status, 1, report)
        self.assertIn("violates schema", report)


if __name__ == "__main__":
    if not INSTALLED.is_dir():
        print(f"skipped: schemathesis is not in {INSTALLED}")
        sys.exit(SKIPPED)
    unittest.main()
