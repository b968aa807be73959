#!/usr/bin/env python3
"""Training runs that are stopped, resumed, refused, or brought in from elsewhere."""

import json
import pathlib
import random
import resource
import shutil
import signal
import struct
import subprocess
import unittest

import folder
import shop
import vitrine

COMMON = ("--dims", 8, "--seed", 3, "--threads", 1)


def limited(bytes_a_file):
    """Makes a disk that is full after so many bytes of one file."""

    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (bytes_a_file, bytes_a_file))

    return limit


class TrainTest(folder.FolderTest):
    def setUp(self):
        super().setUp()
        pairs = [f"u{user}\tp{(user * 7 + k * k) % 40}" for user in range(60) for k in range(8)]
        self.pairs = self.write("pairs.tsv", "\n".join(pairs) + "\n")

    def failure(self, *arguments, status=1, **options):
        done = vitrine.run(*arguments, check=False, **options)
        self.assertEqual(done.returncode, status, done.stderr)
        return done.stderr

    def content(self, model):
        return {path.name: path.read_bytes() for path in model.iterdir() if path.name.endswith(".bin")}

    def interrupted(self, model, *arguments):
        """Starts a training run and interrupts it once the first epoch is done."""
        process = subprocess.Popen([vitrine.BINARY, "train", "--interactions", str(self.pairs), "--out", str(model),
                                    *map(str, COMMON), "--epochs", "1000", "--json", *arguments],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        blend = json.loads(process.stdout.readline())
        self.assertEqual(blend["stage"], "blend")
        self.assertEqual(blend["placements"], [])
        self.assertIn("no times", blend["left_out"]["all"])
        self.assertEqual(json.loads(process.stdout.readline())["epoch"], 1)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
        return process.returncode, said

    def test_ctrl_c_leaves_no_model_behind(self):
        status, said = self.interrupted(self.folder / "model")
        self.assertEqual(status, 130, said)
        self.assertEqual([path.name for path in self.folder.iterdir()], ["pairs.tsv"])

    def test_a_resumed_run_writes_the_bytes_of_an_uninterrupted_one(self):
        whole, resumed = self.folder / "whole", self.folder / "resumed"
        status, said = self.interrupted(resumed, "--checkpoint-seconds", "0")
        self.assertEqual(status, 130, said)
        self.assertTrue((self.folder / "resumed.checkpoint.work").exists())
        common = ("--interactions", self.pairs, *COMMON, "--epochs", 1000)
        vitrine.run("train", *common, "--out", whole)
        done = vitrine.run("train", *common, "--out", resumed, "--resume")
        self.assertIn("resuming after epoch", done.stderr)
        self.assertEqual(self.content(whole), self.content(resumed))
        self.assertFalse((self.folder / "resumed.checkpoint.work").exists())

    def test_a_checkpoint_of_other_data_is_refused(self):
        self.interrupted(self.folder / "model", "--checkpoint-seconds", "0")
        self.pairs.write_text(self.pairs.read_text() + "u99\tp1\n")
        said = self.failure("train", "--interactions", self.pairs, "--out", self.folder / "model", *COMMON, "--resume")
        self.assertIn("other data or another recipe", said)

    def test_a_full_disk_leaves_nothing_half_written(self):
        said = self.failure("train", "--interactions", self.pairs, "--out", self.folder / "model", *COMMON, "--epochs",
                            2, preexec_fn=limited(1000))
        self.assertIn("cannot write", said)
        self.assertEqual([path.name for path in self.folder.iterdir()], ["pairs.tsv"])

    def test_a_full_disk_leaves_the_registry_as_it_was(self):
        shop.make(self.data, self.folder, users=60)
        before = sorted(path.name for path in (self.data / "models").iterdir())
        said = self.failure("train", "--data", self.data, "--interactions", self.pairs, *COMMON, "--epochs", 2,
                            preexec_fn=limited(1000))
        self.assertIn("cannot write", said)
        self.assertEqual(sorted(path.name for path in (self.data / "models").iterdir()), before)

    def small_disk(self, path):
        """A file system of one MiB at `path`; skips the test where nobody may mount one."""
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(path)], capture_output=True,
                              text=True, check=False)
        if done.returncode != 0:
            self.skipTest(f"needs the right to mount a small file system: {done.stderr.strip()}")
        self.addCleanup(subprocess.run, ["umount", str(path)], check=True)

    def wide_shop(self):
        """Enough products for a model of several MiB at 256 dimensions."""
        return self.write("wide.tsv", "".join(f"u{user}\tp{(user * 7 + k * 61) % 2000}\n"
                                              for user in range(400) for k in range(8)))

    WIDE = ("--dims", 256, "--epochs", 1, "--threads", 1)

    def test_a_small_file_system_keeps_nothing_of_a_model_that_does_not_fit(self):
        disk = self.folder / "disk"
        disk.mkdir()
        self.small_disk(disk)
        wide = self.wide_shop()
        said = self.failure("train", "--interactions", wide, "--out", disk / "model", *self.WIDE)
        self.assertIn("cannot write", said)
        self.assertIn("No space left on device", said)
        self.assertEqual(list(disk.iterdir()), [])
        vitrine.run("train", "--interactions", self.pairs, "--out", disk / "model", *COMMON, "--epochs", 1)
        self.assertTrue((disk / "model" / "manifest.pb").exists(), "a smaller one fits")

    def test_a_registry_on_a_small_file_system_stays_as_it_was(self):
        shop.make(self.data, self.folder, users=60)
        models = self.data / "models"
        kept = self.folder / "kept"
        shutil.copytree(models, kept, symlinks=True)
        self.small_disk(models)
        shutil.copytree(kept, models, symlinks=True, dirs_exist_ok=True)

        def files():
            return {path.relative_to(models): path.read_bytes() for path in models.rglob("*") if path.is_file()}

        before, listed = files(), vitrine.run_json("models", "list", "--data", self.data)
        said = self.failure("train", "--data", self.data, "--interactions", self.wide_shop(), *self.WIDE)
        self.assertIn("No space left on device", said)
        self.assertEqual(files(), before)
        self.assertEqual(vitrine.run_json("models", "list", "--data", self.data), listed)

    def test_a_file_of_ten_gigabytes_that_does_not_fit_is_refused_before_it_is_read(self):
        large = self.folder / "large.tsv"
        with open(large, "w", encoding="utf-8") as out:
            out.write("user1\tproduct1\n" * 100_000)
            out.truncate(10 * 2**30)  # takes no room; nobody reads so far
        said = self.failure("train", "--interactions", large, "--out", self.folder / "model", "--memory-limit", "8GiB",
                            timeout=30)
        self.assertIn("training needs about", said)
        self.assertIn("8.00 GiB may be used", said)
        self.assertFalse((self.folder / "model").exists())

    def test_a_run_takes_no_more_memory_than_was_expected(self):
        if pathlib.Path(vitrine.BINARY).resolve().parent.name in ("asan", "tsan"):
            self.skipTest("a sanitizer's own memory is not in the formula")
        chance = random.Random(6)
        pairs = self.write("many.txt", "".join(
            f"{user} " + " ".join(str(int(20_000 * chance.random() ** 3)) for _ in range(40)) + "\n"
            for user in range(20_000)))
        for source, dims, share in ((pairs, 256, 2), (folder.ONLINE_RETAIL / "events.csv.gz", 64, 3)):
            with self.subTest(source.name):
                facts = vitrine.run_json("train", "--interactions", source, "--out", self.folder / "model", "--dims",
                                         dims, "--epochs", 1, "--checkpoint-seconds", 0)
                shutil.rmtree(self.folder / "model")
                self.assertLessEqual(facts["peak_rss_bytes"], facts["expected_peak_bytes"])
                self.assertLessEqual(facts["expected_peak_bytes"], share * facts["peak_rss_bytes"])

    def test_what_does_not_fit_into_memory_is_refused_with_the_numbers(self):
        said = self.failure("train", "--interactions", self.pairs, "--out", self.folder / "model", "--memory-limit",
                            "1MiB")
        self.assertIn("--memory-limit", said)
        self.assertIn("GiB", said)
        self.assertFalse((self.folder / "model").exists())

    def test_bad_files_are_refused_with_line_and_reason(self):
        for text, reason in (("", "holds no interactions"),
                             ("u1\tp1\nu2\tp2\tnan\n", "line 2"),
                             ("u1\tp1\t-3\n", "line 1"),
                             ("u1\tp1\t1\t5\textra\n", "line 1"),
                             ("time,type\n1,purchase\n", "line 1")):
            bad = self.write("bad", text)
            with self.subTest(text):
                said = self.failure("train", "--interactions", bad, "--out", self.folder / "model")
                self.assertIn(reason, said)
                self.assertFalse((self.folder / "model").exists())
        missing = self.failure("train", "--interactions", self.folder / "nowhere", "--out", self.folder / "model")
        self.assertIn("nowhere", missing)

    def test_one_user_is_enough_to_learn_from(self):
        one = self.write("one.tsv", "u\ta\nu\tb\n")
        vitrine.run("train", "--interactions", one, "--out", self.folder / "model", *COMMON, "--epochs", 2)

    def test_ids_may_hold_tabs_where_the_form_can_quote_them(self):
        rows = 'user_id,product_id\n"a\tb","p\t1"\nc,"p\t1"\nc,d\n'
        trained = vitrine.run_json("train", "--interactions", self.write("tabs.csv", rows), "--out",
                                   self.folder / "model", *COMMON, "--epochs", 2)
        self.assertEqual((trained["users"], trained["products"]), (2, 2))

    def test_weights_are_taken_and_wrong_ones_named(self):
        common = ("train", "--interactions", self.pairs, "--out", self.folder / "model", *COMMON)
        self.assertIn("purchase=8", self.failure(*common, "--weights", "purchase", status=2))
        self.assertIn("nonsense=1", self.failure(*common, "--weights", "nonsense=1", status=2))
        vitrine.run(*common, "--epochs", 1, "--weights", "view=1,purchase=3")


