/*
 * steps: a process that dies at a chosen change of its folders: a test that includes this
 * calls step in what it puts in the place of the C library's functions.
 */
#ifndef KANDIL_TEST_STEPS_H
#define KANDIL_TEST_STEPS_H

#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The next so many changes are made, then the process is gone; -1: all. */
static long steps = -1;

static void
step(void)
{
	if (steps == 0)
		_exit(9);
	if (steps > 0)
		steps--;
}

int
renameat(int fromdir, const char *from, int todir, const char *to)
{
	step();
	return (int)syscall(SYS_renameat, fromdir, from, todir, to);
}

#endif
