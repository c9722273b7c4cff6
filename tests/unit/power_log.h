/*
 * power_log: what a process does to the files of a folder is written down, in its order: what it
 * writes, cuts, names and syncs. For power.h, which says what a disk has of it.
 *
 * It stands in the place of the C library's functions. The first fsync of a file after
 * power_fail = true fails.
 */
#ifndef KANDIL_TEST_POWER_LOG_H
#define KANDIL_TEST_POWER_LOG_H

#include "common/mem.h"
#include "tests/unit/scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/uio.h>

enum power_kind { POWER_WRITE, POWER_MAPPED, POWER_CUT, POWER_SYNC, POWER_LOST, POWER_NAMES };
enum { POWER_NODES = 4096, POWER_DEPTH = 16 };

/* A file or folder is a node, by a number of its own: inodes are used again. */
struct power_name {
	int folder, node; /* node -1: the name is gone */
	char *name;
	ino_t inode;
	bool seen;
};

struct power_op {
	enum power_kind kind;
	int node;
	uint64_t at; /* POWER_CUT: the size */
	struct buf bytes;
	struct power_name *names; /* POWER_NAMES: what changes at once */
	size_t nnames;
	bool kept;
};

static struct {
	const char *root; /* NULL: nothing is watched */
	struct power_op *ops;
	size_t nops, cap;
	struct power_name *names; /* as they are */
	size_t nnames, names_cap;
	struct buf mapped[POWER_NODES];
	bool is_folder[POWER_NODES];
	int nnodes; /* node 0: the root */
} power;
static bool power_fail;

/* ---- what happens ---- */

static struct power_op *
power_add(enum power_kind kind, int node)
{
	power.ops = xgrow(power.ops, power.nops, &power.cap, sizeof(*power.ops));
	power.ops[power.nops] = (struct power_op){.kind = kind, .node = node};
	return &power.ops[power.nops++];
}

static void
power_change(struct power_op *op, const struct power_name *name, int node)
{
	op->names = xrealloc(op->names, (op->nnames + 1) * sizeof(*op->names));
	op->names[op->nnames++] = (struct power_name){
	    .folder = name->folder, .node = node, .name = xstrdup(name->name)};
}

/* What a file that is new has, or a mapped one now. */
static void
power_look(const char *path, int node, bool is_mapped)
{
	struct buf now = {0};

	if (path_read(path, SIZE_MAX / 2, &now, NULL) == 0 &&
	    !slice_eq(buf_slice(&now), buf_slice(&power.mapped[node]))) {
		struct power_op *op = power_add(is_mapped ? POWER_MAPPED : POWER_WRITE, node);

		buf_addslice(&op->bytes, buf_slice(&now));
		buf_reset(&power.mapped[node]);
		if (is_mapped)
			buf_addslice(&power.mapped[node], buf_slice(&now));
	}
	buf_free(&now);
}

static struct power_name *
power_find(int folder, const char *name)
{
	for (size_t i = 0; i < power.nnames; i++)
		if (power.names[i].folder == folder && strcmp(power.names[i].name, name) == 0)
			return &power.names[i];
	return NULL;
}

/* The node of an inode that had a name when it was looked last; -1: it is another file. */
static int
power_node(ino_t inode)
{
	for (size_t i = 0; i < power.nnames; i++)
		if (power.names[i].inode == inode)
			return power.names[i].node;
	return -1;
}

struct power_scan {
	struct power_name *names;
	size_t n, cap;
};

static void
power_list(const char *path, int folder, int depth, struct power_scan *scan)
{
	DIR *d = opendir(path);
	struct dirent *entry;
	struct stat st;

	while (d && depth < POWER_DEPTH && (entry = readdir(d)) != NULL) {
		char *name = path_join(path, entry->d_name);
		int node = -1;

		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
		    lstat(name, &st) == 0) {
			node = power_node(st.st_ino);
			for (size_t i = 0; node < 0 && i < scan->n; i++)
				if (scan->names[i].inode == st.st_ino)
					node = scan->names[i].node;
			if (node < 0)
				node = power.nnodes++;
			if (node >= POWER_NODES)
				abort();
			power.is_folder[node] = S_ISDIR(st.st_mode);
			scan->names = xgrow(scan->names, scan->n, &scan->cap, sizeof(*scan->names));
			scan->names[scan->n++] = (struct power_name){.folder = folder, .node = node,
			    .name = xstrdup(entry->d_name), .inode = st.st_ino};
			if (S_ISDIR(st.st_mode))
				power_list(name, node, depth + 1, scan);
			else if (power_node(st.st_ino) < 0 || strcmp(entry->d_name, "marks") == 0 ||
			    strcmp(entry->d_name, "synced") == 0)
				power_look(name, node, power_node(st.st_ino) >= 0);
		}
		free(name);
	}
	if (d)
		closedir(d);
}

