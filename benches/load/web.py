"""A web server on the loopback and its clients: web.py FOLDER ROUNDS.

Three kinds of client: connections that are kept over many requests, one connection for each request, and forms that are
posted. The server is threaded, reads files and answers with them, and writes a log.
"""

import http.client
import http.server
import os
import socketserver
import sys
import threading

FOLDER, ROUNDS = sys.argv[1], int(sys.argv[2])
PAGES = {"index.html": 900, "style.css": 4_000, "script.js": 12_000, "picture.svg": 30_000}


class Handler(http.server.SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def __init__(self, *rest):
        super().__init__(*rest, directory=FOLDER)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        answer = b'{"taken": %d}\n' % len(body)
        self.send_response(201)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, form, *values):
        log.write((form % values) + "\n")
        log.flush()


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    request_queue_size = 64


def ask(connection, method, path, body=None):
    connection.request(method, path, body)
    connection.getresponse().read()


def kept(port):
    connection = http.client.HTTPConnection("127.0.0.1", port)
    for n in range(ROUNDS * 60):
        ask(connection, "GET", "/" + list(PAGES)[n % len(PAGES)])
    connection.close()


def single(port):
    for n in range(ROUNDS * 30):
        connection = http.client.HTTPConnection("127.0.0.1", port)
        ask(connection, "GET", f"/missing/{n}" if n % 5 == 0 else "/index.html")
        connection.close()


def forms(port):
    connection = http.client.HTTPConnection("127.0.0.1", port)
    for n in range(ROUNDS * 30):
        ask(connection, "POST", "/form", f"name=user{n}&mail=user{n}@example.org&text={'word ' * (n % 50)}")
    connection.close()


for name, size in PAGES.items():
    with open(os.path.join(FOLDER, name), "w") as page:
        line = f"<p class='line'>a line of {name}, with some text in it</p>\n"
        page.write((line * (size // len(line) + 1))[:size])
with open(os.path.join(FOLDER, "access.log"), "w") as log:
    server = Server(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    clients = [threading.Thread(target=kind, args=(server.server_port,)) for kind in (kept, single, forms)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    server.shutdown()
