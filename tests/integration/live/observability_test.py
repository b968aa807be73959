#!/usr/bin/env python3
"""The dashboard and the alerts that ship ask for metrics that the server has."""

import json
import pathlib
import re
import sys
import tempfile
import unittest

import yaml

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
import shop  # noqa: E402
import vitrine  # noqa: E402

DEPLOY = vitrine.ROOT / "deploy"
NAME = re.compile(r"vitrine_[a-z_]+")


def questions():
    """Every expression of the dashboard and of the alerts."""
    dashboard = json.loads((DEPLOY / "grafana.json").read_text(encoding="utf-8"))
    alerts = yaml.safe_load((DEPLOY / "alerts.yaml").read_text(encoding="utf-8"))
    return ([target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
            + [rule["expr"] for group in alerts["groups"] for rule in group["rules"]])


class ObservabilityTest(unittest.TestCase):
    def test_every_question_has_a_metric_with_its_labels(self):
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            shop.make(folder / "data", folder, users=60)
            with vitrine.Server(folder / "data") as server:
                server.get("/v1/placements/home/products?user_id=u1")
                server.send({"type": "view", "visitor_id": "v", "product_id": "p"}, {"type": "dance", "visitor_id": "v"})
                text = server.get("/metrics")
        there = {}
        for line in text.splitlines():
            found = re.match(r"(vitrine_[a-z_]+)(?:\{([^}]*)\})? ", line)
            if found:
                there.setdefault(found[1], set()).update(re.findall(r"([a-z]+)=", found[2] or ""))
        asked = questions()
        self.assertGreater(len(asked), 30)
        for expression in asked:
            if expression.startswith("up{"):
                continue  # Prometheus' own
            names = set(NAME.findall(expression))
            self.assertTrue(names, expression)
            self.assertEqual(names - set(there), set(), expression)
            labels = set().union(*(there[name] for name in names))
            for by in re.findall(r"by \(([^)]*)\)", expression):
                self.assertEqual({label.strip() for label in by.split(",")} - labels, set(), expression)

    def test_every_alert_is_explained(self):
        explained = (vitrine.ROOT / "docs/operations.md").read_text(encoding="utf-8")
        alerts = yaml.safe_load((DEPLOY / "alerts.yaml").read_text(encoding="utf-8"))
        missing = [rule["alert"] for group in alerts["groups"] for rule in group["rules"]
                   if f"| `{rule['alert']}` |" not in explained]
        self.assertEqual(missing, [])


if __name__ == "__main__":
    unittest.main()
