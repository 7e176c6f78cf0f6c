/*
 * Scenes of what a process may be and hold: state SCENE. At each point of interest a helper, a process that stays outside and
 * untouched, prints what /proc says; then the process makes a call that only marks the place (flock for a descriptor, getppid for
 * itself), so that a recording can be compared line by line: MARK|number|name and MARK|pid|vpid|ppid|name|cwd|euid|egid|sid|pgid.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/fsuid.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define HELPER 900 /* descriptor of the way to the helper */

static void must(long result, const char *what)
{
	if (result < 0) {
		dprintf(2, "%s: %s\n", what, strerror(errno));
		_exit(9);
	}
}

/* ---- the helper ---- */

struct request {
	int what, number, tid;
};

static void line_of(const char *path, const char *key, char *out, int nth)
{
	char line[512];
	FILE *f = fopen(path, "r");
	strcpy(out, "?");
	while (f && fgets(line, sizeof(line), f)) {
		if (strncmp(line, key, strlen(key)))
			continue;
		char *save, *word = strtok_r(line, " \t\n", &save);
		for (int i = 0; word && (nth < 0 || i <= nth); i++) {
			strcpy(out, word);
			word = strtok_r(0, " \t\n", &save);
		}
		break;
	}
	if (f)
		fclose(f);
}

static void tell_thread(int pid, int tid)
{
	char path[128], dir[64], cwd[5000] = "?", comm[64] = "?", stat[1024] = "";
	char vpid[32], euid[32], egid[32];
	int ppid = 0, pgid = 0, sid = 0;
	snprintf(dir, sizeof(dir), "/proc/%d/task/%d", pid, tid);
	snprintf(path, sizeof(path), "%s/cwd", dir);
	long n = readlink(path, cwd, sizeof(cwd) - 1);
	if (n > 0)
		cwd[n] = 0;
	snprintf(path, sizeof(path), "%s/comm", dir);
	FILE *f = fopen(path, "r");
	if (f && fgets(comm, sizeof(comm), f))
		comm[strcspn(comm, "\n")] = 0;
	if (f)
		fclose(f);
	snprintf(path, sizeof(path), "%s/stat", dir);
	f = fopen(path, "r");
	if (f && fgets(stat, sizeof(stat), f))
		sscanf(strrchr(stat, ')') + 2, "%*c %d %d %d", &ppid, &pgid, &sid);
	if (f)
		fclose(f);
	snprintf(path, sizeof(path), "%s/status", dir);
	line_of(path, "NStgid:", vpid, -1);
	line_of(path, "Uid:", euid, 2);
	line_of(path, "Gid:", egid, 2);
	dprintf(1, "getppid|%d|%s|%d|%s|%s|%s|%s|%d|%d\n", pid, vpid, ppid, comm, cwd, euid, egid, sid, pgid);
}

static void help(int way)
{
	for (;;) {
		struct request r;
		union {
			char bytes[CMSG_SPACE(sizeof(struct ucred))];
			struct cmsghdr align;
		} control;
		struct iovec v = { &r, sizeof(r) };
		struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control) };
		if (recvmsg(way, &m, 0) != sizeof(r))
			_exit(0);
		struct ucred who;
		memcpy(&who, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(who));
		if (r.what == 'f') {
			char path[64], link[5000] = "<NA>";
			snprintf(path, sizeof(path), "/proc/%d/task/%d/fd/%d", who.pid, r.tid ? r.tid : who.pid, r.number);
			long n = readlink(path, link, sizeof(link) - 1);
			if (n > 0)
				link[n] = 0;
			dprintf(1, "flock|%d|%s\n", r.number, link);
		} else {
			tell_thread(who.pid, r.tid ? r.tid : who.pid);
		}
		must(send(way, "k", 1, 0), "send");
	}
}

static void start_helper(void)
{
	int way[2], on = 1;
	must(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, way), "socketpair");
	must(setsockopt(way[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)), "SO_PASSCRED");
	/* Nobody's child, so that no scene waits for it. */
	pid_t between = fork();
	if (!between) {
		if (fork())
			_exit(0);
		close(way[0]);
		help(way[1]);
	}
	waitpid(between, 0, 0);
	close(way[1]);
	struct rlimit most = { 8192, 8192 };
	setrlimit(RLIMIT_NOFILE, &most);
	must(dup2(way[0], HELPER), "dup2");
	close(way[0]);
}

