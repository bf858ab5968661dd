"""Git over https for the tests: git's own http-backend, for the one who has the password.

Argument: the folder that "up" has filled. What the server answers to is decided by files beside a repository:
NAME.git/deny-401 and deny-403 refuse, whoever asks.
"""

import base64
import hmac
import http.server
import os
import ssl
import subprocess
import sys
import urllib.parse

DATA = sys.argv[1]
REPOSITORIES = os.path.join(DATA, "repositories")


def read(name):
    with open(os.path.join(DATA, name), encoding="utf-8") as file:
        return file.read().strip()


BACKEND = os.path.join(subprocess.check_output(["git", "--exec-path"], text=True).strip(), "git-http-backend")
EXPECTED = "Basic " + base64.b64encode(f"ada:{read('password')}".encode()).decode()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 60

    def do_GET(self):
        self.serve(b"")

    def do_POST(self):
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            body = bytearray()
            while size := int(self.rfile.readline().split(b";")[0], 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        else:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.serve(bytes(body))

    def serve(self, body):
        path, _, query = self.path.partition("?")
        path = urllib.parse.unquote(path)
        repository = os.path.join(REPOSITORIES, path.strip("/").split("/")[0])
        if not hmac.compare_digest(self.headers.get("Authorization", "").encode(), EXPECTED.encode()):
            return self.refuse(401)
        for status in 401, 403:
            if os.path.exists(os.path.join(repository, f"deny-{status}")):
                return self.refuse(status)
        environment = {
            "PATH": os.environ["PATH"],
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_PROJECT_ROOT": REPOSITORIES,
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
            "REMOTE_USER": "ada",
            "REMOTE_ADDR": "127.0.0.1",
            "REQUEST_METHOD": self.command,
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
        }
        answer = subprocess.run([BACKEND], input=body, env=environment, stdout=subprocess.PIPE, check=False).stdout
        head, _, content = answer.partition(b"\r\n\r\n")
        status, headers = 200, []
        for line in head.decode("latin-1").split("\r\n"):
            name, _, value = line.partition(": ")
            if name == "Status":
                status = int(value.split()[0])
            elif name:
                headers.append((name, value))
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def refuse(self, status):
        self.send_response(status)
        if status == 401:
            self.send_header("WWW-Authenticate", 'Basic realm="tests"')
        self.send_header("Content-Length", "0")
        self.end_headers()


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def finish_request(self, request, client_address):
        # In the thread of the connection: a client that says nothing keeps nobody else waiting.
        request.settimeout(60)
        request.do_handshake()
        super().finish_request(request, client_address)


server = Server(("127.0.0.1", int(read("https.port"))), Handler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(os.path.join(DATA, "server.pem"), os.path.join(DATA, "server.key"))
server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
server.serve_forever()
