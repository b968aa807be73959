#!/usr/bin/env python3
"""A backup taken from a server under load is restored as a sound folder; what is damaged or in the way is refused."""

import json
import shutil
import stat
import threading
import unittest

import folder
import shop
import vitrine


class BackupUnderLoadTest(folder.FolderTest):
    WRITERS = 3
    ENOUGH = 40  # calls each writer has answered before, and again after, the backup begins

    def test_it_holds_what_was_acknowledged_before_and_is_sound(self):
        shop.make(self.data, self.folder, users=60)
        backup, restored = self.folder / "backup", self.folder / "restored"
        with vitrine.Server(self.data, "--checkpoint-entries", "1000") as server:
            self.acknowledged, self.wrong, ending = [], [], threading.Event()
            writers = [threading.Thread(target=self.write, args=(server, number, ending))
                       for number in range(self.WRITERS)]
            for writer in writers:
                writer.start()
            self.wait_for_calls(self.ENOUGH)
            before = list(self.acknowledged)
            made = vitrine.run_json("backup", backup, "--data", self.data)
            self.wait_for_calls(len(self.acknowledged) + self.ENOUGH)
            ending.set()
            for writer in writers:
                writer.join()
            served = server.get("/v1/placements/home/products?user_id=u3&limit=5")

        self.assertEqual(self.wrong, [])
        told = vitrine.run_json("restore", backup, "--data", restored)
        self.assertEqual((told["log_entries"], told["files"]), (made["log_entries"], made["files"]))
        self.assertTrue(vitrine.run_json("verify", "--data", restored)["sound"])
        there = self.exported(restored)
        self.assertEqual(set(before) - set(there), set(), "acknowledged before the backup began")
        self.assertEqual(len(there), len(set(there)))
        with vitrine.Server(restored) as server:
            answer = server.get("/v1/placements/home/products?user_id=u3&limit=5")
            self.assertEqual(answer["model_version"], served["model_version"], "the models came along")
            server.send({"event_id": "after", "type": "view", "visitor_id": "v", "product_id": "p"})

    def wait_for_calls(self, count):
        vitrine.wait_until(lambda: len(self.acknowledged) >= 10 * count or self.wrong, 60, f"{count} calls")

    def write(self, server, number, ending):
        call = 0
        while not ending.is_set():
            ids = [f"w{number}-{call}-{i}" for i in range(10)]
            try:
                server.send(*[{"event_id": event_id, "type": "view", "visitor_id": f"v{number}",
                               "product_id": shop.product_id(call % 8, i)} for i, event_id in enumerate(ids)])
            except Exception as error:
                self.wrong.append(repr(error))
                return
            self.acknowledged.extend(ids)
            call += 1

    def exported(self, data):
        out = self.folder / "events.ndjson"
        vitrine.run("export", "--data", data, "--what", "events", "--format", "ndjson", "--out", out)
        return [json.loads(line)["event_id"] for line in open(out, encoding="utf-8")]


class BackupTest(folder.FolderTest):
    def setUp(self):
        super().setUp()
        self.backup = self.folder / "backup"
        with vitrine.Server(self.data) as server:
            server.send(*[{"event_id": f"e{i}", "type": "view", "visitor_id": "v", "product_id": f"p{i}"}
                          for i in range(300)])

    def make(self, target=None, **options):
        return vitrine.run("backup", target or self.backup, "--data", self.data, **options)

    def restore(self, **options):
        return vitrine.run("restore", self.backup, "--data", self.folder / "restored", **options)

    def assert_refused(self, done, *words):
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        for word in words:
            self.assertIn(word, done.stderr)

    def test_without_a_server_it_is_the_same_copy(self):
        self.make()
        self.assertEqual(stat.S_IMODE(self.backup.stat().st_mode), 0o700)
        shutil.rmtree(self.data)
        (self.folder / "restored").mkdir()  # an empty one will do
        self.restore()
        self.assertTrue(vitrine.run_json("verify", "--data", self.folder / "restored")["sound"])
        self.assertEqual(vitrine.run_json("stats", "--data", self.folder / "restored")["events"], 300)

    def test_what_is_there_is_neither_backed_up_to_nor_restored_into(self):
        self.make()
        self.assert_refused(self.make(check=False), "is there already")
        self.assert_refused(self.make(self.data / "inside", check=False), "outside the data folder")
        (self.folder / "restored").mkdir()
        (self.folder / "restored" / "note").write_text("mine")
        self.assert_refused(self.restore(check=False), "not empty")
        self.assertEqual((self.folder / "restored" / "note").read_text(), "mine")

    def test_a_damaged_or_missing_file_is_named_and_leaves_nothing(self):
        self.make()
        file = max((self.backup / "store").glob("*.sst"), key=lambda path: path.stat().st_size)
        whole = file.read_bytes()
        file.unlink()
        self.assert_refused(self.restore(check=False), file.name, "missing")
        file.write_bytes(whole[:50] + bytes([whole[50] ^ 1]) + whole[51:])
        self.assert_refused(self.restore(check=False), file.name, "SHA-256")
        self.assertEqual(list((self.folder / "restored").iterdir()), [])
        file.write_bytes(whole)
        self.restore()

    def test_an_unfinished_backup_is_none(self):
        self.make()
        (self.backup / "backup.json").unlink()
        self.assert_refused(self.restore(check=False), "not finished", "backup.json")

    def test_an_unfinished_restore_is_not_served_as_an_empty_shop(self):
        self.make()
        self.restore()
        restored = self.folder / "restored"
        (restored / "restore.work").mkdir()
        (restored / "store").rename(restored / "restore.work" / "store")
        done = vitrine.run("serve", "--data", restored, "--listen", "127.0.0.1:0", check=False, timeout=60)
        self.assert_refused(done, "restore that was not finished")

    def test_a_manifest_that_leads_elsewhere_is_refused(self):
        self.make()
        manifest = json.loads((self.backup / "backup.json").read_text())
        manifest["files"][0]["path"] = "../outside"
        (self.backup / "backup.json").write_text(json.dumps(manifest))
        self.assert_refused(self.restore(check=False), "../outside")
        self.assertFalse((self.folder / "outside").exists())

    def test_only_an_admin_may_ask_for_one(self):
        key = vitrine.run_json("keys", "create", "--scopes", "catalog,models", "--data", self.data)["key"]
        with vitrine.Server(self.data, open_to_all=False) as server:
            status = server.request("POST", "/v1/backups", {"folder": str(self.backup)},
                                    {"Authorization": f"Bearer {key}"})[0]
        self.assertEqual(status, 403)
        self.assertFalse(self.backup.exists())


if __name__ == "__main__":
    unittest.main()