static void ask(int what, int number, int tid)
{
	struct request r = { what, number, tid };
	char reply;
	must(send(HELPER, &r, sizeof(r), 0), "ask");
	must(recv(HELPER, &reply, 1, 0), "reply");
	if (what == 'f')
		syscall(SYS_flock, number, LOCK_UN);
	else
		syscall(SYS_getppid);
}

/* A first thread asks for itself without its number, which means nothing outside a pid namespace. */
static int other_thread(void) { return gettid() == getpid() ? 0 : gettid(); }
static void ask_fd(int fd) { ask('f', fd, other_thread()); }
static void ask_self(void) { ask('t', 0, other_thread()); }

/* What a descriptor is called where /proc has no name for it. */
static void say(int fd, const char *format, ...)
{
	va_list args;
	char text[512];
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	dprintf(1, "flock|%d|%s\n", fd, text);
	syscall(SYS_flock, fd, LOCK_UN);
}

static int file(const char *name)
{
	int fd = open(name, O_RDWR | O_CREAT, 0600);
	must(fd, name);
	return fd;
}

static void in_child(void (*body)(void))
{
	fflush(0);
	pid_t pid = fork();
	must(pid, "fork");
	if (!pid) {
		body();
		_exit(0);
	}
	int status;
	must(waitpid(pid, &status, 0), "waitpid");
	if (status)
		_exit(8);
}

static void again(const char *scene)
{
	execl("/proc/self/exe", "state", scene, (char *)0);
	must(-1, "exec");
}

/* ---- descriptors ---- */

static int shared_child(int flags, int (*body)(void *), void *arg)
{
	static char stack[1 << 16];
	pid_t pid = clone(body, stack + sizeof(stack), flags | SIGCHLD, arg);
	must(pid, "clone");
	int status;
	must(waitpid(pid, &status, 0), "waitpid");
	return WEXITSTATUS(status);
}

static int opens(void *name)
{
	return open(name, O_RDWR | O_CREAT, 0600);
}

static int parts(void *name)
{
	must(unshare(CLONE_FILES), "unshare");
	int fd = opens(name);
	ask_fd(fd);
	return fd;
}

static int clears(void *unused)
{
	(void)unused;
	must(syscall(SYS_close_range, 3, 100, CLOSE_RANGE_UNSHARE), "close_range");
	ask_fd(3);
	return 0;
}

static void descriptors(void)
{
	int a = file("a"), b = file("b");
	must(dup2(a, b), "dup2");
	ask_fd(b);
	must(dup2(b, b), "dup2");
	ask_fd(b);
	must(dup3(a, 30, O_CLOEXEC), "dup3");
	ask_fd(30);
	ask_fd(fcntl(a, F_DUPFD, 40));
	ask_fd(fcntl(a, F_DUPFD_CLOEXEC, 50));
	must(dup2(a, 5000), "dup2");
	ask_fd(5000);
	close(a);
	ask_fd(a);
	close(999);
	int c = shared_child(CLONE_FILES, opens, "c");
	ask_fd(c);
	int d = shared_child(CLONE_FILES, parts, "d");
	ask_fd(d);
	shared_child(CLONE_FILES, clears, 0);
	ask_fd(b);
	must(syscall(SYS_close_range, 60, 80, 0), "close_range");
	must(dup2(b, 70), "dup2");
	must(dup2(b, 71), "dup2");
	must(syscall(SYS_close_range, 71, 80, CLOSE_RANGE_CLOEXEC), "close_range");
	must(fcntl(30, F_SETFD, 0), "F_SETFD");
	must(fcntl(40, F_SETFD, FD_CLOEXEC), "F_SETFD");
	again("descriptors-after");
}

static void descriptors_after(void)
{
	for (int fd = 3; fd < 80; fd++)
		ask_fd(fd);
	ask_fd(5000);
}

/* ---- paths ---- */

static void objects(void)
{
	sigset_t none;
	sigemptyset(&none);
	int all[] = { eventfd(0, 0), epoll_create1(0), timerfd_create(CLOCK_MONOTONIC, 0), signalfd(-1, &none, 0), inotify_init(), memfd_create("secret", 0) };
	for (unsigned i = 0; i < sizeof(all) / sizeof(*all); i++)
		ask_fd(all[i]);
	must(signalfd(all[3], &none, 0), "signalfd");
	ask_fd(all[3]);
	int ends[2];
	must(pipe(ends), "pipe");
	ask_fd(ends[0]);
	ask_fd(ends[1]);
}

