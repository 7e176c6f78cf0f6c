/*
 * Opens, makes, connects, moves and removes by an io_uring alone, and uses what it got by calls; says what is true:
 * key=number lines. Ends with 77 where it may not.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static int ring;
static struct io_uring_sqe *sqe;
static struct io_uring_cqe *cqe;
static unsigned *array, *tail, *head, *done, mask;

/* Gives one request to the ring and waits for its result. */
static int ask(struct io_uring_sqe request)
{
	unsigned at = *tail & mask;
	sqe[at] = request;
	array[at] = at;
	__atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
	while (__atomic_load_n(done, __ATOMIC_ACQUIRE) == *head)
		syscall(__NR_io_uring_enter, ring, 1, 1, IORING_ENTER_GETEVENTS, 0, 0);
	int res = cqe[*head % (2 * (mask + 1))].res;
	__atomic_store_n(head, *head + 1, __ATOMIC_RELEASE);
	return res;
}

static void say(const char *key, long value)
{
	printf("%s=%ld\n", key, value);
}

#define TEXT(text) .addr = (unsigned long)(text)

static void files(int dir)
{
	char in[16];
	int fd = ask((struct io_uring_sqe){ .opcode = IORING_OP_OPENAT, .fd = dir, TEXT("made"), .len = 0640, .open_flags = O_CREAT | O_RDWR });
	struct stat st;
	fstat(fd, &st);
	say("open", fd);
	say("open.ino", st.st_ino);
	ask((struct io_uring_sqe){ .opcode = IORING_OP_WRITE, .fd = fd, TEXT("by a ring"), .len = 9, .off = 0, .user_data = 7 });
	ask((struct io_uring_sqe){ .opcode = IORING_OP_READ, .fd = fd, TEXT(in), .len = sizeof(in), .off = 3, .user_data = 8 });
	write(fd, "by a call", 9);
	say("missing", ask((struct io_uring_sqe){ .opcode = IORING_OP_OPENAT, .fd = AT_FDCWD, TEXT("/no/such"), .open_flags = O_RDONLY }));
	ask((struct io_uring_sqe){ .opcode = IORING_OP_MKDIRAT, .fd = dir, TEXT("folder"), .len = 0700 });
	ask((struct io_uring_sqe){ .opcode = IORING_OP_RENAMEAT, .fd = dir, TEXT("made"), .len = dir, .addr2 = (unsigned long)"folder/moved" });
	ask((struct io_uring_sqe){ .opcode = IORING_OP_UNLINKAT, .fd = dir, TEXT("folder/moved") });
	ask((struct io_uring_sqe){ .opcode = IORING_OP_UNLINKAT, .fd = dir, TEXT("folder"), .unlink_flags = AT_REMOVEDIR });
	say("close", ask((struct io_uring_sqe){ .opcode = IORING_OP_CLOSE, .fd = fd }));
	write(fd, "closed", 6);
}

static void sockets(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(at);
	int listener = socket(AF_INET, SOCK_STREAM, 0);

	bind(listener, (void *)&at, sizeof(at));
	listen(listener, 1);
	getsockname(listener, (void *)&at, &len);
	int client = ask((struct io_uring_sqe){ .opcode = IORING_OP_SOCKET, .fd = AF_INET, .off = SOCK_STREAM | SOCK_CLOEXEC });
	say("socket", client);
	say("connect", ask((struct io_uring_sqe){ .opcode = IORING_OP_CONNECT, .fd = client, TEXT(&at), .off = sizeof(at) }));
	int server = ask((struct io_uring_sqe){ .opcode = IORING_OP_ACCEPT, .fd = listener });
	say("accept", server);
	say("port", ntohs(at.sin_port));
	len = sizeof(at);
	getsockname(client, (void *)&at, &len);
	say("own", ntohs(at.sin_port));
	send(client, "ping", 4, 0);
	recv(server, &at, 4, 0);
	struct iovec part = { "by message", 10 };
	struct msghdr m = { .msg_iov = &part, .msg_iovlen = 1 };
	ask((struct io_uring_sqe){ .opcode = IORING_OP_SENDMSG, .fd = server, TEXT(&m), .len = 1 });
}

int main(int argc, char **argv)
{
	struct io_uring_params p = {};
	int dir = open(argv[1], O_RDONLY | O_DIRECTORY);
	ring = syscall(__NR_io_uring_setup, 4, &p);
	if (ring < 0)
		return 77;
	char *sq = mmap(0, p.sq_off.array + p.sq_entries * 4, PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_SQ_RING);
	char *cq = mmap(0, p.cq_off.cqes + p.cq_entries * sizeof(*cqe), PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_CQ_RING);
	sqe = mmap(0, p.sq_entries * sizeof(*sqe), PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_SQES);
	cqe = (void *)(cq + p.cq_off.cqes);
	array = (void *)(sq + p.sq_off.array), tail = (void *)(sq + p.sq_off.tail);
	head = (void *)(cq + p.cq_off.head), done = (void *)(cq + p.cq_off.tail);
	mask = p.sq_entries - 1;
	say("dir", dir);
	files(dir);
	sockets();
	return 0;
}
