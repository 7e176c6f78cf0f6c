/* Sends, catches and dies of signals, and says who did: key=number lines. */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile int caught;

static void on_signal(int signal)
{
	caught = signal;
}

static int died(const char *key, int child)
{
	int status;
	waitpid(child, &status, 0);
	printf("%s=%d\n%s.status=%d\n", key, child, key, status);
	return status;
}

int main(void)
{
	union sigval value = { .sival_int = 5 };
	int child;

	signal(SIGUSR1, on_signal);
	signal(SIGUSR2, on_signal);
	kill(getpid(), SIGUSR1);
	sigqueue(getpid(), SIGUSR2, value);
	printf("self=%d\n", getpid());
	fflush(stdout);
	if (!(child = fork()))
		for (;;)
			pause();
	kill(child, SIGKILL);
	died("killed", child);
	fflush(stdout);
	if (!(child = fork()))
		return *(volatile int *)0x1234;
	died("faulted", child);
	return caught != SIGUSR2;
}
