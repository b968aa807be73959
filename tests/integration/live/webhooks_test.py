#!/usr/bin/env python3
"""Webhooks to a real receiver: signed, in order, again until they arrive, across kill -9, and never to own networks."""

import base64
import hashlib
import hmac
import http.server
import json
import pathlib
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
import vitrine  # noqa: E402

FAST = ("--webhook-retry-ms", "50", "--webhook-timeout-ms", "2000")


class Receiver:
    """Takes POSTs on loopback; `answer(path, event)` decides the status, 200 without it."""

    def __init__(self, answer=None, seconds=0.0, headers=None):
        self.got = []
        self.lock = threading.Lock()
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                time.sleep(seconds)
                event = json.loads(body)
                status = answer(self.path, event) if answer else 200
                with receiver.lock:
                    receiver.got.append((status, dict(self.headers), body, event))
                self.send_response(status)
                for name, value in (headers or {}).items():
                    self.send_header(name, value)
                if status == 302:
                    self.send_header("Location", "/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *arguments):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.handle_error = lambda *_: None  # a server that was killed resets its connections
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def port(self):
        return self.server.server_address[1]

    def url(self, path="/in"):
        return f"http://127.0.0.1:{self.port}{path}"

    def delivered(self):
        with self.lock:
            return [event for status, _, _, event in self.got if status < 300 and event["type"] != "webhook.ping"]

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def expected_signature(secret, headers, body):
    """Written from the Standard Webhooks specification, apart from the server."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    content = f'{headers["webhook-id"]}.{headers["webhook-timestamp"]}.'.encode() + body
    return "v1," + base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()


def put(server, path, body, expect=(200, 201)):
    status, _, answer = server.request("PUT", path, body)
    assert status in expect, (path, status, answer)
    return answer


def make_segment(server, key="viewers", expression='count("view", "1d") >= 1'):
    put(server, f"/v1/segments/{key}", {"expression": expression})
    vitrine.wait_until(lambda: server.get(f"/v1/segments/{key}")["state"] == "live", 20, "the segment is live")


def make_static(server, key):
    put(server, f"/v1/segments/{key}", {"kind": "static"})


def view(user, number=0):
    return {"event_id": f"{user}-{number}", "type": "view", "user_id": user, "product_id": "p1"}


def follow(server, key, url, **more):
    """Makes a webhook, and waits until it follows: who is in by then is not told."""
    made = put(server, f"/v1/webhooks/{key}", {"url": url, **more})
    vitrine.wait_until(lambda: server.get(f"/v1/webhooks/{key}")["state"] == "live", 20, "the webhook follows")
    return made


def metrics(server):
    return server.get("/metrics").encode()


def users(events):
    return [event["data"]["user_id"] for event in events]


class WebhooksTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.data = pathlib.Path(self.folder.name) / "data"
        self.receivers = []

    def tearDown(self):
        for receiver in self.receivers:
            receiver.close()
        self.folder.cleanup()

    def receiver(self, *arguments, **options):
        self.receivers.append(Receiver(*arguments, **options))
        return self.receivers[-1]

    def server(self, *arguments):
        return vitrine.Server(self.data, "--webhook-allow-private", *FAST, *arguments)

    def test_a_receiver_that_is_gone_is_told_no_more_and_the_webhook_says_so(self):
        is_gone = [True]
        receiver = self.receiver(lambda path, event: 410 if is_gone[0] else 200)
        with self.server() as server:
            make_segment(server)
            follow(server, "crm", receiver.url())
            server.send(view("ann"))
            vitrine.wait_until(lambda: server.get("/v1/webhooks/crm")["state"] == "stopped", 20, "it is stopped")
            stopped = server.get("/v1/webhooks/crm")
            self.assertFalse(stopped["active"])
            self.assertIn("410", stopped["stopped_because"])
            tries = len(receiver.got)
            server.send(view("bob"))
            time.sleep(0.5)  # ten times what a failure waits for
            self.assertEqual(len(receiver.got), tries)

            is_gone[0] = False
            again = put(server, "/v1/webhooks/crm", {"url": receiver.url()})
            self.assertIsNone(again["stopped_because"])
            vitrine.wait_until(lambda: sorted(users(receiver.delivered())) == ["ann", "bob"], 20, "both are told")

    def test_a_receiver_that_asks_for_a_rest_gets_it(self):
        receiver = self.receiver(lambda path, event: 429 if len(receiver.got) == 0 else 200,
                                 headers={"Retry-After": "2"})
        with self.server() as server:
            make_segment(server)
            follow(server, "crm", receiver.url())
            server.send(view("ann"))
            vitrine.wait_until(lambda: len(receiver.got) == 1, 20, "refused")
            refused = time.monotonic()
            server.send(view("bob"))
            vitrine.wait_until(lambda: len(receiver.delivered()) == 2, 20, "both are told")
            self.assertGreater(time.monotonic() - refused, 1.5)

    def test_who_comes_and_goes_is_told_in_order_and_signed(self):
        receiver = self.receiver()
        with self.server() as server:
            make_segment(server, "vip", 'count("purchase", "1d") >= 1 && count("refund", "1d") == 0')
            secret = follow(server, "crm", receiver.url())["secret"]
            server.send({"event_id": "1", "type": "purchase", "user_id": "ann", "product_id": "p1", "order_id": "o1"})
            vitrine.wait_until(lambda: len(receiver.delivered()) == 1, 20, "entered")
            server.send({"event_id": "2", "type": "refund", "user_id": "ann", "product_id": "p1", "order_id": "o1"})
            vitrine.wait_until(lambda: len(receiver.delivered()) == 2, 20, "left")
            self.assertEqual([event["type"] for event in receiver.delivered()], ["segment.entered", "segment.left"])
            first = receiver.delivered()[0]
            self.assertEqual((first["specversion"], first["source"], first["data"]),
                             ("1.0", "/segments/vip", {"segment": "vip", "user_id": "ann"}))
            self.assertLess(first["sequence"], receiver.delivered()[1]["sequence"])
            _, headers, body, event = receiver.got[0]
            self.assertEqual(headers["Content-Type"], "application/cloudevents+json; charset=utf-8")
            self.assertEqual(headers["webhook-id"], event["id"])
            self.assertLess(abs(int(headers["webhook-timestamp"]) - time.time()), 60)
            self.assertEqual(headers["webhook-signature"], expected_signature(secret, headers, body))

            # For a day both secrets sign.
            renewed = server.post("/v1/webhooks/crm/secret", {})["secret"]
            self.assertNotEqual(renewed, secret)
            ping = server.post("/v1/webhooks/crm/ping", {})
            self.assertEqual((ping["delivered"], ping["http_status"]), (True, 200))
            _, headers, body, event = receiver.got[-1]
            self.assertEqual(event["type"], "webhook.ping")
            self.assertEqual(headers["webhook-signature"].split(" "),
                             [expected_signature(each, headers, body) for each in (renewed, secret)])
            self.assertNotIn("secret", server.get("/v1/webhooks/crm"))

    def test_failures_are_tried_again_and_hold_up_nobody_else(self):
        failures = {"bob": 3}

        def answer(_, event):
            user = event["data"].get("user_id")
            if failures.get(user, 0) == 0:
                return 200
            failures[user] -= 1
            return 500
        receiver = self.receiver(answer)
        with self.server() as server:
            make_segment(server)
            follow(server, "crm", receiver.url())
            server.send(view("bob"), view("eve"))
            vitrine.wait_until(lambda: len(receiver.delivered()) == 2, 20, "both")
            self.assertEqual(users(receiver.delivered()), ["eve", "bob"])
            ids = {event["id"] for _, _, _, event in receiver.got if event["data"]["user_id"] == "bob"}
            self.assertEqual(len(ids), 1, "an attempt that is repeated is known by its id")

            def outcomes():  # an attempt is noted once its answer is read
                return sorted(attempt["http_status"] for attempt in server.get("/v1/webhooks/crm/attempts")["attempts"])
            vitrine.wait_until(lambda: len(outcomes()) == 5, 5, "both are noted")
            self.assertEqual(outcomes(), [200, 200, 500, 500, 500])

    def test_what_never_succeeds_is_given_up_and_can_be_sent_again(self):
        is_well = threading.Event()
        receiver = self.receiver(lambda *_: 200 if is_well.is_set() else 302)
        with self.server("--webhook-attempts", "2") as server:
            make_segment(server)
            follow(server, "crm", receiver.url())
            server.send(view("ann"))
            vitrine.wait_until(lambda: server.get("/v1/webhooks/crm")["dead"] == 1, 20, "given up")
            dead = server.get("/v1/webhooks/crm/deliveries?state=dead")["deliveries"]
            self.assertEqual([(one["user_id"], one["attempts"], one["http_status"]) for one in dead], [("ann", 2, 302)])
            self.assertTrue(all(event["data"]["user_id"] == "ann" for _, _, _, event in receiver.got))
            is_well.set()
            self.assertEqual(server.post("/v1/webhooks/crm/redeliver", {}), {"redelivered": 1})
            vitrine.wait_until(lambda: users(receiver.delivered()) == ["ann"], 20, "sent again")
            vitrine.wait_until(lambda: server.get("/v1/webhooks/crm")["dead"] == 0, 5, "no more dead")

    def test_nothing_is_lost_by_kill_nine(self):
        is_well = threading.Event()
        receiver = self.receiver(lambda *_: 200 if is_well.is_set() else 503)
        wanted = set()
        with self.server() as server:
            make_segment(server)
            follow(server, "crm", receiver.url())
        for round_number in range(3):
            if round_number == 2:
                is_well.set()
            with self.server() as server:
                some = [f"u{round_number}-{number}" for number in range(40)]
                wanted.update(some)
                server.send(*[view(user) for user in some])
                if round_number == 1:
                    vitrine.wait_until(lambda: receiver.got, 20, "some are on their way")
                server.kill()  # what was acknowledged is told all the same
        with self.server():
            vitrine.wait_until(lambda: wanted <= set(users(receiver.delivered())), 60, "everybody")
            self.assertEqual({event["type"] for event in receiver.delivered()}, {"segment.entered"})
            self.assertEqual(set(users(receiver.delivered())), wanted)

    def test_a_slow_target_delays_no_other_one(self):
        slow = self.receiver(seconds=1.5)
        fast = self.receiver()
        with self.server() as server:
            make_segment(server)
            put(server, "/v1/webhooks/slow", {"url": slow.url()})
            put(server, "/v1/webhooks/gone", {"url": "http://127.0.0.1:9/"})
            follow(server, "fast", fast.url())
            server.send(*[view(f"u{number}") for number in range(100)])
            began = time.monotonic()
            vitrine.wait_until(lambda: len(fast.delivered()) == 100, 20, "the fast one")
            self.assertLess(len(slow.delivered()), 100)
            self.assertLess(time.monotonic() - began, 10)

    def test_own_networks_are_never_called(self):
        receiver = self.receiver()
        with vitrine.Server(self.data, *FAST) as server:
            for url in (receiver.url(), "https://127.0.0.1/", "https://[::1]/", "https://0x7f000001/",
                        "https://169.254.169.254/latest/", "https://10.0.0.8/", "https://[::ffff:10.0.0.1]/"):
                status, _, answer = server.request("PUT", "/v1/webhooks/own", {"url": url})
                self.assertEqual((status, answer["error"]["field"]), (400, "url"), url)
            # A name says nothing until it is resolved, so it is judged by its addresses when it is called.
            put(server, "/v1/webhooks/own", {"url": f"https://localhost:{receiver.port}/"})
            ping = server.post("/v1/webhooks/own/ping", {})
            self.assertEqual((ping["delivered"], ping["http_status"]), (False, None))
            self.assertIn("is a private address", ping["error"])
            self.assertEqual(receiver.got, [])

    def test_certificates_are_verified(self):
        folder = pathlib.Path(self.folder.name)
        certificate, key = folder / "certificate.pem", folder / "key.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                        "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", key,
                        "-out", certificate], check=True, capture_output=True)
        receiver = self.receiver()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        receiver.server.socket = context.wrap_socket(receiver.server.socket, server_side=True)
        urls = {"right": f"https://localhost:{receiver.port}/", "other-name": f"https://127.0.0.1:{receiver.port}/"}
        for arguments, delivered in (((), []), (("--webhook-ca", str(certificate)), ["right"])):
            with self.server(*arguments) as server:
                for key_name, url in urls.items():
                    put(server, f"/v1/webhooks/{key_name}", {"url": url})
                pings = {name: server.post(f"/v1/webhooks/{name}/ping", {}) for name in urls}
                self.assertEqual([name for name, ping in pings.items() if ping["delivered"]], delivered, pings)
                self.assertIn("certificate", pings["other-name"]["error"])
        self.assertEqual(len(receiver.got), 1)

    def test_who_is_erased_is_told_of_no_more(self):
        is_well = threading.Event()
        receiver = self.receiver(lambda *_: 200 if is_well.is_set() else 500)
        with self.server() as server:
            make_segment(server)
            follow(server, "crm", receiver.url())
            server.send(view("erase-me-4711"), view("stays"))
            vitrine.wait_until(lambda: server.get("/v1/webhooks/crm")["waiting"] == 2, 20, "both wait")
            self.assertIn(server.request("DELETE", "/v1/users/erase-me-4711")[0], (200, 202))
            vitrine.wait_until(lambda: server.get("/v1/webhooks/crm")["waiting"] == 1, 30, "one waits")
            before = len(receiver.got)
            is_well.set()
            vitrine.wait_until(lambda: users(receiver.delivered()) == ["stays"], 20, "the other one")
            self.assertNotIn("erase-me-4711", [event["data"]["user_id"] for _, _, _, event in receiver.got[before:]])
        for file in (self.data / "store").rglob("*"):
            if file.is_file():
                self.assertNotIn(b"erase-me-4711", file.read_bytes(), file)

    def test_a_full_queue_delays_and_loses_nothing(self):
        is_well = threading.Event()
        receiver = self.receiver(lambda *_: 200 if is_well.is_set() else 500)
        with self.server("--webhook-waiting", "10") as server:
            make_static(server, "chosen")
            follow(server, "crm", receiver.url(), types=["segment.entered"], segments=["chosen"])
            everybody = [f"u{number}" for number in range(50)]
            server.send(*[view(user) for user in everybody])
            for at in range(0, 50, 5):
                server.post("/v1/segments/chosen/members", {"add": everybody[at:at + 5]})
            vitrine.wait_until(lambda: server.get("/v1/webhooks/crm")["waiting"] >= 5, 20, "some wait")
            vitrine.wait_until(lambda: b"vitrine_webhooks_held_back_total 0" not in metrics(server), 20, "some is held back")
            self.assertLessEqual(server.get("/v1/webhooks/crm")["waiting"], 10)
            is_well.set()
            vitrine.wait_until(lambda: set(users(receiver.delivered())) == set(everybody), 60, "everybody")

    def test_an_edit_tells_the_difference_and_a_pause_misses_nothing(self):
        receiver = self.receiver()
        with self.server() as server:
            server.send(view("early"))
            make_segment(server)
            made = follow(server, "crm", receiver.url())
            server.send(view("once"), view("twice"), view("twice", 1))
            vitrine.wait_until(lambda: len(receiver.delivered()) == 2, 20, "both")
            self.assertEqual(set(users(receiver.delivered())), {"once", "twice"}, "who was in before is no news")
            put(server, "/v1/segments/viewers", {"expression": 'count("view", "1d") >= 2'})
            vitrine.wait_until(lambda: len(receiver.delivered()) == 4, 20, "the difference")
            left = receiver.delivered()[2:]
            self.assertEqual({(event["type"], event["data"]["user_id"]) for event in left},
                             {("segment.left", "once"), ("segment.left", "early")})
            paused = {"url": made["url"], "active": False}
            put(server, "/v1/webhooks/crm", paused)
            server.send(view("once", 1), view("late"), view("late", 1))
            vitrine.wait_until(lambda: server.get("/v1/segments/viewers")["size"] == 3, 20, "they are in")
            self.assertEqual(len(receiver.delivered()), 4)
        with self.server() as server:
            put(server, "/v1/webhooks/crm", {**paused, "active": True})
            vitrine.wait_until(lambda: len(receiver.delivered()) == 6, 20, "what happened in the pause")
            self.assertEqual({(event["type"], event["data"]["user_id"]) for event in receiver.delivered()[4:]},
                             {("segment.entered", "once"), ("segment.entered", "late")})
            server.request("DELETE", "/v1/webhooks/crm")
            server.send(view("nobody", 0), view("nobody", 1))
            vitrine.wait_until(lambda: server.get("/v1/segments/viewers")["size"] == 4, 20, "one more is in")
        self.assertEqual(len(receiver.delivered()), 6)

    def test_changes_need_the_version_they_were_made_from(self):
        with self.server() as server:
            body = {"url": "http://127.0.0.1:9/", "segments": ["vip"], "active": False}
            status, _, made = server.request("PUT", "/v1/webhooks/crm?validate_only=true", body)
            self.assertEqual((status, "secret" in made), (200, False))
            self.assertEqual(server.get("/v1/webhooks"), {"webhooks": []})
            version = put(server, "/v1/webhooks/crm", body)["version"]
            self.assertEqual(server.request("PUT", "/v1/webhooks/crm", body, {"If-Match": '"99"'})[0], 409)
            read = server.get("/v1/webhooks/crm")
            self.assertEqual(read["state"], "stopped")
            put(server, "/v1/webhooks/crm", read, (200,))
            self.assertEqual(server.request("DELETE", "/v1/webhooks/crm", None, {"If-Match": f'"{version}"'})[0], 409)
            self.assertEqual(server.request("DELETE", "/v1/webhooks/crm")[0], 204)
            self.assertEqual(server.request("GET", "/v1/webhooks/crm")[0], 404)


if __name__ == "__main__":
    unittest.main()
