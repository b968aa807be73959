#!/usr/bin/env python3
"""Segments from the command line, beside a server and without one; and the shop that ships."""

import json
import unittest

import folder
import vitrine

EVENTS = {"events": [
    {"type": "purchase", "user_id": "ann", "product_id": "boot", "price": "150.00", "currency": "EUR", "order_id": "o-1"},
    {"type": "purchase", "user_id": "bob, \"jr\"", "product_id": "boot", "price": "20.00", "currency": "EUR",
     "order_id": "o-2"},
    {"type": "view", "user_id": "cy", "product_id": "boot"},
    {"type": "view", "visitor_id": "v-1", "product_id": "boot"}]}


class SegmentTest(folder.FolderTest):
    def ask(self):
        """What every verb answers."""
        found = vitrine.run("segment", "preview", "user.orders_count > 0", "--data", self.data).stdout
        members = vitrine.run("segment", "members", "buyers", "--data", self.data).stdout
        lines = vitrine.run("segment", "members", "all", "--format", "ndjson", "--data", self.data).stdout
        shared = vitrine.run_json("segment", "overlap", "all", "buyers", "--data", self.data)
        return found, members, [json.loads(line) for line in lines.splitlines()], shared["both"]

    def test_the_same_beside_a_server_and_after_it(self):
        with vitrine.Server(self.data) as server:
            server.post("/v1/events", EVENTS)
            for key, segment in (("buyers", {"expression": "user.net_spend > 10"}),
                                 ("all", {"expression": "true", "include_visitors": True})):
                self.assertEqual(server.request("PUT", f"/v1/segments/{key}", segment)[0], 201)
            beside = self.ask()
        self.assertEqual(beside[0], "2 of 4 people\n")
        self.assertEqual(beside[1], 'user_id,visitor_id\nann,\n"bob, ""jr""",\n')
        self.assertEqual(beside[2], [{"user_id": "ann"}, {"user_id": "bob, \"jr\""}, {"user_id": "cy"},
                                     {"visitor_id": "v-1"}])
        self.assertEqual(beside[3], 2)
        self.assertEqual(self.ask(), beside, "built anew from the profiles")

    def exported(self, form, *more):
        out = self.folder / f"members.{form}"
        report = vitrine.run_json("export", "--what", "segment:all", "--format", form, "--out", out, "--data", self.data, *more)
        return report, out.read_text(encoding="utf-8")

    def test_everybody_can_be_written_to_a_file(self):
        with vitrine.Server(self.data) as server:
            server.post("/v1/events", {"events": EVENTS["events"] + [
                {"type": "view", "user_id": "=1+1", "product_id": "boot"}]})
            self.assertEqual(server.request("PUT", "/v1/segments/all",
                                            {"expression": "true", "include_visitors": True})[0], 201)
            beside = self.exported("csv"), self.exported("ndjson")
        report, table = beside[0]
        self.assertEqual(report, {"members": 5})
        self.assertEqual(table, "user_id,visitor_id\nann,\n\"bob, \"\"jr\"\"\",\ncy,\n,v-1\n'=1+1,\n")
        lines = [json.loads(line) for line in beside[1][1].splitlines()]
        self.assertEqual(lines[3:], [{"visitor_id": "v-1"}, {"user_id": "=1+1"}], "a program reads it as it is")
        self.assertEqual((self.exported("csv"), self.exported("ndjson")), beside, "without a server too")

    def test_what_is_wrong_is_told(self):
        with vitrine.Server(self.data):
            pass
        wrong = vitrine.run("segment", "preview", "user.order_count > 0", "--data", self.data, check=False)
        self.assertEqual(wrong.returncode, 1)
        self.assertIn("column 1: unknown name 'user.order_count'; did you mean 'user.orders_count'?", wrong.stderr)
        missing = vitrine.run("segment", "members", "nobody", "--data", self.data, check=False)
        self.assertEqual(missing.returncode, 1)
        self.assertIn("there is no segment nobody", missing.stderr)
        nothing = vitrine.run("export", "--what", "segment:", "--data", self.data, check=False)
        self.assertEqual(nothing.returncode, 2)
        self.assertIn("must be events, vectors or segment:KEY, got 'segment:'", nothing.stderr)
        alike = vitrine.run("segment", "lookalike", "nobody", "--data", self.data, check=False)
        self.assertIn("there is no segment nobody", alike.stderr)
        either = vitrine.run("segment", "audience", "--data", self.data, check=False)
        self.assertEqual(either.returncode, 2)


if __name__ == "__main__":
    unittest.main()