static void paths(void)
{
	char name[256], cwd[5000];
	must(mkdir("d", 0700), "mkdir");
	must(mkdir("d/e", 0700), "mkdir");
	must(chdir("d/e"), "chdir");
	ask_self();
	ask_fd(file("../x"));
	ask_fd(file(".././/e/../y"));
	int d = open("..", O_RDONLY | O_DIRECTORY);
	ask_fd(d);
	ask_fd(openat(d, "e", O_PATH));
	ask_fd(openat(d, "x", O_RDONLY));
	must(fchdir(d), "fchdir");
	ask_self();
	ask_fd(open("../../../../../../../../../../../../../../etc/passwd", O_RDONLY));
	int gone = file("gone");
	must(unlink("gone"), "unlink");
	ask_fd(gone);
	ask_fd(open(".", O_TMPFILE | O_RDWR, 0600));
	must(rmdir("e"), "rmdir");
	must(mkdir("real", 0700), "mkdir");
	must(symlink("real", "link"), "symlink");
	must(chdir("link"), "chdir");
	must(syscall(SYS_getcwd, cwd, sizeof(cwd)), "getcwd");
	ask_self();
	ask_fd(file("behind-link"));
	memset(name, 'n', 200);
	name[200] = 0;
	for (int i = 0; i < 12; i++) {
		must(mkdir(name, 0700), "mkdir");
		must(chdir(name), "chdir");
	}
	ask_self();
	ask_fd(file("deep"));
	long n = readlink("/proc/self/cwd", cwd, sizeof(cwd) - 1);
	must(n, "readlink");
	strcpy(cwd + n, "/deeper");
	ask_fd(file(cwd));
	objects();
}

static void jailed(void)
{
	must(chroot("jail"), "chroot");
	ask_fd(open("/etc/inside", O_RDWR | O_CREAT, 0600));
	ask_fd(open("outside", O_RDWR | O_CREAT, 0600));
	must(chdir("/"), "chdir");
	ask_self();
	ask_fd(open("../../etc/inside", O_RDONLY));
	ask_fd(open("etc/../etc/inside", O_RDONLY));
	ask_fd(open("/../etc/inside", O_RDONLY));
	must(chdir("/etc"), "chdir");
	ask_self();
	ask_fd(open("inside", O_RDONLY));
}

static void jail(void)
{
	must(mkdir("jail", 0700), "mkdir");
	must(mkdir("jail/etc", 0700), "mkdir");
	in_child(jailed);
	ask_self();
}

/* ---- processes ---- */

static int stat_ppid(void)
{
	char text[1024] = "";
	int fd = open("/proc/self/stat", O_RDONLY), ppid = 0;
	if (read(fd, text, sizeof(text) - 1) > 0)
		sscanf(strrchr(text, ')') + 2, "%*c %d", &ppid);
	close(fd);
	return ppid;
}

static void orphan(void)
{
	int reaper = stat_ppid();
	must(setsid(), "setsid");
	ask_self();
	pid_t pid = fork();
	must(pid, "fork");
	if (pid)
		_exit(0);
	while (stat_ppid() != reaper)
		usleep(100);
	ask_self();
	must(setpgid(0, 0), "setpgid");
	ask_self();
	_exit(0);
}

static void vforked(void)
{
	if (!vfork()) {
		ask_fd(open("child", O_RDWR | O_CREAT, 0600));
		execl("/proc/self/exe", "state", "hello", (char *)0);
		_exit(7);
	}
	wait(0);
	ask_self();
	ask_fd(3);
}

static void process(void)
{
	ask_self();
	must(prctl(PR_SET_CHILD_SUBREAPER, 1), "prctl");
	pid_t pid = fork();
	must(pid, "fork");
	if (!pid)
		orphan();
	while (wait(0) > 0)
		;
	vforked();
}

static void *named_thread(void *other)
{
	must(prctl(PR_SET_NAME, "by-prctl"), "prctl");
	ask_self();
	if (other)
		pthread_setname_np(*(pthread_t *)other, "by-other");
	return 0;
}

static void *renamed(void *gate)
{
	pthread_barrier_wait(gate);
	pthread_barrier_wait(gate);
	ask_self();
	return 0;
}

static void *outlives(void *main_thread)
{
	pthread_join(*(pthread_t *)main_thread, 0);
	ask_fd(file("after-main"));
	ask_self();
	in_child(ask_self);
	_exit(0);
}

