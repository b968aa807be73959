"""Stands before the server and loses answers, refuses, and goes away, so that clients must send again."""

import collections
import http.client
import http.server
import sys
import threading

HOP_BY_HOP = {"connection", "transfer-encoding", "keep-alive"}


class Quiet(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], OSError):  # else a client has gone
            super().handle_error(request, client_address)


class FlakyProxy:
    """Passes requests to `port`. `plan` says of each POST what becomes of it: "pass", "busy" (429), "down" (503),
    "lose" (carried out, but the connection ends without an answer) or a function that is called first; "pass" when the
    plan is over."""

    def __init__(self, port, plan=()):
        self.upstream = port
        self.plan = list(plan)
        self.lock = threading.Lock()
        self.is_open = threading.Event()  # requests wait while it is not set
        self.is_open.set()
        self.seen = []
        self.statuses = collections.Counter()  # of the server's own answers to POSTs
        proxy = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def handle_any(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                step = proxy.next_step(self) if self.command == "POST" else "pass"
                if callable(step):
                    step()
                    step = "pass"
                if step in ("busy", "down"):
                    return self.refuse(429 if step == "busy" else 503)
                try:
                    answer, content = proxy.forward(self, body)
                except OSError:  # the server is away
                    step = "lose"
                else:
                    if self.command == "POST":
                        proxy.statuses[answer.status] += 1
                if step == "lose":
                    self.close_connection = True
                    return self.connection.close()
                return self.answer(answer.status, content, answer.getheaders())

            def refuse(self, status):
                origin = self.headers.get("Origin")
                headers = [("Retry-After", "1")]
                if origin:
                    headers += [("Access-Control-Allow-Origin", origin),
                                ("Access-Control-Expose-Headers", "Retry-After")]
                self.answer(status, b"{}", headers)

            def answer(self, status, content, headers):
                try:
                    self.write(status, content, headers)
                except OSError:  # the client has gone
                    self.close_connection = True

            def write(self, status, content, headers):
                self.send_response_only(status)
                for name, value in headers:
                    if name.lower() not in HOP_BY_HOP | {"content-length"}:
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = do_OPTIONS = handle_any

        self.server = Quiet(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def pause(self):
        self.is_open.clear()

    def resume(self):
        self.is_open.set()

    def next_step(self, request):
        self.is_open.wait(30)
        with self.lock:
            step = self.plan.pop(0) if self.plan else "pass"
            self.seen.append((request.path.split("?")[0], dict(request.headers), step))
        return step

    def forward(self, request, body):
        connection = http.client.HTTPConnection("127.0.0.1", self.upstream, timeout=30)
        try:
            connection.putrequest(request.command, request.path, skip_host=True, skip_accept_encoding=True)
            for name, value in request.headers.items():
                if name.lower() not in HOP_BY_HOP:
                    connection.putheader(name, value)
            connection.endheaders(body)
            answer = connection.getresponse()
            return answer, answer.read()
        except http.client.HTTPException as error:
            raise OSError("the server ended in the middle") from error
        finally:
            connection.close()

    def close(self):
        self.server.shutdown()
        self.server.server_close()