/* Notes what names and mapped files have become. */
static void
power_scan(void)
{
	struct power_scan scan = {0};
	struct power_op changes = {.kind = POWER_NAMES, .node = -1};

	power_list(power.root, 0, 0, &scan);
	for (size_t i = 0; i < scan.n; i++) {
		struct power_name *was = power_find(scan.names[i].folder, scan.names[i].name);

		if (was)
			was->seen = true;
		if (was == NULL || was->node != scan.names[i].node)
			power_change(&changes, &scan.names[i], scan.names[i].node);
	}
	for (size_t i = 0; i < power.nnames; i++) {
		if (!power.names[i].seen)
			power_change(&changes, &power.names[i], -1);
		free(power.names[i].name);
	}
	free(power.names);
	power.names = scan.names;
	power.nnames = scan.n;
	if (changes.nnames)
		*power_add(POWER_NAMES, -1) = changes;
}

/* The node that a descriptor is; -1: none of ours. */
static int
power_of(int fd)
{
	struct stat st, root;

	if (power.root == NULL || fstat(fd, &st) != 0 ||
	    (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode)))
		return -1;
	power_scan();
	if (stat(power.root, &root) == 0 && root.st_ino == st.st_ino)
		return 0;
	return power_node(st.st_ino);
}

static int
power_names(long rc)
{
	int error = errno;

	if (power.root)
		power_scan();
	errno = error;
	return (int)rc;
}

static ssize_t
power_wrote(int node, const struct iovec *from, off_t at, ssize_t done)
{
	size_t left = node >= 0 && done > 0 ? (size_t)done : 0;
	struct power_op *op = left ? power_add(POWER_WRITE, node) : NULL;

	for (; left; from++) {
		op->at = (uint64_t)at;
		buf_add(&op->bytes, from->iov_base, left < from->iov_len ? left : from->iov_len);
		left -= left < from->iov_len ? left : from->iov_len;
	}
	return done;
}

/* ---- in the place of the C library's ---- */

ssize_t
pwritev(int fd, const struct iovec *from, int n, off_t at)
{
	int node = power_of(fd);

	return power_wrote(node, from, at, syscall(SYS_pwritev, fd, from, n, at, 0));
}

ssize_t
pwrite(int fd, const void *from, size_t n, off_t at)
{
	return pwritev(fd, &(struct iovec){(void *)(uintptr_t)from, n}, 1, at);
}

ssize_t
write(int fd, const void *from, size_t n)
{
	int node = power_of(fd);
	struct iovec all = {(void *)(uintptr_t)from, n};
	off_t at = 0;

	if (node >= 0)
		at = lseek(fd, 0, fcntl(fd, F_GETFL) & O_APPEND ? SEEK_END : SEEK_CUR);
	return power_wrote(node, &all, at, syscall(SYS_write, fd, from, n));
}

int
ftruncate(int fd, off_t size)
{
	int node = power_of(fd), rc = (int)syscall(SYS_ftruncate, fd, size);

	if (node >= 0 && rc == 0)
		power_add(POWER_CUT, node)->at = (uint64_t)size;
	return rc;
}

static int
power_sync(int fd, long how)
{
	int node = power_of(fd), rc;

	if (node >= 0 && power_fail && !power.is_folder[node]) {
		power_fail = false;
		power_add(POWER_LOST, node);
		errno = EIO;
		return -1;
	}
	rc = (int)syscall(how, fd);
	if (node >= 0 && rc == 0)
		power_add(POWER_SYNC, node);
	return rc;
}

int
fdatasync(int fd)
{
	return power_sync(fd, SYS_fdatasync);
}

int
fsync(int fd)
{
	return power_sync(fd, SYS_fsync);
}

int
renameat2(int fromdir, const char *from, int todir, const char *to, unsigned flags)
{
	power_names(0);
	return power_names(syscall(SYS_renameat2, fromdir, from, todir, to, flags));
}

int
renameat(int fromdir, const char *from, int todir, const char *to)
{
	return renameat2(fromdir, from, todir, to, 0);
}

int
rename(const char *from, const char *to)
{
	return renameat2(AT_FDCWD, from, AT_FDCWD, to, 0);
}

int
unlinkat(int folder, const char *name, int flags)
{
	power_names(0);
	return power_names(syscall(SYS_unlinkat, folder, name, flags));
}

int
unlink(const char *name)
{
	return unlinkat(AT_FDCWD, name, 0);
}

#endif