class GateTest(folder.FolderTest):
    """A shop whose people buy up to the last day."""

    BAD = ("--dims", 1, "--epochs", 3, "--lambda", 1000)

    def setUp(self):
        super().setUp()
        rows = ["event_id,time,type,user_id,product_id"]
        day_ms = 86_400_000
        chance = random.Random(5)
        for user in range(80):
            for day in range(60):
                product = chance.randrange(100) * 2 + user % 2
                rows.append(f"e{user}-{day},{1_790_000_000_000 + day * day_ms},purchase,u{user},p{product}")
        self.write("events.csv", "\n".join(rows) + "\n")
        vitrine.run("import", "--data", self.data, "--events", self.folder / "events.csv")
        self.first = self.train("--epochs", 6)

    def train(self, *arguments):
        return vitrine.run_json("train", "--data", self.data, "--dims", 8, "--threads", 1, *arguments)

    def serving(self):
        models = vitrine.run_json("models", "list", "--data", self.data)["models"]
        return next(model for model in models if model["is_current"])

    def test_a_worse_recipe_is_published_but_does_not_serve_unless_forced(self):
        done = vitrine.run("train", "--data", self.data, *self.BAD, "--promote", check=False)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("not promoted: clearly worse", done.stderr)
        self.assertEqual(self.serving()["model_version"], self.first["model_version"])
        self.assertEqual(len(vitrine.run_json("models", "list", "--data", self.data)["models"]), 2)

        forced = vitrine.run("train", "--data", self.data, *self.BAD, "--promote", "--force", "--seed", 9)
        self.assertIn("--force", forced.stdout)
        self.assertNotEqual(self.serving()["model_version"], self.first["model_version"])

    def test_a_recipe_that_is_not_worse_serves_and_keeps_its_figures(self):
        trained = self.train("--epochs", 6, "--promote", "--seed", 4)
        self.assertTrue(trained["promoted"], trained["gate"])
        self.assertGreater(self.serving()["metrics"]["ndcg@20"], 0)


