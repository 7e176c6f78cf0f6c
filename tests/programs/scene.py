# Holds one of everything: files, pipes, sockets, threads, a child. Says in FOLDER/ready when it does; on SIGUSR1 it opens
# one file more and closes a copy, and says so in FOLDER/later.
import ctypes, os, select, signal, socket, sys, threading

folder = sys.argv[1]
libc = ctypes.CDLL(None)
kept = []


def path(name):
    return os.path.join(folder, name)


def call_thread(name):
    libc.prctl(15, name.encode(), 0, 0, 0)


def say(name, text):
    with open(path(name + ".part"), "w") as file:
        file.write(text)
    os.rename(path(name + ".part"), path(name))


plain = os.open(path("plain"), os.O_RDWR | os.O_CREAT)
gone = os.open(path("gone"), os.O_RDWR | os.O_CREAT)
os.unlink(path("gone"))
os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
os.pipe()
os.mkfifo(path("fifo"))
os.open(path("fifo"), os.O_RDWR)
os.eventfd(0)
kept.append(select.epoll())
libc.timerfd_create(1, 0)
os.memfd_create("scene")
kept.append(socket.socketpair())
listener = socket.socket(socket.AF_UNIX)
listener.bind(path("sock"))
listener.listen()
client = socket.socket(socket.AF_UNIX)
client.connect(path("sock"))
kept.append((listener, client, listener.accept()))
for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
    try:
        server = socket.socket(family)
        server.bind((host, 0))
    except OSError:
        continue
    server.listen()
    client = socket.socket(family)
    client.connect(server.getsockname())
    bound = socket.socket(family, socket.SOCK_DGRAM)
    bound.bind((host, 0))
    connected = socket.socket(family, socket.SOCK_DGRAM)
    connected.connect(bound.getsockname())
    kept.append((server, client, server.accept(), bound, connected))
    os.dup(server.fileno())
copy = os.dup(plain)
os.dup2(gone, 200)
child = os.fork()
if child == 0:
    call_thread("scene-child")
    while True:
        signal.pause()


def wait(name):
    call_thread(name)
    threading.Event().wait()


for n in range(5):
    threading.Thread(target=wait, args=("scene-%d" % n,), daemon=True).start()


def is_named():
    tasks = "/proc/self/task"
    names = [open("%s/%s/comm" % (tasks, t)).read().strip() for t in os.listdir(tasks)]
    child_name = open("/proc/%d/comm" % child).read().strip()
    return child_name == "scene-child" and sum(n.startswith("scene-") for n in names) == 5


def more(*_):
    os.close(copy)
    kept.append(open(path("more"), "w"))
    say("later", "yes")


signal.signal(signal.SIGUSR1, more)
while not is_named():
    os.sched_yield()
say("ready", "%d %d" % (os.getpid(), child))
while True:
    signal.pause()
