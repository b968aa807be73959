#!/usr/bin/env python3
"""kill -9 while writes with an Idempotency-Key are under way: sent again, each has been done once, whenever the kill came."""

import pathlib
import random
import sys
import tempfile
import threading
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
import vitrine  # noqa: E402

ROUNDS = 12
KEEPS_ALL = ("--idempotent-answers", "1000000")
WRITERS = 6
CAMPAIGN = {"state": "active", "window": {"end": "2099-12-31", "time_zone": "Europe/Berlin"}}
OFFER = {"campaign": "spring", "trigger": "code", "effect": {"kind": "percent", "percent_off": 5},
         "amounts": {"*": {"currency": "EUR", "max_discount": "8.00"}}}
ONE_CODE = {"offer": "five", "codes": 1}  # every time it is done there is one code more


def make_code(server, key):
    status, headers, body = server.request("POST", "/v1/grants", ONE_CODE, {"Idempotency-Key": key})
    assert status == 200, (status, body)
    return body["grants"][0]["grant"]["code"], headers.get("Idempotent-Replayed") == "true"


class RepeatedWritesTest(unittest.TestCase):
    def test_each_is_done_once(self):
        chance = random.Random(11)
        answered, unanswered, wrong = {}, [], []
        with tempfile.TemporaryDirectory() as folder:
            data = pathlib.Path(folder) / "data"
            for number in range(ROUNDS):
                server = vitrine.Server(data, *KEEPS_ALL).start()
                if number == 0:
                    self.assertEqual(server.request("PUT", "/v1/campaigns/spring", CAMPAIGN)[0], 201)
                    self.assertEqual(server.request("PUT", "/v1/offers/five", OFFER)[0], 201)
                writers = [threading.Thread(target=self.write, args=(server, f"{number}-{w}", answered, unanswered, wrong))
                           for w in range(WRITERS)]
                for writer in writers:
                    writer.start()
                # The moment of death is what the test is about, so it is drawn, and no condition is waited for.
                threading.Event().wait(0.05 + chance.random() * 0.15)
                server.kill()
                for writer in writers:
                    writer.join()
            with vitrine.Server(data, *KEEPS_ALL) as server:
                again = {key: make_code(server, key) for key in unanswered}
                for key in chance.sample(sorted(answered), min(200, len(answered))):
                    self.assertEqual(make_code(server, key), (answered[key], True))
                codes = {*answered.values(), *(code for code, _ in again.values())}
                issued = server.get("/v1/offers/five/results")["issued"]["committed"]
        done_before = sum(is_replayed for _, is_replayed in again.values())
        print(f"repeated writes: {ROUNDS} kills, {len(answered)} answered, {len(unanswered)} not, "
              f"of which {done_before} had been done")
        self.assertEqual(wrong, [])
        self.assertGreater(len(answered), ROUNDS * WRITERS)
        self.assertGreater(done_before, 0, "a kill came between a write and its answer")
        self.assertEqual(len(codes), len(answered) + len(unanswered))
        self.assertEqual(issued, len(codes))

    @staticmethod
    def write(server, writer, answered, unanswered, wrong):
        for number in range(100_000):
            key = f"{writer}-{number}"
            try:
                answered[key], is_replayed = make_code(server, key)
                if is_replayed:
                    wrong.append(key)
            except AssertionError as error:  # an answer that is no 200
                wrong.append(error)
                return
            except Exception:  # killed: whether it was done is not known
                unanswered.append(key)
                return


if __name__ == "__main__":
    unittest.main()
