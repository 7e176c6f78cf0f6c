/* A mixed load whose completeness can be counted from outside.
 *
 * load DIR WORKERS: each worker makes files, pipes, sockets and processes until DIR/stop exists. Round n begins with a
 * pwrite of the text "n" to a file of its own, so a recording of worker w without a gap holds 1, 2, 3 … as the data of
 * its pwrites. At its end a worker appends "TID ROUNDS" to DIR/result; a call that fails or reads back something else
 * than was written ends it with an error instead: nobody may notice that he is recorded.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void fail(const char *what) {
    fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
    _exit(3);
}

static void number(int fd, unsigned long round) {
    char text[24], back[24];
    int length = snprintf(text, sizeof text, "%lu", round);
    if (pwrite(fd, text, length, 0) != length) fail("pwrite");
    if (pread(fd, back, length, 0) != length || memcmp(text, back, length)) fail("pread");
}

static void files(void) {
    char name[32];
    snprintf(name, sizeof name, "t.%ld", syscall(SYS_gettid));
    int fd = open(name, O_CREAT | O_RDWR | O_TRUNC, 0600);
    if (fd < 0 || write(fd, name, 4) != 4 || close(fd) || unlink(name)) fail("file");
}

static void pipes(void) {
    int ends[2];
    char got[4];
    if (pipe(ends) || write(ends[1], "pipe", 4) != 4 || read(ends[0], got, 4) != 4 || memcmp(got, "pipe", 4)) fail("pipe");
    close(ends[0]);
    close(ends[1]);
}

static void sockets(void) {
    int pair[2];
    char got[4];
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) || send(pair[0], "sock", 4, 0) != 4 || recv(pair[1], got, 4, 0) != 4)
        fail("socketpair");
    close(pair[0]);
    close(pair[1]);
}

static void processes(unsigned long round) {
    pid_t child = vfork();
    if (child == 0) {
        if (round % 1024) _exit(7);
        execl("/bin/true", "true", "of", "the", "load", (char *)0);
        _exit(8);
    }
    int status, expected = round % 1024 ? 7 : 0;
    if (child < 0 || waitpid(child, &status, 0) != child || status != expected << 8) fail("child");
}

static void worker(int index) {
    char name[16], line[48];
    snprintf(name, sizeof name, "w.%d", index);
    int fd = open(name, O_CREAT | O_RDWR | O_TRUNC, 0600);
    if (fd < 0) fail(name);
    unsigned long round = 0;
    while (access("stop", F_OK)) {
        number(fd, ++round);
        for (int i = 0; i < 4; i++) syscall(SYS_getppid);
        if (round % 4 == 0) files();
        if (round % 8 == 0) pipes();
        if (round % 16 == 0) sockets();
        if (round % 256 == 0) processes(round);
        if (round % 32 == 0) nanosleep(&(struct timespec){0, 1000000}, 0);
    }
    int length = snprintf(line, sizeof line, "%ld %lu\n", syscall(SYS_gettid), round);
    int result = open("result", O_CREAT | O_WRONLY | O_APPEND, 0600);
    if (result < 0 || write(result, line, length) != length) fail("result");
    _exit(0);
}

int main(int argc, char **argv) {
    if (argc != 3 || chdir(argv[1])) fail("usage: load DIR WORKERS");
    int workers = atoi(argv[2]), failed = 0;
    for (int i = 0; i < workers; i++)
        if (fork() == 0) worker(i);
    for (int i = 0; i < workers; i++) {
        int status;
        if (wait(&status) < 0 || status) failed = 4;
    }
    return failed;
}
