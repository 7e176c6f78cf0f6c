/* Makes calls whose parameters are structures and buffers, with values that the test knows, and says the others: key=number lines. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

static void say(const char *key, long value)
{
	printf("%s=%ld\n", key, value);
}

static void waiting(void)
{
	int full[2], empty[2];
	fd_set in, out;
	struct timeval second = { 1, 0 };
	struct timespec other = { 1, 0 };
	struct epoll_event event = { EPOLLIN | EPOLLET, { .u64 = 0x1122334455 } }, got[4];

	pipe(full);
	pipe(empty);
	write(full[1], "x", 1);
	say("full", full[0]);
	say("empty", empty[0]);
	say("out", empty[1]);
	for (int i = 0; i < 2; i++) {
		FD_ZERO(&in);
		FD_ZERO(&out);
		FD_SET(full[0], &in);
		FD_SET(empty[0], &in);
		FD_SET(empty[1], &out);
		if (i)
			syscall(SYS_pselect6, empty[1] + 1, &in, &out, 0, &other, 0);
		else
			syscall(SYS_select, empty[1] + 1, &in, &out, 0, &second);
	}
	int epoll = epoll_create1(0);
	epoll_ctl(epoll, EPOLL_CTL_ADD, full[0], &event);
	say("epoll", epoll);
	syscall(SYS_epoll_wait, epoll, got, 4, 1000);
	syscall(SYS_epoll_wait, epoll, got, 4, 0);
}

static void files(void)
{
	struct timespec times[2] = { { 1000000000, 5 }, { 0, UTIME_OMIT } };
	int fd = open("file", O_CREAT | O_RDWR, 0600);

	utimensat(AT_FDCWD, "file", times, 0);
	setxattr("file", "user.secret", "value", 5, XATTR_CREATE);
	inotify_add_watch(inotify_init(), ".", IN_CREATE | IN_DELETE);
	unshare(CLONE_NEWUTS);
	sethostname("somewhere", 9);
}

static void objects(void)
{
	union bpf_attr attr;
	struct bpf_insn code[2] = { { .code = 0xb7 }, { .code = 0x95 } };
	struct sembuf op = { 0, 1, 0 };
	struct { long type; char text[8]; } message = { 7, "text" };
	struct timespec moment = { 2, 7 };
	struct perf_event_attr perf = { .type = PERF_TYPE_SOFTWARE, .size = sizeof(perf), .config = PERF_COUNT_SW_TASK_CLOCK };

	memset(&attr, 0, sizeof(attr));
	attr.map_type = BPF_MAP_TYPE_ARRAY;
	attr.key_size = attr.value_size = 4;
	attr.max_entries = 3;
	strcpy(attr.map_name, "evidence");
	say("map", syscall(SYS_bpf, BPF_MAP_CREATE, &attr, sizeof(attr)));
	memset(&attr, 0, sizeof(attr));
	attr.prog_type = BPF_PROG_TYPE_SOCKET_FILTER;
	attr.insns = (unsigned long)code;
	attr.insn_cnt = 2;
	attr.license = (unsigned long)"GPL";
	strcpy(attr.prog_name, "watcher");
	syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof(attr));
	say("perf", syscall(SYS_perf_event_open, &perf, 0, -1, -1, 0));
	int semaphores = semget(IPC_PRIVATE, 1, 0600), queue = msgget(IPC_PRIVATE, 0600);
	syscall(SYS_semtimedop, semaphores, &op, 1, &moment);
	semctl(semaphores, 0, IPC_RMID);
	msgsnd(queue, &message, 4, 0);
	msgctl(queue, IPC_RMID, 0);
	syscall(SYS_add_key, "user", "description", "payload", 7, -2);
}

static void processes(void)
{
	struct sigaction act = { .sa_handler = (void *)0, .sa_flags = SA_RESTART | SA_NODEFER };
	struct itimerspec timer = { { 3, 1 }, { 4, 2 } };
	struct timespec nap = { 0, 1000 };
	char from[8] = "abcdefg", to[8];
	struct iovec local = { to, 8 }, remote = { from, 5 };
	unsigned long mask = 0;
	gid_t groups[2] = { 11, 12 };
	int status, child = fork();

	if (!child)
		_exit(3);
	waitpid(child, &status, 0);
	sigaction(SIGUSR1, &act, 0);
	timerfd_settime(timerfd_create(CLOCK_MONOTONIC, 0), 0, &timer, 0);
	syscall(SYS_clock_nanosleep, CLOCK_BOOTTIME, 0, &nap, 0);
	say("remote", (long)from);
	process_vm_readv(getpid(), &local, 1, &remote, 1, 0);
	madvise(mmap(0, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), 4096, MADV_DONTFORK);
	syscall(SYS_sched_getaffinity, 0, sizeof(mask), &mask);
	syscall(SYS_sched_setaffinity, 0, sizeof(mask), &mask);
	say("mask", mask);
	syscall(SYS_setgroups, 2, groups);
}

int main(int argc, char **argv)
{
	if (argc < 2 || chdir(argv[1]))
		return 1;
	waiting();
	files();
	objects();
	processes();
	return 0;
}
