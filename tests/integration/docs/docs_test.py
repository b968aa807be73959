#!/usr/bin/env python3
"""Every command in the documentation is run as written, against the real binary and the shop that ships."""

import gzip
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
import vitrine  # noqa: E402

SHOP = vitrine.ROOT / "examples/online_retail"
COUPONS = vitrine.ROOT / "tests/integration/cli/fixtures/complete_journey_coupons"
LINES = 60_000  # the first weeks of the shop's year: enough for a model
SERVED = "127.0.0.1:8080"  # what the documentation says; the test's server is on a free port


def commands(document):
    """The commands of every sh block, in order, with continued lines joined."""
    for block in re.findall(r"^```sh\n(.*?)^```", (vitrine.ROOT / document).read_text(), re.M | re.S):
        command = ""
        for line in block.splitlines():
            command += line + "\n"
            if is_whole(command):
                yield command.strip()
                command = ""


def is_whole(command):
    return subprocess.run(["bash", "-n"], input=command, text=True, capture_output=True).returncode == 0 \
        and not command.rstrip().endswith("\\")


class DocsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory()
        cls.folder = pathlib.Path(cls.temporary.name)
        with gzip.open(SHOP / "events.csv.gz", "rt") as year, gzip.open(cls.folder / "orders.csv.gz", "wt") as weeks:
            for number, line in zip(range(LINES), year):
                weeks.write(line)
        with gzip.open(SHOP / "items.csv.gz", "rb") as products:
            (cls.folder / "products.csv").write_bytes(products.read())
        shutil.copytree(COUPONS, cls.folder / "coupons")
        (cls.folder / ".curlrc").write_text("fail-with-body\n")
        binary = pathlib.Path(vitrine.BINARY).resolve()
        cls.environment = {**os.environ, "PATH": f"{binary.parent}:{os.environ['PATH']}", "CURL_HOME": str(cls.folder)}
        vitrine.run("import", "--data", cls.folder / "demo", "--products", cls.folder / "products.csv", "--events",
                    cls.folder / "orders.csv.gz", "--shift-time-to-now")
        vitrine.run("train", "--data", cls.folder / "demo", "--epochs", 3, "--promote")

    @classmethod
    def tearDownClass(cls):
        cls.temporary.cleanup()

    def run_all(self, document, data, prepare=lambda command: command):
        """Runs a document's commands; those before `vitrine serve` without a server, the others beside one."""
        ran = 0
        with vitrine.Server(data) as server:
            for command in commands(document):
                if command.startswith(("./run", "cmake", "vitrine serve")):
                    continue  # run by the build itself, and above
                command = prepare(command).replace(SERVED, f"127.0.0.1:{server.port}")
                done = subprocess.run(["bash", "-c", command], cwd=self.folder, env=self.environment,
                                      capture_output=True, text=True, timeout=120)
                self.assertEqual(done.returncode, 0, f"{document}: {command}\n{done.stdout}\n{done.stderr}")
                ran += 1
        return ran

    def test_the_api_answers_every_example(self):
        self.assertGreater(self.run_all("docs/api.md", self.folder / "demo"), 10)

    def test_tracking_answers_every_example(self):
        self.assertGreater(self.run_all("docs/tracking.md", self.folder / "demo"), 3)

    def test_webhooks(self):
        self.assertGreater(self.run_all("docs/webhooks.md", self.folder / "demo"), 7)

    def test_privacy(self):
        self.assertGreater(self.run_all("docs/privacy.md", self.folder / "demo"), 4)

    def test_expressions(self):
        self.assertGreater(self.run_all("docs/expressions.md", self.folder / "demo"), 3)

    def test_segments(self):
        self.assertGreater(self.run_all("docs/segments.md", self.folder / "demo"), 10)

    def test_coupons(self):
        self.assertGreater(self.run_all("docs/coupons.md", self.folder / "demo"), 5)

    def test_campaign_reports(self):
        self.assertGreater(self.run_all("docs/campaign_reports.md", self.folder / "demo"), 4)

    def test_the_readme_can_be_followed(self):
        self.assertGreater(self.run_all("README.md", self.folder / "shop",
                                        lambda command: command.replace("2011-10-01", "2010-12-20")), 4)

    def test_operations_can_be_followed(self):
        def prepare(command):
            keys = vitrine.run_json("keys", "list", "--data", self.folder / "demo")["keys"]
            return command.replace("KEY_ID", keys[0]["id"] if keys else "none").replace("DIR", "demo")

        self.assertGreater(self.run_all("docs/operations.md", self.folder / "demo", prepare), 2)


if __name__ == "__main__":
    unittest.main()
