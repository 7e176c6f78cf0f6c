/* Makes calls whose parameters stand in memory or in the kernel, and says what it knows of them: key=number lines. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static void say(const char *key, long value)
{
	printf("%s=%ld\n", key, value);
}

static void say_file(const char *dev, const char *ino, int fd)
{
	struct stat st;
	fstat(fd, &st);
	if (dev)
		say(dev, st.st_dev);
	say(ino, st.st_ino);
}

static void messages(int first, int second)
{
	int pair[2], got[2];
	char control[CMSG_SPACE(sizeof(got))] = { 0 }, in[2], rest[8];
	struct iovec out[2] = { { "ab", 2 }, { "cdef", 4 } }, into[2] = { { in, 2 }, { rest, 8 } };
	struct msghdr m = { .msg_iov = out, .msg_iovlen = 2, .msg_control = control, .msg_controllen = sizeof(control) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	int passed[2] = { first, second };

	socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	say_file(0, "pair.ino", pair[0]);
	say_file(0, "pair.peer", pair[1]);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(passed));
	memcpy(CMSG_DATA(c), passed, sizeof(passed));
	sendmsg(pair[0], &m, 0);
	m.msg_iov = into;
	m.msg_controllen = sizeof(control);
	recvmsg(pair[1], &m, 0);
	memcpy(got, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(got));
	say("got.first", got[0]);
	say("got.second", got[1]);
	say_file("got.dev", "got.ino", got[0]);
}

static void queue(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(at);
	int listener = socket(AF_INET, SOCK_STREAM, 0), value = 1, type;
	socklen_t size = sizeof(type);

	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &value, sizeof(value));
	getsockopt(listener, SOL_SOCKET, SO_TYPE, &type, &size);
	bind(listener, (void *)&at, sizeof(at));
	listen(listener, 7);
	getsockname(listener, (void *)&at, &len);
	for (int i = 0; i < 3; i++)
		connect(socket(AF_INET, SOCK_STREAM, 0), (void *)&at, sizeof(at));
	accept(listener, 0, 0);
}

int main(int argc, char **argv)
{
	char *arguments[] = { "none", "first", "second one", 0 }, *environment[] = { 0 };
	struct timespec wait = { 0, 2000000 };
	struct sembuf ops[2] = { { 0, 1, SEM_UNDO }, { 0, -1, IPC_NOWAIT } };
	struct iovec parts[3] = { { "one", 3 }, { "", 0 }, { "three", 5 } };
	sigset_t mask;
	int ends[2];

	if (argc < 2 || chdir(argv[1]))
		return 1;
	int made = open("made", O_CREAT | O_RDWR, 0600), again = open("made", O_RDONLY);
	say("made", made);
	say_file("open.dev", "open.ino", made);
	writev(made, parts, 3);
	messages(made, again);
	pipe(ends);
	say_file(0, "pipe.ino", ends[0]);
	queue();
	int semaphores = semget(IPC_PRIVATE, 1, 0600);
	syscall(SYS_semop, semaphores, ops, 2); /* the library makes it a semtimedop */
	semctl(semaphores, 0, IPC_RMID);
	sigemptyset(&mask);
	ppoll(0, 0, &wait, &mask);
	munmap(mmap(0, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), 1 << 20);
	syscall(777, 1, 2, 3);
	execve("./none", arguments, environment);
	return 0;
}
