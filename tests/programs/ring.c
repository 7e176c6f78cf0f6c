/* Gives three requests to an io_uring, by calls and shared memory alone; says their results. Ends with 77 where it may not. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/io_uring.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct io_uring_params p = { .flags = argc > 1 ? IORING_SETUP_SQPOLL : 0, .sq_thread_idle = 1000 };
	char buffer[8];
	int ring = syscall(__NR_io_uring_setup, 4, &p), zero = open("/dev/zero", O_RDONLY);
	if (ring < 0)
		return 77;
	char *sq = mmap(0, p.sq_off.array + p.sq_entries * 4, PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_SQ_RING);
	char *cq = mmap(0, p.cq_off.cqes + p.cq_entries * sizeof(struct io_uring_cqe), PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_CQ_RING);
	struct io_uring_sqe *sqe = mmap(0, p.sq_entries * sizeof(*sqe), PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_SQES);
	struct io_uring_cqe *cqe = (void *)(cq + p.cq_off.cqes);
	unsigned *array = (void *)(sq + p.sq_off.array), *tail = (void *)(sq + p.sq_off.tail);
	volatile unsigned *flags = (void *)(sq + p.sq_off.flags), *done = (void *)(cq + p.cq_off.tail);

	memset(sqe, 0, 3 * sizeof(*sqe));
	sqe[0].opcode = IORING_OP_NOP;
	sqe[0].user_data = 0x1111;
	sqe[1].opcode = IORING_OP_READ;
	sqe[1].fd = zero;
	sqe[1].addr = (unsigned long)buffer;
	sqe[1].len = sizeof(buffer);
	sqe[1].user_data = 0x2222;
	sqe[2].opcode = IORING_OP_READ;
	sqe[2].fd = 999;
	sqe[2].user_data = 0x3333;
	for (int i = 0; i < 3; i++)
		array[i] = i;
	__atomic_store_n(tail, 3, __ATOMIC_RELEASE);
	__sync_synchronize();
	int enter = argc > 1 ? (*flags & IORING_SQ_NEED_WAKEUP ? IORING_ENTER_SQ_WAKEUP : 0) : 0;
	syscall(__NR_io_uring_enter, ring, argc > 1 ? 0 : 3, 3, enter | IORING_ENTER_GETEVENTS, 0, 0);
	while (*done != 3)
		syscall(__NR_io_uring_enter, ring, 0, 3, IORING_ENTER_GETEVENTS, 0, 0);
	printf("zero=%d\n", zero);
	for (int i = 0; i < 3; i++)
		printf("%llx=%d\n", cqe[i].user_data, cqe[i].res);
	return 0;
}
