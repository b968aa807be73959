#!/usr/bin/env python3
"""What export writes, import reads back: the same log in another folder."""

import unittest

import folder
import vitrine

EVENTS = """{"event_id":"a","type":"view","visitor_id":"v1","product_id":"p","time":"2026-01-01T10:00:00.5Z"}
{"event_id":"b","type":"purchase","user_id":"u \\"1\\", é","visitor_id":"v1","product_id":"p","order_id":"o","quantity":3,"price":"1.25","currency":"EUR","time":"2026-01-02","note":"two\\nlines"}
{"event_id":"c","type":"search","session_id":"s","query":"blue, cup","time":"2026-01-03"}
"""


class ExportTest(folder.FolderTest):
    def export(self, data, form):
        out = self.folder / f"out.{form}"
        vitrine.run("export", "--data", data, "--what", "events", "--format", form, "--out", out)
        return out

    def test_both_formats_come_back_as_they_went(self):
        vitrine.run("import", "--data", self.data, "--events", self.write("events.ndjson", EVENTS))
        original = self.export(self.data, "ndjson").read_text(encoding="utf-8")
        self.assertEqual(len(original.splitlines()), 3)
        for form in ("ndjson", "csv"):
            copy = self.folder / f"copy-{form}"
            report = vitrine.run_json("import", "--data", copy, "--events", self.export(self.data, form))
            self.assertEqual(report["files"][0]["accepted"], 3)
            self.assertEqual(self.export(copy, "ndjson").read_text(encoding="utf-8"), original)

    def test_standard_output_is_the_default(self):
        vitrine.run("import", "--data", self.data, "--events", self.write("events.ndjson", EVENTS))
        self.assertEqual(len(vitrine.run("export", "--data", self.data).stdout.splitlines()), 3)


if __name__ == "__main__":
    unittest.main()
