/* Storms, each of a size given: storm KIND COUNT. Prints what it made, which a recording must hold or count as lost. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void fail(const char *what) {
    fprintf(stderr, "storm: %s: %s\n", what, strerror(errno));
    _exit(3);
}

/* COUNT processes, one after the other. */
static void forks(long count) {
    for (long i = 0; i < count; i++) {
        pid_t child = fork();
        if (child == 0) _exit(0);
        if (child < 0 || waitpid(child, 0, 0) != child) fail("fork");
    }
}

/* COUNT programs run, one after the other, each with a long and distinct argument. */
static void execs(long count) {
    static char word[2000];
    memset(word, 'a', sizeof word - 1);
    for (long i = 0; i < count; i++) {
        pid_t child = vfork();
        snprintf(word, 16, "%015ld", i);
        word[15] = 'a';
        if (child == 0) {
            execl("/bin/true", "true", word, (char *)0);
            _exit(9);
        }
        int status;
        if (child < 0 || waitpid(child, &status, 0) != child || status) fail("exec");
    }
}

/* COUNT opens of paths that all differ; few of them exist. */
static void opens(long count) {
    char name[64];
    for (long i = 0; i < count; i++) {
        snprintf(name, sizeof name, "/nonexistent/of/the/storm/%ld/file", i);
        int fd = open(i % 16 ? name : "/dev/null", O_RDONLY);
        if (fd >= 0) close(fd);
    }
}

/* COUNT connections over loopback, each of its own address and port. */
static void connections(long count) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof to;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    if (listener < 0 || bind(listener, (void *)&to, length) || listen(listener, 16) || getsockname(listener, (void *)&to, &length))
        fail("listen");
    for (long i = 0; i < count; i++) {
        int out = socket(AF_INET, SOCK_STREAM, 0), on = 1;
        struct linger now = {1, 0};
        struct sockaddr_in from = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f010001 + i / 20000)};
        setsockopt(out, SOL_SOCKET, SO_LINGER, &now, sizeof now);
        setsockopt(out, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        if (bind(out, (void *)&from, sizeof from) || connect(out, (void *)&to, sizeof to)) fail("connect");
        int in = accept(listener, 0, 0);
        if (in < 0) fail("accept");
        close(out);
        close(in);
    }
}

/* Datagrams between one socket and COUNT peers. */
static void peers(long count) {
    struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof own;
    int server = socket(AF_INET, SOCK_DGRAM, 0);
    if (server < 0 || bind(server, (void *)&own, length) || getsockname(server, (void *)&own, &length)) fail("server");
    for (long i = 0; i < count; i++) {
        char got[8];
        struct sockaddr_in peer = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f020001 + i)};
        int client = socket(AF_INET, SOCK_DGRAM, 0);
        if (bind(client, (void *)&peer, sizeof peer) || sendto(client, "ask", 3, 0, (void *)&own, length) != 3) fail("ask");
        if (recvfrom(server, got, sizeof got, 0, (void *)&peer, &length) != 3) fail("hear");
        if (sendto(server, "say", 3, 0, (void *)&peer, length) != 3 || recv(client, got, sizeof got, 0) != 3) fail("say");
        close(client);
    }
}

/* COUNT descriptors open at once. */
static void descriptors(long count) {
    struct rlimit all = {count + 64, count + 64};
    char name[64];
    if (setrlimit(RLIMIT_NOFILE, &all)) fail("limit");
    for (long i = 0; i < count; i++) {
        snprintf(name, sizeof name, "d.%ld", i);
        if (open(name, O_CREAT | O_RDWR, 0600) < 0) fail(name);
    }
    for (long i = 0; i < count; i++) {
        snprintf(name, sizeof name, "d.%ld", i);
        unlink(name);
    }
}

static pthread_barrier_t all_there;

static void *thread(void *unused) {
    (void)unused;
    pthread_barrier_wait(&all_there);
    return 0;
}

/* COUNT threads at once. */
static void threads(long count) {
    pthread_t *made = calloc(count, sizeof *made);
    pthread_attr_t small;
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, 65536);
    pthread_barrier_init(&all_there, 0, count + 1);
    for (long i = 0; i < count; i++)
        if (pthread_create(&made[i], &small, thread, 0)) fail("thread");
    pthread_barrier_wait(&all_there);
    for (long i = 0; i < count; i++) pthread_join(made[i], 0);
}

/* COUNT directories, each in the one before. */
static void deep(long count) {
    for (long i = 0; i < count; i++)
        if (mkdir("directory", 0700) || chdir("directory")) fail("mkdir");
    close(open("bottom", O_CREAT | O_WRONLY, 0600));
    unlink("bottom");
    for (long i = 0; i < count; i++)
        if (chdir("..") || rmdir("directory")) fail("rmdir");
}

/* COUNT one-byte writes, as fast as they go. */
static void writes(long count) {
    int fd = open("/dev/null", O_WRONLY);
    for (long i = 0; i < count; i++)
        if (write(fd, "x", 1) != 1) fail("write");
}

/* COUNT calls that do nothing, as fast as they go. */
static void calls(long count) {
    for (long i = 0; i < count; i++) getppid();
}

/* COUNT opens of one file, each closed again. */
static void files(long count) {
    for (long i = 0; i < count; i++) close(open("/etc/passwd", O_RDONLY));
}

static const struct {
    const char *name;
    void (*run)(long);
} kinds[] = {{"forks", forks}, {"execs", execs}, {"opens", opens}, {"connections", connections}, {"peers", peers},
             {"descriptors", descriptors}, {"threads", threads}, {"deep", deep}, {"writes", writes},
             {"calls", calls}, {"files", files}};

int main(int argc, char **argv) {
    for (size_t i = 0; argc == 3 && i < sizeof kinds / sizeof *kinds; i++) {
        if (strcmp(argv[1], kinds[i].name)) continue;
        kinds[i].run(atol(argv[2]));
        return 0;
    }
    fprintf(stderr, "usage: storm KIND COUNT\n");
    return 2;
}
