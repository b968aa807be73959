"""Drives the real binary: runs commands, starts servers on a free port, speaks HTTP to them.

Standard library only. VITRINE_BINARY names the binary to test.
"""

import http.client
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import threading
import time

BINARY = os.environ.get("VITRINE_BINARY", "build/release/vitrine")
ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
READY_SECONDS = float(os.environ.get("VITRINE_READY_SECONDS", 60))  # sanitizer builds start slowly


def run(*arguments, check=True, timeout=300, **options):
    """Runs a command to its end; a failure shows what it said."""
    done = subprocess.run([BINARY, *map(str, arguments)], capture_output=True, text=True, timeout=timeout, **options)
    if check and done.returncode != 0:
        raise AssertionError(f"vitrine {' '.join(map(str, arguments))} ended with {done.returncode}:\n"
                             f"{done.stdout}\n{done.stderr}")
    return done


def run_json(*arguments):
    """The one JSON object (the last line) that a command prints with --json."""
    return json.loads(run(*arguments, "--json").stdout.strip().splitlines()[-1])


class Server:
    """A server on a data folder; ends with the `with` block."""

    def __init__(self, data, *arguments, open_to_all=True):
        self.arguments = [BINARY, "serve", "--data", str(data), "--listen", "127.0.0.1:0", *arguments]
        if open_to_all:
            self.arguments.append("--open")
        if "--recommend-deadline-ms" not in arguments:  # tests run on busy machines
            self.arguments += ["--recommend-deadline-ms", "20000"]
        self.process = None
        self.port = None
        self.said = []
        self.local = threading.local()
        self.connections = []

    def start(self):
        self.process = subprocess.Popen(self.arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        is_ready = threading.Event()

        def read(stream):
            try:
                for line in stream:
                    self.said.append(line)
                    found = re.search(r"ready on https?://[\d.]+:(\d+)", line)
                    if found:
                        self.port = int(found.group(1))
                        is_ready.set()
            except ValueError:  # closed while reading: the server is gone
                pass
            is_ready.set()

        threading.Thread(target=read, args=(self.process.stdout,), daemon=True).start()
        if not is_ready.wait(READY_SECONDS) or self.port is None:
            self.kill()
            raise AssertionError("the server did not get ready:\n" + "".join(self.said))
        return self

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.close()

    def close(self):
        for connection in self.connections:
            connection.close()
        self.process.stdout.close()

    def stop(self):
        """A clean stop; returns the exit status."""
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(timeout=30)
        self.close()
        return status

    def __enter__(self):
        return self.start()

    def __exit__(self, kind, error, trace):
        if self.process.poll() is None:
            status = self.stop()
            if kind is None and status != 0:
                raise AssertionError(f"the server ended with {status}:\n" + "".join(self.said[-40:]))

    def connection(self):
        """This thread's own keep-alive connection."""
        if getattr(self.local, "connection", None) is None:
            self.local.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
            self.local.connection.connect()
            self.connections.append(self.local.connection)
            self.local.connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self.local.connection

    def request(self, method, path, body=None, headers=None):
        """Status, headers and parsed body of one exchange."""
        connection = self.connection()
        payload = None if body is None else json.dumps(body)
        try:
            connection.request(method, path, payload, headers or {})
            answer = connection.getresponse()
            content = answer.read()
        except (OSError, http.client.HTTPException):
            connection.close()
            self.local.connection = None
            raise
        is_json = answer.headers.get("Content-Type", "").startswith("application/json")
        return answer.status, answer.headers, json.loads(content) if is_json and content else content.decode()

    def get(self, path):
        status, _, body = self.request("GET", path)
        assert status == 200, (path, status, body)
        return body

    def post(self, path, body):
        status, _, answer = self.request("POST", path, body)
        assert status == 200, (path, status, answer)
        return answer

    def send(self, *events):
        return self.post("/v1/events", {"events": list(events)})


def wait_until(condition, seconds, what):
    """Waits for something another process does; the bound is the test's limit, not a pause."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.01)