static void *moves(void *unused)
{
	(void)unused;
	must(unshare(CLONE_FS), "unshare");
	must(chdir("/tmp"), "chdir");
	ask_self();
	return 0;
}

static void *execs(void *unused)
{
	(void)unused;
	file("by-thread");
	must(prctl(PR_SET_NAME, "execs"), "prctl");
	again("thread-after");
	return 0;
}

static void threads(void)
{
	pthread_t other, self = pthread_self(), t;
	pthread_barrier_t gate;
	pthread_barrier_init(&gate, 0, 2);
	pthread_create(&other, 0, renamed, &gate);
	pthread_barrier_wait(&gate);
	pthread_create(&t, 0, named_thread, &other);
	pthread_join(t, 0);
	pthread_barrier_wait(&gate);
	pthread_join(other, 0);
	int fd = open("/proc/self/comm", O_WRONLY);
	must(write(fd, "by-write", 8), "comm");
	close(fd);
	ask_self();
	pthread_create(&t, 0, moves, 0);
	pthread_join(t, 0);
	ask_self();
	fflush(0);
	if (!fork()) {
		pthread_create(&t, 0, execs, 0);
		pause();
	}
	wait(0);
	pthread_create(&t, 0, outlives, &self);
	pthread_exit(0);
}

/* ---- identities ---- */

static void three(void)
{
	must(setresuid(1001, 1002, 1003), "setresuid");
	ask_self();
	must(setuid(1003), "setuid");
	ask_self();
	must(setreuid(-1, 1001), "setreuid");
	ask_self();
}

static void dropped(void)
{
	must(setresgid(1004, 1004, 1004), "setresgid");
	setfsuid(1005);
	ask_self();
	must(setuid(1001), "setuid");
	ask_self();
	execl("./setuid-copy", "state", "hello", (char *)0);
	must(-1, "exec");
}

static void in_namespace(void)
{
	must(unshare(CLONE_NEWUSER), "unshare");
	int fd = open("/proc/self/uid_map", O_WRONLY);
	must(write(fd, "7 0 1", 5), "uid_map");
	ask_self();
	must(setresuid(7, 7, 7), "setresuid");
	ask_self();
}

static void identities(void)
{
	in_child(three);
	in_child(dropped);
	in_child(in_namespace);
	ask_self();
}

static void inner(void)
{
	ask_self();
	in_child(ask_self);
	must(setsid(), "setsid");
	must(mount(0, "/", 0, MS_REC | MS_PRIVATE, 0), "private");
	must(mkdir("root", 0700), "mkdir");
	must(mount("tmpfs", "root", "tmpfs", 0, 0), "tmpfs");
	must(mkdir("root/old", 0700), "mkdir");
	must(chdir("root"), "chdir");
	must(syscall(SYS_pivot_root, ".", "old"), "pivot_root");
	ask_fd(open("/in-new-root", O_RDWR | O_CREAT, 0600));
	must(chdir("/"), "chdir");
	ask_self();
	must(umount2("/old", MNT_DETACH), "umount");
	must(mkdir("/deeper", 0700), "mkdir");
	must(chdir("deeper"), "chdir");
	ask_self();
	ask_fd(open("file", O_RDWR | O_CREAT, 0600));
}

static void namespaces(void)
{
	must(unshare(CLONE_NEWPID | CLONE_NEWNS), "unshare");
	in_child(inner);
	ask_self();
}

/* A number is used again: the second process has nothing of the first. */
static void reuse(void)
{
	pid_t first = fork();
	if (!first) {
		file("of-the-first");
		ask_fd(3);
		_exit(0);
	}
	waitpid(first, 0, 0);
	for (int tries = 0; tries < 2000; tries++) {
		int last = open("/proc/sys/kernel/ns_last_pid", O_WRONLY);
		dprintf(last, "%d", first - 1);
		close(last);
		pid_t next = fork();
		if (!next) {
			if (getpid() == first) {
				ask_self();
				ask_fd(3);
				_exit(1);
			}
			_exit(0);
		}
		int status;
		waitpid(next, &status, 0);
		if (status)
			return;
	}
	dprintf(1, "no reuse\n");
}

/* ---- passing ---- */

