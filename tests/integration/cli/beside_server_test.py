#!/usr/bin/env python3
"""Every command works beside a running server: those that write through its control socket."""

import json
import os
import pathlib
import socket
import stat
import tempfile
import unittest

import folder
import shop
import vitrine


class BesideServerTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        temporary = tempfile.TemporaryDirectory()
        cls.addClassCleanup(temporary.cleanup)
        cls.folder = pathlib.Path(temporary.name)
        cls.data = cls.folder / "data"
        cls.events = shop.make(cls.data, cls.folder, users=60)
        cls.server = vitrine.Server(cls.data, open_to_all=True).start()
        cls.addClassCleanup(cls.server.stop)

    def test_the_socket_is_the_owners_alone(self):
        mode = os.stat(self.data / "control.sock").st_mode
        self.assertTrue(stat.S_ISSOCK(mode))
        self.assertEqual(stat.S_IMODE(mode), 0o600)

    def test_an_import_goes_through_the_server_and_is_in_its_next_answer(self):
        events = self.folder / "more.csv"
        events.write_text("event_id,time,visitor_id,product_id,type\nm1,2026-01-01,walker,p03-01,view\n"
                          "m2,2026-01-01,walker,,view\n", encoding="utf-8")
        report = vitrine.run_json("import", "--data", self.data, "--events", events)["files"][0]
        self.assertEqual((report["accepted"], report["rejected"]), (1, 1))
        answer = self.server.get("/v1/placements/home/products?visitor_id=walker&limit=8")
        self.assertTrue(answer["personalized"])

    def test_recommend_asks_the_server(self):
        asked = vitrine.run_json("recommend", "--data", self.data, "--user", "u3", "--limit", 5)
        served = self.server.get("/v1/placements/home/products?user_id=u3&limit=5")
        self.assertEqual([product["product_id"] for product in asked["products"]],
                         [product["product_id"] for product in served["products"]])

    def test_reading_commands_read_beside_it(self):
        stats = vitrine.run_json("stats", "--data", self.data)
        self.assertGreaterEqual(stats["events"], self.events)
        out = self.folder / "all.ndjson"
        vitrine.run("export", "--data", self.data, "--out", out)
        self.assertGreaterEqual(len([json.loads(line) for line in open(out, encoding="utf-8")]), self.events)

    def test_a_model_trained_beside_it_serves_once_promoted(self):
        trained = vitrine.run_json("train", "--data", self.data, "--dims", 8, "--epochs", 2, "--seed", 9)
        version = trained["model_version"]
        promoted = vitrine.run_json("models", "promote", version, "--data", self.data)
        self.assertEqual(promoted["live_version"], version)
        self.assertEqual(self.server.get("/v1/placements/home/products?user_id=u1&limit=1")["model_version"], version)
        vitrine.run("models", "rollback", "--data", self.data)

    def test_a_second_server_on_the_folder_is_refused(self):
        second = vitrine.run("serve", "--data", self.data, "--listen", "127.0.0.1:0", check=False, timeout=60)
        self.assertEqual(second.returncode, 1)
        self.assertIn(str(self.data), second.stderr)
        self.assertEqual(self.server.request("GET", "/healthz")[0], 200)


class StoppingTest(folder.FolderTest):
    def test_sigterm_ends_it_cleanly_and_takes_the_socket_away(self):
        server = vitrine.Server(self.data).start()
        server.send({"event_id": "e1", "type": "view", "visitor_id": "v", "product_id": "p"})
        self.assertEqual(server.stop(), 0)
        self.assertFalse((self.data / "control.sock").exists())
        self.assertEqual(vitrine.run_json("stats", "--data", self.data)["events"], 1)

    def test_a_socket_left_behind_by_a_killed_server_is_in_nobodys_way(self):
        server = vitrine.Server(self.data).start()
        server.kill()
        self.assertTrue((self.data / "control.sock").exists())
        self.assertIn("no keys", vitrine.run("keys", "list", "--data", self.data).stdout)
        with vitrine.Server(self.data):
            connection = socket.socket(socket.AF_UNIX)
            connection.connect(str(self.data / "control.sock"))
            connection.close()


if __name__ == "__main__":
    unittest.main()
