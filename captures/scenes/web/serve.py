"""Serves the folder `site` on a free port of loopback, and writes the port to the file `port`."""

import functools
import http.server

handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory="site")
with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
    with open("port", "w") as port:
        port.write(str(server.server_address[1]))
    server.serve_forever()
