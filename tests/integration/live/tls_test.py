#!/usr/bin/env python3
"""HTTPS on the real server: what it speaks, and that a new certificate is taken up without a dropped connection."""

import http.client
import pathlib
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
import vitrine  # noqa: E402


def make_certificate(folder, serial, days=30):
    """A self-signed certificate for 127.0.0.1, put in place as tools do it: by renaming."""
    key, chain = folder / "key.new", folder / "cert.new"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
                    key, "-out", chain, "-subj", "/CN=shop", "-addext", "subjectAltName=IP:127.0.0.1", "-days", str(days),
                    "-set_serial", str(serial)], check=True, capture_output=True)
    key.rename(folder / "key.pem")
    chain.rename(folder / "cert.pem")


RESTING_BYTES = 36 * 1024  # of a connection, in memory


class TlsTest(unittest.TestCase):
    def setUp(self):
        self.temporary = tempfile.TemporaryDirectory()
        self.addCleanup(self.temporary.cleanup)
        self.folder = pathlib.Path(self.temporary.name)
        make_certificate(self.folder, 1)

    def server(self, *arguments):
        return vitrine.Server(self.folder / "data", "--tls-cert", self.folder / "cert.pem", "--tls-key",
                              self.folder / "key.pem", *arguments)

    def context(self, version=None):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        if version is not None:
            context.minimum_version = context.maximum_version = version
        return context

    def connect(self, server, context=None):
        connection = http.client.HTTPSConnection("127.0.0.1", server.port, timeout=20, context=context or self.context())
        connection.connect()
        return connection

    def serial(self, connection):
        shown = connection.sock.getpeercert(binary_form=True)
        text = subprocess.run(["openssl", "x509", "-inform", "der", "-noout", "-serial"], input=shown, check=True,
                              capture_output=True).stdout
        return int(text.decode().strip().removeprefix("serial="), 16)

    def ask(self, connection, body=None):
        connection.request("POST" if body else "GET", "/v1/events" if body else "/healthz", body)
        answer = connection.getresponse()
        return answer.status, answer.read()

    def test_speaks_tls_1_2_and_1_3_and_nothing_older(self):
        with self.server() as server:
            for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
                connection = self.connect(server, self.context(version))
                self.assertEqual([self.ask(connection)[0] for _ in range(3)], [200] * 3)
                self.assertEqual(connection.sock.version(), version.name.replace("_", "."))
            old = self.context()
            old.set_ciphers("ALL:@SECLEVEL=0")
            old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
            with self.assertRaises(ssl.SSLError):
                self.connect(server, old)

    def test_takes_bodies_and_answers_larger_than_a_record(self):
        events = ",".join('{"event_id":"%d","type":"view","visitor_id":"v","product_id":"p","query":"%s"}' % (i, "x" * 500)
                          for i in range(1000))
        with self.server() as server:
            connection = self.connect(server)
            status, answer = self.ask(connection, '{"events":[%s]}' % events)
            self.assertEqual(status, 200, answer[:300])
            connection.request("GET", "/openapi.yaml")
            self.assertGreater(len(connection.getresponse().read()), 32 * 1024)

    def test_records_that_come_in_pieces_are_put_together(self):
        """A byte a time: the server waits within a record again and again, also right after whole ones."""
        with self.server() as server, socket.create_connection(("127.0.0.1", server.port), timeout=20) as wire:
            wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            arriving, leaving = ssl.MemoryBIO(), ssl.MemoryBIO()
            client = self.context().wrap_bio(arriving, leaving)

            def go_on(step, piece_bytes):
                """Takes a step of the client's, moving bytes as it asks for them."""
                while True:
                    try:
                        return step()
                    except ssl.SSLWantReadError:
                        said = leaving.read()
                        for at in range(0, len(said), piece_bytes):
                            wire.sendall(said[at:at + piece_bytes])
                        arriving.write(wire.recv(65536))
            go_on(client.do_handshake, 100)
            for piece_bytes in (1, 4096, 1, 7, 4096):
                client.write(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
                self.assertIn(b"200 OK", go_on(lambda: client.read(4096), piece_bytes))

    def test_a_client_at_rest_holds_no_buffers(self):
        """OpenSSL's buffers take 34 KiB a connection, everything else some 21."""
        def memory():
            text = pathlib.Path(f"/proc/{server.process.pid}/status").read_text(encoding="utf-8")
            return int(text.split("RssAnon:")[1].split()[0]) * 1024

        with self.server("--threads", "1") as server:
            context = self.context()
            resting = [self.connect(server, context) for _ in range(20)]
            before = memory()
            for _ in range(400):
                resting.append(self.connect(server, context))
                for _ in range(3):
                    self.assertEqual(self.ask(resting[-1])[0], 200)
            each = (memory() - before) / 400
            self.assertLess(each, RESTING_BYTES)
            for connection in resting:
                connection.close()

    def test_a_handshake_that_never_ends_is_cut_off_and_a_client_at_rest_is_not(self):
        with self.server("--handshake-timeout-ms", "500") as server:
            resting = self.connect(server)
            self.assertEqual(self.ask(resting)[0], 200)
            for said in (b"", b"\x16\x03\x01\x02\x00"):  # nothing; the beginning of a handshake
                with socket.create_connection(("127.0.0.1", server.port), timeout=20) as slow:
                    slow.sendall(said)
                    self.assertEqual(slow.recv(100), b"", "cut off, long before the test's own 20 s")
            self.assertEqual(self.ask(resting)[0], 200)

    def test_browsers_are_told_to_come_back_encrypted(self):
        with self.server() as server:
            connection = self.connect(server)
            connection.request("GET", "/healthz")
            answer = connection.getresponse()
            answer.read()
            self.assertEqual(answer.headers["Strict-Transport-Security"], "max-age=31536000")

    def test_plain_text_gets_no_answer_and_does_no_harm(self):
        with self.server() as server:
            with socket.create_connection(("127.0.0.1", server.port), timeout=20) as plain:
                plain.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
                self.assertNotIn(b"200", plain.recv(4096))
            self.assertEqual(self.ask(self.connect(server))[0], 200)

    def test_a_new_certificate_is_taken_up_while_requests_go_on(self):
        with self.server() as server:
            kept = self.connect(server)
            self.assertEqual((self.serial(kept), self.ask(kept)[0]), (1, 200))
            failures, is_over = [], threading.Event()

            def go_on():
                connection = self.connect(server)
                while not is_over.is_set():
                    try:
                        status, _ = self.ask(connection)
                        if status != 200:
                            failures.append(status)
                    except (OSError, http.client.HTTPException) as error:
                        failures.append(error)
                        return
            clients = [threading.Thread(target=go_on) for _ in range(4)]
            for client in clients:
                client.start()
            make_certificate(self.folder, 2)
            server.process.send_signal(signal.SIGHUP)
            vitrine.wait_until(lambda: self.serial(self.connect(server)) == 2, 10, "the new certificate, told by SIGHUP")
            make_certificate(self.folder, 3)
            vitrine.wait_until(lambda: self.serial(self.connect(server)) == 3, 20, "the new certificate, found by itself")

            (self.folder / "key.pem").write_text("no key", encoding="utf-8")
            server.process.send_signal(signal.SIGHUP)
            vitrine.wait_until(lambda: any("certificate_refused" in line for line in server.said), 10, "a word about it")
            self.assertEqual(self.serial(self.connect(server)), 3)

            is_over.set()
            for client in clients:
                client.join()
            self.assertEqual(failures, [])
            self.assertEqual((self.serial(kept), self.ask(kept)[0]), (1, 200))

    def test_what_cannot_be_used_is_told_before_anything_starts(self):
        def wrong(*arguments):
            return vitrine.run("serve", "--data", self.folder / "data", "--open", "--listen", "127.0.0.1:0", *arguments,
                               check=False)
        alone = wrong("--tls-cert", self.folder / "cert.pem")
        self.assertEqual((alone.returncode, "go together" in alone.stderr), (2, True), alone.stderr)
        (self.folder / "other.pem").write_text("no key", encoding="utf-8")
        other = wrong("--tls-cert", self.folder / "cert.pem", "--tls-key", self.folder / "other.pem")
        self.assertNotEqual(other.returncode, 0)
        self.assertIn("other.pem", other.stderr)


if __name__ == "__main__":
    unittest.main()
