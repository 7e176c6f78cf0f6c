/* A child with two threads that uses memory and ends; says what wait4 tells of it: key=number lines. */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static void *touch(void *unused)
{
	char *memory = malloc(24 << 20);
	memset(memory, 1, 24 << 20);
	return unused;
}

int main(void)
{
	struct rusage used;
	int status, child = fork();
	if (!child) {
		pthread_t thread;
		pthread_create(&thread, 0, touch, 0);
		pthread_join(thread, 0);
		exit(7);
	}
	wait4(child, &status, 0, &used);
	printf("child=%d\nstatus=%d\nmaxrss=%ld\nminflt=%ld\nmajflt=%ld\n", child, status, used.ru_maxrss, used.ru_minflt, used.ru_majflt);
	printf("nvcsw=%ld\nnivcsw=%ld\n", used.ru_nvcsw, used.ru_nivcsw);
	printf("utime=%ld\nstime=%ld\n", used.ru_utime.tv_sec * 1000000 + used.ru_utime.tv_usec,
	       used.ru_stime.tv_sec * 1000000 + used.ru_stime.tv_usec);
	return 0;
}
