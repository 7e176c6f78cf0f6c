/* 32-bit calls from a 64-bit program: multiplexers, and an offset in two registers. Ends with 77 where the kernel has none. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static int call(int nr, unsigned a, unsigned b, unsigned c, unsigned d, unsigned e)
{
	int ret;
	__asm__ volatile("int $0x80" : "=a"(ret) : "a"(nr), "b"(a), "c"(b), "d"(c), "S"(d), "D"(e) : "memory", "r8", "r9", "r10", "r11");
	return ret;
}

int main(void)
{
	unsigned *low = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	unsigned at = (unsigned)(unsigned long)low;
	int zero = open("/dev/zero", O_RDONLY), set;

	if (call(20, 0, 0, 0, 0, 0) != getpid())
		return 77;
	low[0] = 1; /* AF_UNIX */
	low[1] = 1; /* SOCK_STREAM */
	low[2] = 0;
	low[3] = at + 64;
	call(102, 8, at, 0, 0, 0); /* socketpair */
	low[0] = low[16];
	low[1] = at + 128;
	low[2] = 5;
	low[3] = 0;
	memcpy(low + 32, "hello", 5);
	call(102, 9, at, 0, 0, 0); /* send */
	printf("pair=%u\n", low[16]);
	set = call(117, 2, 0, 1, 0600, 0); /* semget */
	printf("set=%d\n", set);
	((unsigned short *)low)[0] = 0;
	((unsigned short *)low)[1] = 3;
	((unsigned short *)low)[2] = 0;
	call(117, 1, set, 1, 0, at); /* semop */
	low[0] = 0;
	call(117, 3, set, 0, 0, at); /* semctl: IPC_RMID */
	call(180, zero, at, 4, 7, 1); /* pread64 at 7 + 2^32 */
	low[0] = 0;
	low[1] = 1000;
	call(162, at, 0, 0, 0, 0); /* nanosleep with a 32-bit timespec */
	return 0;
}
