#!/usr/bin/env python3
"""kill -9 under concurrent writers, again and again on one data folder: nothing acknowledged is lost, nothing is double."""

import collections
import json
import os
import pathlib
import random
import sys
import tempfile
import threading
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
import vitrine  # noqa: E402

ROUNDS = int(os.environ.get("VITRINE_KILL_ROUNDS", "30"))
SERIES = 50  # rounds on one folder: what is never left alone for a checkpoint starts slower each time
WRITERS = 6


class KillTest(unittest.TestCase):
    def test_what_was_acknowledged_is_there_once(self):
        for first in range(0, ROUNDS, SERIES):
            with self.subTest(first=first):
                self.check_series(first, min(SERIES, ROUNDS - first))

    def check_series(self, first, rounds):
        chance = random.Random(5 + first)
        acknowledged, unanswered, wrong = [], [], []
        with tempfile.TemporaryDirectory() as folder:
            data = pathlib.Path(folder) / "data"
            for number in range(rounds):
                server = vitrine.Server(data).start()
                writers = [threading.Thread(target=self.write, args=(server, number, w, acknowledged, unanswered, wrong))
                           for w in range(WRITERS)]
                for writer in writers:
                    writer.start()
                # The moment of death is what the test is about, so it is drawn, and no condition is waited for.
                threading.Event().wait(0.02 + chance.random() * 0.3)
                server.kill()
                for writer in writers:
                    writer.join()
            self.resend(data, unanswered, acknowledged)
            counts = self.exported(data)
            verified = vitrine.run_json("verify", "--data", data)
        lost = [event_id for event_id in acknowledged if counts[event_id] == 0]
        double = [event_id for event_id, count in counts.items() if count > 1]
        print(f"kill: {rounds} rounds, {len(acknowledged)} acknowledged, {len(lost)} lost, {len(double)} double")
        self.assertEqual(wrong[:5], [])
        self.assertGreater(len(acknowledged), rounds * WRITERS)
        self.assertEqual((lost[:5], double[:5]), ([], []))
        self.assertEqual([check for check in verified["checks"] if check["outcome"] != "sound"], [])

    @staticmethod
    def write(server, number, writer, acknowledged, unanswered, wrong):
        chance = random.Random(number * 100 + writer)
        for batch in range(100_000):
            ids = [f"r{number}-w{writer}-b{batch}-{i}" for i in range(chance.randrange(1, 20))]
            events = [{"event_id": event_id, "type": "view", "visitor_id": f"v{chance.randrange(50)}",
                       "product_id": f"p{chance.randrange(100)}"} for event_id in ids]
            events.append(dict(events[0]))  # a duplicate inside the batch
            if batch % 3 == 0:
                events[0]["user_id"] = f"u{chance.randrange(20)}"
            try:
                answer = server.send(*events)
                acknowledged.extend(ids)
                if answer["accepted"] != len(ids) or answer["duplicates"] != 1:
                    wrong.append(answer)
            except AssertionError as error:  # an answer that is no 200
                wrong.append(error)
                return
            except Exception:  # killed: whether this batch is on disk is not known
                unanswered.append(events)
                return

    @staticmethod
    def resend(data, unanswered, acknowledged):
        """A client that got no answer sends again; each event must end up there once."""
        with vitrine.Server(data) as server:
            for events in unanswered:
                answer = server.send(*events)
                assert answer["accepted"] + answer["duplicates"] == len(events), answer
                acknowledged.extend({event["event_id"] for event in events})

    @staticmethod
    def exported(data):
        out = data.parent / "events.ndjson"
        vitrine.run("export", "--data", data, "--what", "events", "--format", "ndjson", "--out", out)
        with open(out) as lines:
            return collections.Counter(json.loads(line)["event_id"] for line in lines)


if __name__ == "__main__":
    unittest.main()
