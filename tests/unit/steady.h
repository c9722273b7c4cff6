/*
 * steady: clocks for tests of what is to happen in time. Between two looks at them STEP_MS pass at
 * most, so that a machine which stops for seconds, or has no time for us, is not taken for a peer
 * that is silent. For tests whose peers are all in their one process, and which never wait long.
 */
#ifndef KANDIL_TEST_STEADY_H
#define KANDIL_TEST_STEADY_H

#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { STEP_MS = 100 };

/* In the place of the C library's, for libwebsockets as well. */
int
clock_gettime(clockid_t clock, struct timespec *ts)
{
	static int64_t seen, lost;
	const int64_t second = 1000000000, step = STEP_MS * (second / 1000);
	struct timespec real;
	int64_t now;

	if (clock != CLOCK_MONOTONIC && clock != CLOCK_REALTIME)
		return (int)syscall(SYS_clock_gettime, clock, ts);
	syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &real);
	now = real.tv_sec * second + real.tv_nsec;
	if (seen && now - seen > step)
		lost += now - seen - step;
	seen = now;
	syscall(SYS_clock_gettime, clock, &real);
	now = real.tv_sec * second + real.tv_nsec - lost;
	*ts = (struct timespec){now / second, now % second};
	return 0;
}

#endif