class VectorsTest(folder.FolderTest):
    def setUp(self):
        super().setUp()
        shop.make(self.data, self.folder, users=60)

    def test_exported_vectors_come_back_as_a_model_that_serves(self):
        out = self.folder / "vectors.npy"
        vitrine.run("export", "--data", self.data, "--what", "vectors", "--format", "npy", "--out", out)
        products = self.folder / "vectors.npy.products.txt"
        self.assertTrue(out.read_bytes().startswith(b"\x93NUMPY\x01\x00"))
        imported = vitrine.run_json("models", "import", "--data", self.data, "--vectors", out, "--products", products,
                                    "--promote")
        self.assertTrue(imported["promoted"])
        self.assertEqual(imported["products"], len(products.read_text().splitlines()))
        answer = vitrine.run_json("recommend", "--data", self.data, "--user", "u1", "--limit", 3)
        self.assertEqual(answer["model_version"], imported["model_version"])
        self.assertEqual(len(answer["products"]), 3)

    def test_vectors_that_cannot_be_are_refused(self):
        header = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2), }".ljust(117) + "\n"
        numbers = struct.pack("<4f", 1, 2, float("nan"), 4)
        vectors = self.folder / "broken.npy"
        vectors.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + numbers)
        before = vitrine.run_json("models", "list", "--data", self.data)
        for ids, reason in (("a\nb\n", "product 'b'"), ("a\n", "1 products")):
            done = vitrine.run("models", "import", "--data", self.data, "--vectors", vectors, "--products",
                               self.write("ids.txt", ids), check=False)
            self.assertEqual(done.returncode, 1)
            self.assertIn(reason, done.stderr)
        self.assertEqual(vitrine.run_json("models", "list", "--data", self.data), before)


