# What the reels of this folder were recorded of: files, pipes, sockets, signals and programs. Never record them again: each
# stands for the version of the format that wrote it.
echo one > a.txt
cat a.txt | tr a-z A-Z > b.txt
mkdir -p deep/er && ln -s ../a.txt deep/link && mv b.txt deep/er/c.txt
rm missing.txt 2>/dev/null
python3 -S -c '
import socket
server = socket.socket(); server.bind(("127.0.0.1", 0)); server.listen()
client = socket.create_connection(server.getsockname())
other, _ = server.accept()
client.sendall(b"hello"); other.recv(5)
left, right = socket.socketpair(); left.sendall(b"pair"); right.recv(4)
'
sh -c 'kill -TERM $$'
sleep 0.1 & kill -INT $!; wait
chmod 600 a.txt
