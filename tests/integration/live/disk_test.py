#!/usr/bin/env python3
"""A disk that is full or fails: reads go on or the process ends with a clear message, and nothing acknowledged is lost."""

import json
import pathlib
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
import shop  # noqa: E402
import vitrine  # noqa: E402

MIB = 1 << 20
DISK_MIB = 256
MIN_FREE_MIB = 64
WRITERS = 4


def events(first, count):
    return [{"event_id": f"d{i}", "type": "view", "visitor_id": f"v{i % 50}", "product_id": shop.product_id(i % 8, 1)}
            for i in range(first, first + count)]


class DiskTest(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = pathlib.Path(temporary.name)
        self.data = self.folder / "data"

    def small_disk(self):
        """A file system of its own for the data; skips the test where nobody may mount one."""
        self.data.mkdir()
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_MIB}m", "tmpfs", str(self.data)],
                              capture_output=True, text=True, check=False)
        if done.returncode != 0:
            self.skipTest(f"needs the right to mount a small file system: {done.stderr.strip()}")
        self.addCleanup(subprocess.run, ["umount", str(self.data)], check=True)

    def exported(self):
        out = self.folder / "events.ndjson"
        vitrine.run("export", "--data", self.data, "--what", "events", "--format", "ndjson", "--out", out)
        with open(out, encoding="utf-8") as lines:
            return [json.loads(line)["event_id"] for line in lines]

    def assert_whole(self, acknowledged):
        there = self.exported()
        self.assertEqual(len(there), len(set(there)), "double")
        self.assertEqual(set(acknowledged) - set(there), set(), "lost")
        self.assertTrue(vitrine.run_json("verify", "--data", self.data)["sound"])

    def test_below_the_watermark_writes_wait_for_room_and_reads_go_on(self):
        self.small_disk()
        shop.make(self.folder / "made", self.folder, users=60)
        shutil.copytree(self.folder / "made", self.data, dirs_exist_ok=True)
        with vitrine.Server(self.data, "--store-min-free", f"{MIN_FREE_MIB}MiB") as server:
            server.send(*events(0, 100))
            filler = self.data / "somebody-elses-file"
            filler.write_bytes(b"x" * ((DISK_MIB - MIN_FREE_MIB - 1) * MIB))

            vitrine.wait_until(lambda: server.request("POST", "/v1/events", {"events": events(100, 1)})[0] == 503, 10,
                               "writes are refused")
            status, _, refusal = server.request("POST", "/v1/events", {"events": events(101, 50)})
            self.assertEqual((status, refusal["error"]["code"]), (503, "unavailable"))
            self.assertIn("--store-min-free", refusal["error"]["message"])
            tracked = {"batch": [{"type": "track", "event": "Product Viewed", "anonymousId": "v", "messageId": "m1",
                                  "properties": {"product_id": "p"}}]}
            self.assertEqual(server.request("POST", "/v1/batch", tracked)[0], 503)
            self.assertEqual(len(server.get("/v1/placements/home/products?user_id=u1&limit=5")["products"]), 5)
            self.assertEqual(server.request("GET", "/readyz")[0], 200, "it can answer")
            self.assertNotIn("vitrine_commit_no_room_total 0\n", server.get("/metrics"))

            filler.unlink()
            vitrine.wait_until(lambda: server.request("POST", "/v1/events", {"events": events(101, 50)})[0] == 200, 10,
                               "writes go on")
            self.assertEqual(server.send(*events(101, 50))["duplicates"], 50)
            server.kill()
        self.assert_whole([f"d{i}" for i in [*range(100), *range(101, 151)]])

    def test_a_start_on_a_full_disk_says_so_and_loses_nothing(self):
        self.small_disk()
        with vitrine.Server(self.data, "--store-min-free", "1MiB") as server:
            server.send(*events(0, 100))
            server.kill()
        filler = self.data / "somebody-elses-file"
        with open(filler, "wb", buffering=0) as out, self.assertRaises(OSError):  # until not a byte is left
            while True:
                out.write(b"x" * 4096)
        done = subprocess.run([vitrine.BINARY, "serve", "--data", str(self.data), "--listen", "127.0.0.1:0", "--open",
                               "--store-min-free", "1MiB"],
                              capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("0 bytes free", done.stderr)
        self.assertIn("make room", done.stderr)
        filler.unlink()
        self.assert_whole([f"d{i}" for i in range(100)])

    def test_a_log_that_cannot_be_written_ends_the_process_and_nothing_is_lost(self):
        server = vitrine.Server(self.data).start()
        acknowledged, unanswered, refused = [], [], []
        writers = [threading.Thread(target=self.write, args=(server, number, acknowledged, unanswered, refused))
                   for number in range(WRITERS)]
        for writer in writers:
            writer.start()
        vitrine.wait_until(lambda: len(acknowledged) > 2000, 60, "the writers write")
        # As a broken disk would: from here on no file may grow past what the store's log has by now.
        log = max((self.data / "store").glob("*.log"), key=lambda path: path.stat().st_mtime)
        limit = log.stat().st_size + 20_000
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (limit, limit))
        for writer in writers:
            writer.join(60)
        self.assertEqual(server.process.wait(timeout=30), 1)
        server.close()
        self.assertIn("cannot write", "".join(server.said))
        self.assertIn("stopping", "".join(server.said))
        self.assertEqual(refused, [], "no answer but 200 or none")

        with vitrine.Server(self.data) as server:
            for batch in unanswered:
                answer = server.send(*batch)
                self.assertEqual(answer["accepted"] + answer["duplicates"], len(batch))
                acknowledged.extend(event["event_id"] for event in batch)
        self.assertGreaterEqual(len(unanswered), 1)
        self.assert_whole(acknowledged)

    @staticmethod
    def write(server, number, acknowledged, unanswered, refused):
        for call in range(100_000):
            batch = [{**event, "event_id": f"w{number}-{event['event_id']}"} for event in events(20 * call, 20)]
            try:
                server.send(*batch)
                acknowledged.extend(event["event_id"] for event in batch)
            except AssertionError as error:
                refused.append(error)
                return
            except Exception:  # the process ended: whether this batch is on disk is not known
                unanswered.append(batch)
                return


if __name__ == "__main__":
    unittest.main()
