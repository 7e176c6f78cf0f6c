/* A thread that is not the first one becomes another program, while a third one is in a call. */
#define _GNU_SOURCE
#include <pthread.h>
#include <unistd.h>

static int ends[2];

static void *blocks(void *unused)
{
	char byte;
	read(ends[0], &byte, 1);
	return unused;
}

static void *becomes(void *unused)
{
	char *arguments[] = { "true", "by a thread", 0 }, *environment[] = { "A=1", 0 };
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
