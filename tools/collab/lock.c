#include "tools/collab/lock.h"

#include "common/path.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TRIES = 8 };

static int
in_use(const char *folder, int fd, struct err *e)
{
	char text[24] = "";
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);
	char *end = text;
	long pid = n > 0 ? strtol(text, &end, 10) : 0;

	if (pid > 0 && *end == '\n')
		return err_set(e, "in_use",
		    "'%s' is in use by process %ld: end that one, or take another name or folder",
		    folder, pid);
	return err_set(e, "in_use",
	    "'%s' is in use by another process: end that one, or take another name or folder",
	    folder);
}

/* Whether the descriptor is still what the name leads to: a deleted file locks nobody out. */
static bool
is_there(const char *name, int fd)
{
	struct stat mine, there;

	return fstat(fd, &mine) == 0 && lstat(name, &there) == 0 && mine.st_ino == there.st_ino &&
	    mine.st_dev == there.st_dev;
}

static int
take(const char *folder, const char *name, int *fd, struct err *e)
{
	char pid[24];
	int len;

	for (int tries = 0; tries < TRIES; tries++) {
		*fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
		if (*fd < 0)
			return err_set(e, "cannot_write", "cannot open '%s': %s", name,
			    strerror(errno));
		while (flock(*fd, LOCK_EX | LOCK_NB) != 0) {
			int error = errno;

			if (error == EINTR)
				continue;
			if (error == EWOULDBLOCK)
				in_use(folder, *fd, e);
			else
				err_set(e, "cannot_write", "cannot lock '%s': %s", name,
				    strerror(error));
			close(*fd);
			*fd = -1;
			return -1;
		}
		if (is_there(name, *fd)) {
			len = snprintf(pid, sizeof(pid), "%ld\n", (long)getpid());
			/* On a full disk nobody reads who it is: the lock stands without. */
			if (ftruncate(*fd, 0) == 0 && pwrite(*fd, pid, (size_t)len, 0) != len)
				errno = 0;
			return 0;
		}
		close(*fd);
		*fd = -1;
	}
	return err_set(e, "in_use", "'%s' is in use: its lock changes all the time", folder);
}

int
lock_take(const char *folder, int *fd, struct err *e)
{
	char *name = path_join(folder, "lock");
	int rc = take(folder, name, fd, e);

	free(name);
	return rc;
}