class TuneTest(folder.FolderTest):
    def test_a_search_ends_with_a_command_that_runs_and_is_resumed_without_its_runs(self):
        chance = random.Random(6)
        pairs = [f"u{user}\tp{chance.randrange(30) * 2 + user % 2}\t1\t{1_790_000_000_000 + day * 86_400_000}"
                 for user in range(60) for day in range(20)]
        file = self.write("pairs.tsv", "\n".join(pairs) + "\n")
        common = ("tune", "--interactions", file, "--budget", 6, "--epochs", 4, "--max-dims", 32, "--threads", 1)
        first = vitrine.run_json(*common)
        state = self.folder / "pairs.tsv.tune.jsonl"
        lines = state.read_text().splitlines()
        state.write_text("\n".join(lines[:-1]) + "\n" + lines[-1][:10])  # the last run was cut off
        resumed = vitrine.run_json(*common, "--resume")
        self.assertEqual([run["settings"] for run in first["leaderboard"]],
                         [run["settings"] for run in resumed["leaderboard"]])
        self.assertEqual(len(first["leaderboard"]), 4)

        command = first["command"].replace("MODEL_DIR", str(self.folder / "model")).split()[1:]
        vitrine.run(*command)

        other = vitrine.run(*common, "--resume", "--seed", 7, check=False)
        self.assertEqual(other.returncode, 1)
        self.assertIn("other data or settings", other.stderr)


class ReportTest(folder.FolderTest):
    def test_without_a_split_the_last_fifth_of_the_time_is_judged_and_a_page_is_written(self):
        chance = random.Random(8)
        pairs = [f"u{user}\tp{chance.randrange(60) * 2 + user % 2}\t1\t{1_790_000_000_000 + day * 86_400_000}"
                 for user in range(60) for day in range(21)]
        file, page = self.write("pairs.tsv", "\n".join(pairs) + "\n"), self.folder / "page.html"
        report = vitrine.run_json("evaluate", "--interactions", file, *COMMON, "--epochs", 4, "--report", page)
        self.assertIn("last 20 % of the time", report["split"])
        earlier = {tuple(line.split("\t")[:2]) for line in pairs
                   if int(line.split("\t")[3]) < 1_790_000_000_000 + 16 * 86_400_000}
        self.assertEqual(report["train_pairs"], len(earlier))
        gain = report["gain_over_first_baseline"]["ndcg@20"]
        self.assertTrue(gain["low"] <= gain["mean"] <= gain["high"])
        text = page.read_text()
        self.assertGreaterEqual(text.count("<svg"), 6)
        for outside in ("http://", "https://", "src=", "<script"):
            self.assertNotIn(outside, text)


if __name__ == "__main__":
    unittest.main()
