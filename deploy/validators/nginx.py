"""nginx with our file, for real: `nginx.py PROGRAM gitfleet.conf`. Two servers of the test's own stand in for the
coordinators; first one of them ends, and then the other one."""

import http.client
import http.server
import json
import pathlib
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading

GO_ON = threading.Event()


class Coordinator(http.server.BaseHTTPRequestHandler):
    """Says who it is and what it was told, and streams two events, the second only when the first has arrived."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.path.endswith("/events"):
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(b"data: first\n\n")
            self.wfile.flush()
            GO_ON.wait(20)
            self.wfile.write(b"data: second\n\n")
            self.close_connection = True
            return
        said = json.dumps({"name": self.server.name, "headers": {key.lower(): value for key, value in self.headers.items()}})
        self.send_response(200)
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said.encode())

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.do_GET()

    def log_message(self, *_):
        pass


class Upstream:
    def __init__(self, name: str):
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Coordinator)
        self.server.name, self.server.daemon_threads, self.open = name, True, set()
        take = self.server.get_request

        def taken():
            connection, address = take()
            self.open.add(connection)
            return connection, address

        self.server.get_request = taken
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def kill(self):
        """Ends as a process that is killed: its port is closed, and so is every connection."""
        self.server.shutdown()
        self.server.server_close()
        for connection in self.open:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # it was closed by the other side


def free() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def replaced(text: str, old: str, new: str) -> str:
    if old not in text:
        raise SystemExit(f"the file has no {old!r} to be put on this machine's ports")
    return text.replace(old, new)


def main(program: str, file: str, folder: pathlib.Path) -> None:
    first, second = Upstream("first"), Upstream("second")
    plain, secure = free(), free()
    text = pathlib.Path(file).read_text()
    for old, new in {
        "coordinator-1:7171": f"127.0.0.1:{first.port}",
        "coordinator-2:7171": f"127.0.0.1:{second.port}",
        "listen 80;": f"listen 127.0.0.1:{plain};",
        "listen 443 ssl;": f"listen 127.0.0.1:{secure} ssl;",
        "/etc/nginx/tls/gitfleet.crt": f"{folder}/tls.crt",
        "/etc/nginx/tls/gitfleet.key": f"{folder}/tls.key",
    }.items():
        text = replaced(text, old, new)
    key = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 -subj /CN=localhost".split()
    subprocess.run([*key, "-keyout", f"{folder}/tls.key", "-out", f"{folder}/tls.crt"], check=True, capture_output=True)
    places = "".join(f"{one}_temp_path {folder}/{one};\n" for one in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    (folder / "site.conf").write_text(text)
    (folder / "nginx.conf").write_text(
        f"daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log;\n"
        f"events {{}}\nhttp {{\naccess_log off;\n{places}include {folder}/site.conf;\n}}\n"
    )
    command = [program, "-p", str(folder), "-c", f"{folder}/nginx.conf", "-e", f"{folder}/error.log"]
    tested = subprocess.run([*command, "-t"], capture_output=True, text=True)
    if tested.returncode:
        raise SystemExit(tested.stderr)
    nginx = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    trust = ssl.create_default_context(cafile=f"{folder}/tls.crt")
    trust.check_hostname = False

    def ask(method="GET", path="/api/v1/status", body=None, headers=()):
        connection = http.client.HTTPSConnection("127.0.0.1", secure, context=trust, timeout=15)
        connection.request(method, path, body, dict(headers))
        answer = connection.getresponse()
        return answer, answer.read()

    def want(so, what):
        if not so:
            raise SystemExit(f"{what}\n{(folder / 'error.log').read_text()[-2000:]}")

    try:
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", secure), 1).close()
                break
            except OSError:
                want(nginx.poll() is None, "nginx ended")
                threading.Event().wait(0.05)
        claimed = {"X-Forwarded-For": "203.0.113.9", "Forwarded": "for=203.0.113.9", "X-Forwarded-Proto": "gopher", "Authorization": "Bearer x"}
        answer, body = ask(headers=claimed)
        heard = json.loads(body)["headers"]
        want(answer.status == 200, f"a request is answered with {answer.status}")
        want(heard["x-forwarded-for"] == "127.0.0.1", f"X-Forwarded-For is {heard['x-forwarded-for']}, and not the client alone")
        want(heard["host"] == f"127.0.0.1:{secure}", f"Host is {heard['host']}, and not what was asked for")
        want("forwarded" not in heard, "what the client says in Forwarded goes further")
        want(heard["x-forwarded-proto"] == "https" and heard["authorization"] == "Bearer x", "headers are not passed on")
        want(answer.getheader("Strict-Transport-Security"), "no Strict-Transport-Security")
        names = {json.loads(ask()[1])["name"] for _ in range(8)}
        want(names == {"first", "second"}, f"only {names} is asked")

        connection = http.client.HTTPConnection("127.0.0.1", plain, timeout=15)
        connection.request("GET", "/x")
        moved = connection.getresponse()
        want(moved.status == 308 and moved.getheader("Location").startswith("https://"), "plain HTTP is not sent to TLS")
        want(ask("POST", body=b"x" * (16 << 20))[0].status == 200, "a body of 16 MiB is refused")
        want(ask("POST", body=b"", headers={"Content-Length": str((16 << 20) + 1)})[0].status == 413, "a larger body is taken")

        connection = http.client.HTTPSConnection("127.0.0.1", secure, context=trust, timeout=10)
        connection.request("GET", "/api/v1/batches/1/events")
        stream = connection.getresponse()
        # The second event waits for this one to be here: a buffer in between would keep it until the time is up.
        want(stream.readline() == b"data: first\n", "the first event does not come")
        GO_ON.set()
        want(b"data: second\n" in stream.read(), "the second event does not come")

        first.kill()
        for method in ["GET", "POST"] * 8:
            answer, body = ask(method, body=b"{}" if method == "POST" else None)
            want(answer.status == 200 and json.loads(body)["name"] == "second", f"one is dead, and {method} gets {answer.status}")
        second.kill()
        want(ask()[0].status == 502, "both are dead, and somebody answers")
        print("TLS, headers, limits, events; one of two dead: 16 of 16 answered; both dead: 502")
    finally:
        GO_ON.set()
        nginx.send_signal(signal.SIGTERM)
        nginx.wait(10)


with tempfile.TemporaryDirectory(prefix="gitfleet-nginx-") as here:
    main(*sys.argv[1:], pathlib.Path(here))
