/* A thread that is not the first one becomes another program, while a third one is in a call. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int ends[2];
static atomic_int blocked;

/* Whether a thread sleeps, in whatever call it is (proc_pid_stat(5)). */
static int sleeps(int tid)
{
	char path[64], text[64] = "";
	snprintf(path, sizeof path, "/proc/self/task/%d/stat", tid);
	int fd = open(path, O_RDONLY);
	ssize_t length = read(fd, text, sizeof text - 1);
	close(fd);
	return length > 0 && strstr(text, ") S ");
}

static void *blocks(void *unused)
{
	char byte;
	blocked = syscall(SYS_gettid);
	read(ends[0], &byte, 1);
	return unused;
}

static void *becomes(void *unused)
{
	char *arguments[] = { "true", "by a thread", 0 }, *environment[] = { "A=1", 0 };
	while (!blocked || !sleeps(blocked))
		;
	execve("/bin/true", arguments, environment);
	return unused;
}

int main(void)
{
	pthread_t thread;
	pipe(ends);
	pthread_create(&thread, 0, blocks, 0);
	pthread_create(&thread, 0, becomes, 0);
	pthread_join(thread, 0);
	return 1;
}