static void pass(int way, int *fds, int count)
{
	union {
		char bytes[CMSG_SPACE(4 * sizeof(int))];
		struct cmsghdr align;
	} control = {};
	struct iovec v = { "x", 1 };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = CMSG_SPACE(count * sizeof(int)) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(count * sizeof(int));
	memcpy(CMSG_DATA(c), fds, count * sizeof(int));
	must(sendmsg(way, &m, 0), "sendmsg");
}

static void take(int way, int *fds, int count, int flags)
{
	union {
		char bytes[CMSG_SPACE(4 * sizeof(int))];
		struct cmsghdr align;
	} control;
	char byte;
	struct iovec v = { &byte, 1 };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control) };
	must(recvmsg(way, &m, flags), "recvmsg");
	memcpy(fds, CMSG_DATA(CMSG_FIRSTHDR(&m)), count * sizeof(int));
}

static void passing(void)
{
	int way[2], fds[3], more[1];
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, way), "socketpair");
	fflush(0);
	pid_t pid = fork();
	if (!pid) {
		take(way[1], fds, 3, 0);
		for (int i = 0; i < 3; i++)
			ask_fd(fds[i]);
		take(way[1], more, 1, MSG_CMSG_CLOEXEC);
		ask_fd(more[0]);
		must(dup2(file("of-the-child"), 60), "dup2");
		must(write(way[1], "r", 1), "ready");
		char go;
		must(read(way[1], &go, 1), "go");
		char scene[] = "passing-after";
		again(scene);
	}
	int mine[] = { file("first"), eventfd(0, 0), file("second") }, other = file("third");
	pass(way[0], mine, 3);
	pass(way[0], &other, 1);
	close(other);
	char ready;
	must(read(way[0], &ready, 1), "ready");
	int pidfd = syscall(SYS_pidfd_open, pid, 0);
	must(pidfd, "pidfd_open");
	int got = syscall(SYS_pidfd_getfd, pidfd, 60, 0);
	must(got, "pidfd_getfd");
	ask_fd(got);
	must(write(way[0], "g", 1), "go");
	int status;
	must(waitpid(pid, &status, 0), "waitpid");
	if (status)
		_exit(8);
}

static void passing_after(void)
{
	for (int fd = 3; fd < 12; fd++)
		ask_fd(fd);
}

/* ---- sockets ---- */

static const char *end_of(int fd, int (*name)(int, struct sockaddr *, socklen_t *))
{
	static char texts[4][80];
	static int next;
	char ip[64], *text = texts[next++ & 3];
	struct sockaddr_in6 a = {};
	struct sockaddr_in *v4 = (void *)&a;
	socklen_t len = sizeof(a);
	must(name(fd, (void *)&a, &len), "name");
	if (a.sin6_family == AF_INET)
		sprintf(text, "%s:%d", inet_ntop(AF_INET, &v4->sin_addr, ip, sizeof(ip)), ntohs(v4->sin_port));
	else if (IN6_IS_ADDR_V4MAPPED(&a.sin6_addr))
		sprintf(text, "%s:%d", inet_ntop(AF_INET, (char *)&a.sin6_addr + 12, ip, sizeof(ip)), ntohs(a.sin6_port));
	else
		sprintf(text, "%s:%d", inet_ntop(AF_INET6, &a.sin6_addr, ip, sizeof(ip)), ntohs(a.sin6_port));
	return text;
}
#define LOCAL(fd) end_of(fd, getsockname)
#define PEER(fd) end_of(fd, getpeername)

static int bound(int family, int type, struct sockaddr_in6 *at)
{
	int fd = socket(family, type, 0);
	must(fd, "socket");
	socklen_t len = sizeof(*at);
	memset(at, 0, sizeof(*at));
	at->sin6_family = family;
	if (family == AF_INET)
		((struct sockaddr_in *)at)->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	must(bind(fd, (void *)at, sizeof(*at)), "bind");
	must(getsockname(fd, (void *)at, &len), "getsockname");
	return fd;
}

static void tcp(int listening, int connecting, struct sockaddr_in6 to)
{
	int client = socket(connecting, SOCK_STREAM, 0), copy = dup(client);
	must(connect(client, (void *)&to, sizeof(to)), "connect");
	say(client, "%s->%s", LOCAL(client), PEER(client));
	say(copy, "%s->%s", LOCAL(client), PEER(client));
	int server = accept4(listening, 0, 0, SOCK_CLOEXEC);
	must(server, "accept");
	say(server, "%s->%s", PEER(server), LOCAL(server));
	shutdown(client, SHUT_WR);
	say(client, "%s->%s", LOCAL(client), PEER(client));
}

