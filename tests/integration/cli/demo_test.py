#!/usr/bin/env python3
"""./run demo: from the shop's files to a running server, with commands to paste that do what they say."""

import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import threading
import unittest

import folder  # noqa: F401  (puts the support on the path)
import vitrine


def demo(*arguments, port):
    environment = os.environ | {"VITRINE_BINARY": str(vitrine.BINARY), "VITRINE_DEMO_PORT": str(port), "CI": "true"}
    return subprocess.Popen(["./run", "demo", *arguments], cwd=vitrine.ROOT, env=environment, text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)


class DemoTest(unittest.TestCase):
    def test_what_it_shows_and_the_commands_it_prints(self):
        running = demo(port=0)
        self.addCleanup(lambda: running.poll() is None and os.killpg(running.pid, signal.SIGKILL))
        said, is_up = [], threading.Event()

        def listen():
            for line in running.stdout:
                said.append(line)
                if "until Ctrl-C" in line:
                    is_up.set()
            is_up.set()

        threading.Thread(target=listen, daemon=True).start()
        self.assertTrue(is_up.wait(240), "".join(said))
        text = "".join(said)
        self.assertIsNone(running.poll(), text)
        self.assertIn("What 12347 did last", text)
        for reason in ("You bought this before", "Because you bought", "Similar to", "Often bought together with"):
            self.assertIn(reason, text)

        commands = re.findall(r"^curl .*$", text, re.MULTILINE)
        self.assertEqual(len(commands), 3)
        personal, clicked, similar = (self.answer_of(command) for command in commands)
        self.assertTrue(personal["personalized"])
        self.assertTrue(any(product["reason"].get("product_id") == "22423" for product in clicked["products"]))
        self.assertEqual(similar["placement"], "product_page")
        self.assertTrue(all(product["title"] for product in similar["products"]))

        os.killpg(running.pid, signal.SIGINT)
        self.assertEqual(running.wait(30), 0)

    def answer_of(self, command):
        done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60)
        server_said = (pathlib.Path(vitrine.BINARY).resolve().parent.parent / "demo.log").read_text()
        self.assertEqual(done.returncode, 0, f"{command}\n{done.stdout}\n{done.stderr}\n{server_said}")
        return json.loads(done.stdout[done.stdout.index("{\n"):])

    def test_a_port_that_is_taken_is_said_so(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            running = demo("--once", port=taken.getsockname()[1])
            said, _ = running.communicate(timeout=240)
        self.assertNotEqual(running.returncode, 0)
        self.assertIn("somebody else listens on port", said)


if __name__ == "__main__":
    unittest.main()
