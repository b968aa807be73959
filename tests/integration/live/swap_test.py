#!/usr/bin/env python3
"""A running server takes up a promoted model, refuses a broken one, and loses no request over either."""

import pathlib
import sys
import tempfile
import threading
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
import shop  # noqa: E402
import vitrine  # noqa: E402

SWAPS = 6


class SwapTest(unittest.TestCase):
    def test_models_swap_under_load_without_a_failed_request(self):
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            data = folder / "data"
            shop.make(data, folder)
            with vitrine.Server(data) as server:
                answered, failed, is_over = [], [], threading.Event()
                clients = [threading.Thread(target=self.ask, args=(server, n, answered, failed, is_over))
                           for n in range(4)]
                for client in clients:
                    client.start()
                for seed in range(2, 2 + SWAPS):
                    trained = vitrine.run_json("train", "--data", data, "--dims", 16, "--epochs", 2, "--seed", seed,
                                               "--promote")
                    version = trained["model_version"]
                    vitrine.wait_until(lambda: self.version(server) == version, 20, f"{version} is served")
                self.assert_rollback_and_refusal(server, data, version)
                is_over.set()
                for client in clients:
                    client.join()
            print(f"swap: {len(answered)} answers over {SWAPS} swaps, {len(failed)} failed")
            self.assertEqual(failed[:5], [])
            self.assertGreater(len(answered), 100)

    def assert_rollback_and_refusal(self, server, data, newest):
        vitrine.run("models", "rollback", "--data", data)
        before = self.version(server)
        self.assertNotEqual(before, newest)

        for file in (data / "models" / newest).iterdir():
            if file.suffix not in (".json", ".pb", ".sha256"):
                content = bytearray(file.read_bytes())
                content[len(content) // 2] ^= 0xFF
                file.write_bytes(content)
        refused = vitrine.run("models", "promote", newest, "--data", data, check=False)
        self.assertEqual(refused.returncode, 1)
        self.assertIn("checksum", refused.stdout + refused.stderr)
        self.assertEqual(self.version(server), before)
        # Nor after a restart: the refused version did not become the current one on disk either.
        self.assertIn(before, vitrine.run("stats", "--data", data).stdout)

    @staticmethod
    def version(server):
        return server.get("/v1/placements/home/products?user_id=u1&limit=1")["model_version"]

    @staticmethod
    def ask(server, client, answered, failed, is_over):
        number = client
        while not is_over.is_set():
            try:
                answer = server.get(f"/v1/placements/home/products?user_id=u{number % 300}&limit=5")
                answered.append(len(answer["products"]))
                if len(answer["products"]) != 5:
                    failed.append(answer)
            except Exception as error:
                failed.append(repr(error))
            number += 7


if __name__ == "__main__":
    unittest.main()
