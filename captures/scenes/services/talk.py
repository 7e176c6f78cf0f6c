"""A cache in memory and its client, two hosts that exchange datagrams, and a receiver of system messages, in one process."""

import os
import socket
import threading


def cache(listener):
    """Answers get and set as memcached does, for one client."""
    kept = {}
    client, _ = listener.accept()
    with client:
        while request := client.recv(4096):
            words = request.split()
            if words[0] == b"set":
                kept[words[1]] = request.split(b"\r\n")[1]
                client.sendall(b"STORED\r\n")
            elif words[1] in kept:
                value = kept[words[1]]
                client.sendall(b"VALUE %s 0 %d\r\n%s\r\nEND\r\n" % (words[1], len(value), value))
            else:
                client.sendall(b"END\r\n")


listener = socket.create_server(("127.0.0.1", 11211))
server = threading.Thread(target=cache, args=(listener,))
server.start()
with socket.create_connection(("127.0.0.1", 11211)) as client:
    for request in (b"get user:7\r\n", b"set user:7 0 60 5\r\nalice\r\n", b"get user:7\r\n",
                    b"set page:1 0 60 40\r\n" + b"x" * 40 + b"\r\n", b"get page:1\r\n"):
        client.sendall(request)
        client.recv(4096)
server.join()

with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as resolver:
    resolver.bind(("127.0.0.1", 5300))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
        asker.connect(("127.0.0.1", 5300))
        for name in (b"db.internal", b"cache.internal"):
            asker.send(b"where is " + name + b"?\n")
            question, who = resolver.recvfrom(512)
            resolver.sendto(b"10.0.0.9\n", who)
            asker.recv(512)

os.mkdir("dev")
with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as journal:
    journal.bind(os.path.join(os.getcwd(), "dev/log"))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as daemon:
        daemon.connect(os.path.join(os.getcwd(), "dev/log"))
        for message in (b"<38>sshd[812]: Accepted publickey for demo", b"<11>backup[77]: cannot open /srv/data"):
            daemon.send(message)
            journal.recv(4096)