static void datagrams(void)
{
	struct sockaddr_in6 at, from;
	struct sockaddr nobody = { AF_UNSPEC };
	socklen_t len = sizeof(from);
	char byte;
	int server = bound(AF_INET, SOCK_DGRAM, &at), client = socket(AF_INET, SOCK_DGRAM, 0);
	must(sendto(client, "x", 1, 0, (void *)&at, sizeof(struct sockaddr_in)), "sendto");
	say(client, "0.0.0.0:0->%s", LOCAL(server));
	must(recvfrom(server, &byte, 1, 0, (void *)&from, &len), "recvfrom");
	char peer[80];
	sprintf(peer, "127.0.0.1:%d", ntohs(from.sin6_port));
	say(server, "%s->%s", peer, LOCAL(server));
	must(connect(client, (void *)&at, sizeof(struct sockaddr_in)), "connect");
	say(client, "%s->%s", LOCAL(client), PEER(client));
	must(connect(client, &nobody, sizeof(nobody)), "disconnect");
	say(client, "<NA>");
}

static void local(void)
{
	struct sockaddr_un at = { AF_UNIX, "path.sock" }, hidden = { AF_UNIX, "\0hidden-of-state-test" };
	int listening = socket(AF_UNIX, SOCK_STREAM, 0), client = socket(AF_UNIX, SOCK_STREAM, 0), pair[2];
	say(client, "<NA>");
	must(bind(listening, (void *)&at, sizeof(at)), "bind");
	must(listen(listening, 1), "listen");
	say(listening, "path.sock");
	must(connect(client, (void *)&at, sizeof(at)), "connect");
	say(client, "path.sock");
	say(accept(listening, 0, 0), "path.sock");
	int abstract = socket(AF_UNIX, SOCK_DGRAM, 0);
	must(bind(abstract, (void *)&hidden, sizeof(short) + 1 + strlen("hidden-of-state-test")), "bind");
	say(abstract, "@hidden-of-state-test");
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), "socketpair");
	say(pair[0], "<NA>");
	say(pair[1], "<NA>");
}

static void sockets(void)
{
	struct sockaddr_in6 at;
	int v4 = bound(AF_INET, SOCK_STREAM, &at);
	must(listen(v4, 5), "listen");
	say(v4, "%s", LOCAL(v4));
	tcp(v4, AF_INET, at);
	int refused = socket(AF_INET, SOCK_STREAM, 0);
	struct sockaddr_in port1 = { AF_INET, htons(1), { htonl(INADDR_LOOPBACK) }, {} };
	if (connect(refused, (void *)&port1, sizeof(port1)) < 0)
		say(refused, "<NA>");
	int v6 = bound(AF_INET6, SOCK_STREAM, &at);
	must(listen(v6, 5), "listen");
	say(v6, "%s", LOCAL(v6));
	struct sockaddr_in6 to = at;
	inet_pton(AF_INET6, "::1", &to.sin6_addr);
	tcp(v6, AF_INET6, to);
	inet_pton(AF_INET6, "::ffff:127.0.0.1", &to.sin6_addr);
	tcp(v6, AF_INET6, to);
	datagrams();
	local();
	int packet = socket(AF_PACKET, SOCK_RAW, 0);
	if (packet >= 0)
		say(packet, "[packet]");
}

static const struct {
	const char *name;
	void (*play)(void);
} scenes[] = {
	{ "descriptors", descriptors }, { "descriptors-after", descriptors_after }, { "paths", paths },
	{ "jail", jail },		{ "process", process },			    { "threads", threads },
	{ "identities", identities },	{ "namespaces", namespaces },		    { "reuse", reuse },
	{ "sockets", sockets },		{ "passing", passing },			    { "passing-after", passing_after },
	{ "hello", ask_self },
};

static void thread_after(void)
{
	ask_self();
	ask_fd(3);
}

int main(int argc, char **argv)
{
	const char *scene = argc > 1 ? argv[1] : "";
	setvbuf(stdout, 0, _IONBF, 0);
	if (fcntl(HELPER, F_GETFD) < 0)
		start_helper();
	if (!strcmp(scene, "thread-after")) {
		thread_after();
		return 0;
	}
	for (unsigned i = 0; i < sizeof(scenes) / sizeof(*scenes); i++) {
		if (!strcmp(scene, scenes[i].name)) {
			scenes[i].play();
			return 0;
		}
	}
	return 2;
}
