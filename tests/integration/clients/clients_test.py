#!/usr/bin/env python3
"""The official clients of Segment and RudderStack, unchanged, take one shopper from the first look to the refund.

VITRINE_CLIENTS is a folder with what package.json and requirements.txt name, as `./run test` makes it. Without it, or
without a browser, what needs it is skipped, and the reason is printed.
"""

import collections
import http.client
import json
import os
import pathlib
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "support"))
sys.path.insert(0, str(HERE.parent / "live"))
import shop  # noqa: E402
import vitrine  # noqa: E402
from flaky_proxy import FlakyProxy  # noqa: E402

RESTARTS = int(os.environ.get("VITRINE_CLIENT_RESTARTS", "6"))
INSTALLED = pathlib.Path(os.environ.get("VITRINE_CLIENTS", "build/clients"))
CHROMIUM = os.environ.get("VITRINE_CHROMIUM") or shutil.which("chromium")
SKIPPED = 77  # what ctest takes for "not run"

BOUGHT, RETURNED, VIEWED = shop.product_id(3, 1), shop.product_id(3, 2), shop.product_id(3, 3)

# Segment's own example of an order: all ways of reckoning lead to 22.50.
ORDER = {"total": 27.50, "subtotal": 22.50, "revenue": 25.00, "shipping": 3, "tax": 2, "discount": 2.5,
         "currency": "EUR", "coupon": "hasbros"}
EXPECTED = {"page": 1, "view": 2, "cart_add": 2, "identify": 1, "purchase": 2, "refund": 1}


def journey(name):
    """Anonymous browsing, login, cart, order, refund."""
    visitor, user, order = f"{name}-visitor", f"{name}-user", f"{name}-order"
    lines = [{"product_id": BOUGHT, "price": 12.5, "quantity": 1, "position": 1},
             {"product_id": RETURNED, "price": "5.00", "quantity": 2}]

    def track(event, properties, **who):
        return {"kind": "track", "event": event, "properties": properties, **who}
    anonymous, known = {"anonymousId": visitor}, {"anonymousId": visitor, "userId": user}
    return [
        {"kind": "page", "name": "Home", "properties": {"path": "/"}, **anonymous},
        track("Product Viewed", {"product_id": VIEWED}, **anonymous),
        track("Product Viewed", {"product_id": BOUGHT}, **anonymous),
        track("Product Added", {"product_id": BOUGHT, "quantity": 1}, **anonymous),
        {"kind": "identify", "traits": {"plan": "gold"}, **known},
        track("Product Added", {"product_id": RETURNED, "quantity": 2}, **known),
        track("Order Completed", {"order_id": order, **ORDER, "products": lines}, **known),
        track("Order Refunded", {"order_id": order, "products": lines[1:]}, **known),
    ]


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


class ClientsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.home = pathlib.Path(cls.folder.name)
        cls.data = cls.home / "data"
        shop.make(cls.data, cls.home, users=100)
        cls.shop_port = free_port()
        cls.origin = f"http://localhost:{cls.shop_port}"
        cls.key = cls.make_key("--scopes", "collect", "--origin", cls.origin)
        cls.backend = cls.make_key("--scopes", "collect", "--secret")
        cls.secret = cls.make_key("--scopes", "admin")
        cls.server = vitrine.Server(cls.data, open_to_all=False).start()

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()
        cls.folder.cleanup()

    @classmethod
    def make_key(cls, *arguments):
        return vitrine.run("keys", "create", "--data", cls.data, *arguments).stdout.strip()

    def ask(self, method, path, body=None):
        status, _, answer = self.server.request(method, path, body, {"Authorization": f"Bearer {self.secret}"})
        return status, answer

    def restart(self):
        with self.restarting:  # requests come side by side
            type(self).server.kill()
            type(self).server = vitrine.Server(self.data, open_to_all=False).start()
            self.proxy.upstream = self.server.port

    def setUp(self):
        self.proxy = None
        self.restarting = threading.Lock()
        self.endings = []

    def tearDown(self):
        for ending in self.endings:  # the last one may outlive the client
            ending.join()
        if self.proxy:
            self.proxy.close()

    def start_client(self, script, name, plan=(), flush_at=20, messages=None, key=None, **environment):
        """The client's process, with its messages; it speaks to the server through a proxy that follows the plan."""
        self.proxy = FlakyProxy(self.server.port, plan)
        # Modules are looked for beside the script.
        for file in HERE.glob("*.*"):
            if file.suffix in (".mjs", ".py"):
                shutil.copy(file, INSTALLED)
        path = self.home / f"{name}.json"
        path.write_text(json.dumps(messages or journey(name)))
        interpreter = "node" if script.endswith(".mjs") else sys.executable
        return subprocess.Popen([interpreter, INSTALLED / script], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, text=True, env={
                                    **os.environ, "PYTHONPATH": str(INSTALLED / "python"), "KEY": key or self.backend,
                                    "URL": f"http://127.0.0.1:{self.proxy.port}", "JOURNEY": str(path),
                                    "FLUSH_AT": str(flush_at), **environment})

    def run_client(self, script, name, plan=(), flush_at=20, messages=None):
        client = self.start_client(script, name, plan, flush_at, messages)
        said, _ = client.communicate(timeout=120)
        self.assertEqual(client.returncode, 0, said)
        if not plan:
            self.assertNotIn("error", said.lower())

    def run_browser(self, script, name, plan=(), host="localhost", until=None, mode=""):
        client = self.start_client(script, name, plan, key=self.key, SHOP_PORT=str(self.shop_port), SHOP_HOST=host,
                                   CHROMIUM=CHROMIUM, MODE=mode)
        try:
            said = client.stdout.readline()
            self.assertEqual(said, "sent\n", said if said == "sent\n" else said + client.stdout.read())
            vitrine.wait_until(until or (lambda: self.has_arrived(name, is_claimed=True)), 60,
                               f"the browser's events, {self.proxy.seen}")
        finally:
            client.communicate(timeout=30)

    def user(self, name):
        return self.ask("GET", f"/v1/users/{name}-user")

    def has_arrived(self, name, is_claimed=False):
        try:
            if is_claimed:  # a page proves nothing: the shop's backend says once who it is
                self.ask("POST", "/v1/events", {"events": [{"event_id": f"{name}-login", "type": "login",
                                                            "visitor_id": f"{name}-visitor", "user_id": f"{name}-user"}]})
            status, user = self.user(name)
        except (OSError, http.client.HTTPException):  # in the middle of a restart
            return False
        return status == 200 and user["computed"]["events_count"] >= sum(EXPECTED.values()) + is_claimed

    def check(self, name, confirmed=0):
        """The profile, the merge, the order, what is recommended, and that every event is there once."""
        status, user = self.user(name)
        self.assertEqual(status, 200, user)
        self.assertEqual(user["visitors"], [f"{name}-visitor"])
        self.assertEqual(user["traits"], {"plan": "gold"})
        self.assertEqual(user["computed"]["orders_count"], 1)
        self.assertEqual(user["computed"]["events_count"], sum(EXPECTED.values()) + confirmed)
        self.assertIn(VIEWED, {event["product_id"] for event in user["recent"]}, "the visitor's look came along")
        self.check_recommendations(name)
        self.check_log(name, confirmed)

    def check_recommendations(self, name):
        status, answer = self.ask("POST", "/v1/recommendations", {"placement": "home", "user_id": f"{name}-user"})
        self.assertEqual((status, answer.get("personalized")), (200, True), answer)
        for product, is_kept_out in ((BOUGHT, True), (RETURNED, False)):
            _, why = self.ask("POST", "/v1/recommendations/why-not",
                              {"placement": "home", "user_id": f"{name}-user", "product_id": product})
            self.assertEqual(why.get("stage") == "purchased", is_kept_out, why)

    def events_of(self, name):
        out = self.home / "events.ndjson"
        vitrine.run("export", "--data", self.data, "--what", "events", "--format", "ndjson", "--out", out)
        with open(out, encoding="utf-8") as lines:
            return [event for event in map(json.loads, lines) if event.get("user_id") == f"{name}-user"
                    or event.get("visitor_id") == f"{name}-visitor"]

    def check_log(self, name, confirmed):
        events = self.events_of(name)
        self.assertEqual(collections.Counter(event["type"] for event in events),
                         {**EXPECTED, **({"login": confirmed} if confirmed else {})})
        first = next(event for event in events if event["type"] == "purchase" and event["product_id"] == BOUGHT)
        order = first["properties"]["order"]
        self.assertEqual((order["net"], order["net_rule"]), ("22.50", "subtotal"))
        self.assertEqual((first["price"], first["currency"], first["coupon_code"]), ("12.50", "EUR", "hasbros"))

    def test_segment_for_node(self):
        self.run_client("segment_node.mjs", "segment-node")
        self.check("segment-node")
        self.assertEqual({path for path, _, _ in self.proxy.seen}, {"/v1/batch"})

    def test_segment_for_node_sends_again_until_each_event_is_there_once(self):
        plan = ["busy", "lose", self.restart, "down", "pass", "lose"]
        self.run_client("segment_node.mjs", "segment-again", plan, flush_at=2)
        self.check("segment-again")
        self.assertGreaterEqual(len(self.proxy.seen), 4 + 4)

    def test_rudderstack_for_node(self):
        self.run_client("rudder_node.mjs", "rudder-node")
        self.check("rudder-node")
        packed = [headers for _, headers, _ in self.proxy.seen if headers.get("Content-Encoding") == "gzip"]
        self.assertTrue(packed, "it packs what it sends")

    def test_rudderstack_for_node_sends_again_until_each_event_is_there_once(self):
        self.run_client("rudder_node.mjs", "rudder-again", ["lose", "busy", self.restart, "down", "lose"], flush_at=3)
        self.check("rudder-again")
        self.assertGreaterEqual(len(self.proxy.seen), 3 + 4)

    def test_segment_for_python(self):
        self.run_client("segment_python.py", "segment-python")
        self.check("segment-python")

    def test_segment_for_python_sends_again_until_each_event_is_there_once(self):
        self.run_client("segment_python.py", "python-again", ["busy", "lose", self.restart, "down", "lose"], flush_at=3)
        self.check("python-again")
        self.assertGreaterEqual(len(self.proxy.seen), 3 + 4)

    def kill_in_flight(self):
        """Dies at a moment that is drawn while the request is on its way or being carried out, and comes back."""
        self.proxy.pause()
        chance = random.Random(len(self.proxy.seen))

        def end():
            self.restart()
            self.proxy.resume()
        self.endings.append(threading.Timer(chance.random() * 0.01, end))
        self.endings[-1].start()

    def check_many(self, script):
        """Small batches, and the server killed again and again under them."""
        name = pathlib.Path(script).stem.replace("_", "-") + "-killed"
        count = 15 * RESTARTS
        messages = [{"kind": "track", "event": "Product Viewed", "anonymousId": f"{name}-visitor",
                     "properties": {"product_id": VIEWED, "n": n}} for n in range(count)]
        plan = ["pass", "pass", self.kill_in_flight] * RESTARTS
        self.run_client(script, name, plan, flush_at=5, messages=messages)
        for ending in self.endings:
            ending.join()
        numbers = collections.Counter(event["properties"]["n"] for event in self.events_of(name))
        print(f"{name}: {RESTARTS} restarts, {count} events sent, {len(numbers)} there, "
              f"{sum(numbers.values()) - len(numbers)} double")
        self.assertEqual(numbers, {n: 1 for n in range(count)})
        self.assertEqual(len(self.proxy.plan), 0, "all restarts took place")

    def test_segment_for_node_loses_nothing_when_the_server_is_killed_in_flight(self):
        self.check_many("segment_node.mjs")

    def test_rudderstack_for_node_loses_nothing_when_the_server_is_killed_in_flight(self):
        self.check_many("rudder_node.mjs")

    def test_segment_for_python_loses_nothing_when_the_server_is_killed_in_flight(self):
        self.check_many("segment_python.py")

    def flood(self, server, size, ending):
        """Batches of so many events, one after the other; what becomes of them is not looked at."""
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
        while not ending.is_set():
            body = json.dumps({"events": [{"type": "view", "visitor_id": "flood", "product_id": VIEWED}] * size})
            connection.request("POST", "/v1/events", body, {"Authorization": f"Bearer {self.secret}"})
            connection.getresponse().read()
        connection.close()

    def test_segment_for_node_delivers_once_what_a_full_queue_refused(self):
        ending = threading.Event()
        type(self).server.stop()
        type(self).server = vitrine.Server(self.data, "--queue-commands", "16", open_to_all=False).start()
        # Large batches make commits long; many small ones meanwhile fill the queue.
        floods = [threading.Thread(target=self.flood, args=(self.server, size, ending)) for size in [2000] * 4 + [1] * 60]
        for flood in floods:
            flood.start()
        messages = [{"kind": "track", "event": "Product Viewed", "anonymousId": "full-visitor",
                     "properties": {"product_id": VIEWED, "n": n}} for n in range(20)]
        client = self.start_client("segment_node.mjs", "full", flush_at=1, messages=messages)
        try:
            vitrine.wait_until(lambda: self.proxy.statuses[429] >= 3 or client.poll() is not None, 60, "refusals")
        finally:
            ending.set()
            for flood in floods:
                flood.join()
        said, _ = client.communicate(timeout=120)
        self.assertEqual(client.returncode, 0, said)
        print(f"full queue: {self.proxy.statuses[429]} refusals met by the client")
        self.assertGreaterEqual(self.proxy.statuses[429], 1)
        numbers = collections.Counter(event["properties"]["n"] for event in self.events_of("full"))
        self.assertEqual(numbers, {n: 1 for n in range(20)})

    @unittest.skipUnless(CHROMIUM, "skipped: there is no chromium")
    def test_segment_in_a_browser(self):
        self.run_browser("segment_browser.mjs", "browser")
        self.check("browser", confirmed=1)
        self.assertEqual({path for path, _, _ in self.proxy.seen}, {"/v1/p", "/v1/t", "/v1/i"})
        self.assertEqual({headers["Content-Type"] for _, headers, _ in self.proxy.seen}, {"text/plain"})

    @unittest.skipUnless(CHROMIUM, "skipped: there is no chromium")
    def test_segment_in_a_browser_sends_again_until_each_event_is_there_once(self):
        self.run_browser("segment_browser.mjs", "browser-again", ["busy", "lose", "pass", self.restart, "lose", "down"])
        self.check("browser-again", confirmed=1)
        self.assertGreaterEqual(len(self.proxy.seen), 8 + 4)

    @unittest.skipUnless(CHROMIUM, "skipped: there is no chromium")
    def test_rudderstack_in_a_browser(self):
        self.run_browser("rudder_browser.mjs", "rudder-browser")
        self.check("rudder-browser", confirmed=1)
        self.assertEqual({path for path, _, _ in self.proxy.seen}, {"/v1/page", "/v1/track", "/v1/identify"})

    @unittest.skipUnless(CHROMIUM, "skipped: there is no chromium")
    def test_rudderstack_in_a_browser_sends_again_until_each_event_is_there_once(self):
        self.run_browser("rudder_browser.mjs", "rudder-browser-again", ["busy", "lose", "pass", self.restart, "down"])
        self.check("rudder-browser-again", confirmed=1)

    @unittest.skipUnless(CHROMIUM, "skipped: there is no chromium")
    def test_rudderstack_in_a_page_that_closes(self):
        self.run_browser("rudder_browser.mjs", "rudder-beacon", mode="beacon")
        self.check("rudder-beacon", confirmed=1)
        self.assertEqual({path for path, _, _ in self.proxy.seen}, {"/beacon/v1/batch"})

    @unittest.skipUnless(CHROMIUM, "skipped: there is no chromium")
    def test_a_page_of_a_foreign_origin_is_refused_by_the_browser(self):
        preflights = []
        original = FlakyProxy.forward

        def counted(proxy, request, body):
            if request.command == "OPTIONS" or request.command == "GET":
                preflights.append(request.path)
            return original(proxy, request, body)
        FlakyProxy.forward = counted
        try:
            self.run_browser("segment_browser.mjs", "foreign", host="127.0.0.1", until=lambda: bool(preflights))
        finally:
            FlakyProxy.forward = original
        self.assertEqual(self.proxy.seen, [], "nothing is sent after a refused preflight")
        self.assertEqual(self.user("foreign")[0], 404)


def missing():
    """Why the clients cannot be run, or nothing."""
    if not shutil.which("node"):
        return "there is no node"
    for part in ("node_modules/@segment/analytics-node", "node_modules/@rudderstack/rudder-sdk-node",
                 "node_modules/@segment/analytics-next", "node_modules/@rudderstack/analytics-js", "python/segment"):
        if not (INSTALLED / part).exists():
            return f"{part} is not in {INSTALLED}: './run test' installs it"
    return None


if __name__ == "__main__":
    why = missing()
    if why:
        print(f"skipped: {why}")
        sys.exit(SKIPPED)
    unittest.main()
