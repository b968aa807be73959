#!/usr/bin/env python3
"""Help, wrong use and the configuration file: status 2 and a message that says what to do."""

import unittest

import folder
import vitrine

COMMANDS = ("serve", "import", "train", "evaluate", "models", "recommend", "stats", "export", "keys")


class UsageTest(folder.FolderTest):
    def assert_wrong(self, expected, *arguments):
        wrong = vitrine.run(*arguments, check=False, timeout=60)
        self.assertEqual(wrong.returncode, 2, (arguments, wrong.stdout, wrong.stderr))
        self.assertIn(expected, wrong.stderr + wrong.stdout)

    def test_every_command_has_help_with_examples(self):
        for command in COMMANDS:
            said = vitrine.run(command, "--help").stdout
            self.assertIn(f"vitrine {command}", said)
            self.assertIn("Examples:", said)
            self.assertIn("--json", said)

    def test_wrong_use_ends_with_2_and_says_why(self):
        self.assert_wrong("subcommand")
        self.assert_wrong("--sideways", "stats", "--sideways")
        self.assert_wrong("--data DIR is required", "stats")
        self.assert_wrong("at least one file", "import", "--data", self.data)
        self.assert_wrong("for whom or for what", "recommend", "--data", self.write("x", "").parent, "--limit", "3",
                          *self.with_store())
        self.assert_wrong("belong together", "evaluate", "--train", "x")
        self.assert_wrong("--dims", "train", "--data", self.data, "--dims", "0")
        self.assert_wrong("loopback", "serve", "--data", self.data, "--open", "--listen", "0.0.0.0:0")
        self.assert_wrong("--listen", "serve", "--data", self.data, "--listen", "nonsense")
        self.assert_wrong("three capital letters", "import", "--data", self.data, "--currency", "pounds", "--events",
                          "x.csv")
        self.assertFalse(self.data.exists())

    def with_store(self):
        (self.folder / "store").mkdir()
        return ()

    def test_a_folder_without_data_fails_with_what_to_do(self):
        failed = vitrine.run("stats", "--data", self.data, check=False)
        self.assertEqual(failed.returncode, 1)
        self.assertIn("vitrine import", failed.stderr)

    def test_the_configuration_file_sets_what_flags_can_and_flags_win(self):
        config = self.write("vitrine.toml", f'data = "{self.data}"\n\n[import]\ncurrency = "wrong"\n')
        events = self.write("e.csv", "event_id,type,visitor_id,product_id,price\ne,view,v,p,1.50\n")
        self.assert_wrong("'wrong'", "--config", config, "import", "--events", events)
        vitrine.run("import", "--config", config, "--events", events, "--currency", "EUR")
        self.assertIn('"currency":"EUR"', vitrine.run("--config", config, "export").stdout)

    def test_settings_of_the_parts_are_flags_of_every_command(self):
        config = self.write("vitrine.toml", "batch-events = 1\n")
        events = self.write("e.ndjson", '{"event_id":"a","type":"view","visitor_id":"v","product_id":"p"}\n'
                                        '{"event_id":"b","type":"view","visitor_id":"v","product_id":"p"}\n')
        refused = vitrine.run("import", "--config", config, "--data", self.data, "--events", events, check=False)
        self.assertEqual(refused.returncode, 1)
        self.assertIn("at most 1", refused.stderr)
        vitrine.run("import", "--batch-events", 2, "--config", config, "--data", self.data, "--events", events)
        self.assert_wrong("--batch-events", "stats", "--batch-events", "0")

    def test_an_unknown_key_or_section_is_an_error_before_anything_starts(self):
        for number, text in enumerate(("thraeds = 4\n", "[serve]\nlisten-on = 1\n", "[sevre]\nthreads = 1\n")):
            config = self.write(f"{number}.toml", text)
            self.assert_wrong("", "--config", config, "keys", "list", "--data", self.data)
        self.assert_wrong("absent.toml", "--config", self.folder / "absent.toml", "stats", "--data", self.data)
        self.assertFalse(self.data.exists())


if __name__ == "__main__":
    unittest.main()
