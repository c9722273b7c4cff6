#include "tools/collab/place_part.h"

#include "common/hash.h"
#include "common/mem.h"
#include "common/path.h"
#include "common/time.h"
#include "tools/collab/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	SAME_TIME = 100, /* outboxes set aside in one second */
	GROUP = 1 << 20, /* bytes of lines that are committed at once */
};

static int
fail(const char *what, const char *name, struct err *e)
{
	int error = errno;

	return err_set(e, error == ENOSPC || error == EDQUOT ? "disk_full" : "cannot_write",
	    "cannot %s '%s': %s", what, name, strerror(error));
}

/* Brings a folder's entries to the disk: 0 or -1 with errno. */
static int
sync_folder(const char *folder)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc, error;

	if (fd < 0)
		return -1;
	rc = store_sync(fd);
	error = errno;
	close(fd);
	errno = error;
	return rc;
}

/* The name in an identity. */
static struct slice
name_of(const char *from)
{
	const char *dot = strrchr(from, '.');

	return (struct slice){from, dot ? (size_t)(dot - from) : 0};
}

/* ---- node ---- */

/*
 * Reads the identity of an outbox's folder: 1, 0 when it has none, or none of that
 * name, -1 with e when it cannot be read.
 */
static int
read_node(const char *out, struct slice name, char from[PLACE_IDENTITY + 1], struct err *e)
{
	char *file = path_join(out, "node");
	struct buf text = {0};
	struct slice line;
	bool there = access(file, F_OK) == 0;
	struct err why;
	int rc = 0;

	if (there && path_read(file, PLACE_IDENTITY + 1, &text, &why) != 0) {
		/* One that is too long, or a folder, is damage; one that cannot be read is not. */
		if (strcmp(why.code, "too_large") != 0 && access(file, R_OK) != 0)
			rc = err_set(e, "cannot_read", "%s", why.text);
	} else if (there) {
		line = buf_slice(&text);
		if (line.len && line.ptr[line.len - 1] == '\n')
			line.len--;
		if (place_is_identity(name, line)) {
			memcpy(from, line.ptr, line.len);
			from[line.len] = '\0';
			rc = 1;
		}
	}
	buf_free(&text);
	free(file);
	return rc;
}

/* The last file of a new outbox: with it, it is whole. */
static int
write_node(const char *out, const char *from, struct err *e)
{
	char *file = path_join(out, "node");
	struct buf text = {0};
	int rc;

	buf_addf(&text, "%s\n", from);
	rc = path_replace(file, buf_slice(&text), NULL, e);
	if (rc == 0 && chmod(file, 0600) != 0)
		errno = 0; /* its folder is private */
	buf_free(&text);
	free(file);
	return rc;
}

/* ---- a new outbox ---- */

/* Removes a folder of plain files; what is there besides stays, and so does the folder. */
static void
remove_folder(const char *folder)
{
	DIR *d = opendir(folder);
	struct dirent *entry;

	while (d && (entry = readdir(d)) != NULL) {
		char *name = path_join(folder, entry->d_name);

		unlink(name);
		free(name);
	}
	if (d)
		closedir(d);
	rmdir(folder);
}

/* Every line of the old one that the relay has not taken, under new numbers. */
static int
copy_lines(struct journal *old, struct journal *new, const char *from, uint64_t relayed,
    uint64_t *moved, struct err *e)
{
	struct journal_entry entry;
	struct buf bytes = {0};
	uint64_t place = journal_first(old), last = journal_last(old);
	size_t pending = 0;
	int rc = 0;

	for (; rc == 0 && place && place <= last; place++) {
		if (journal_read(old, place, &entry, &bytes, NULL) != 0 || entry.seq <= relayed)
			continue;
		if (journal_append(new, slice(from), *moved + 1, entry.event, entry.payload,
			entry.flags, e) < 0)
			rc = -1;
		++*moved;
		pending += bytes.len;
		if (pending > GROUP && rc == 0) {
			rc = journal_commit(new, false, e);
			pending = 0;
		}
	}
	if (rc == 0)
		rc = journal_commit(new, true, e);
	buf_free(&bytes);
	return rc;
}

/* How far the relay has what this outbox holds: the mark, where it is of the same identity. */
static uint64_t
relayed_of(const struct place *p, const struct journal *old)
{
	struct journal_sender sender;

	if (!journal_sender(old, 0, &sender) ||
	    hash_stable(sender.from) != place_mark(p, PLACE_NODE))
		return 0;
	return place_mark(p, PLACE_RELAYED);
}

/* Takes over what an old outbox holds; its damage was reported when it was opened before. */
static int
take_over(const struct place *p, const char *new, const char *from, uint64_t *moved, struct err *e)
{
	struct journal_settings settings = {
	    .folder = p->out, .max_bytes = SIZE_MAX, .outbox = true};
	struct journal *journals[2] = {NULL, NULL};
	struct journal_report report, dummy;
	int rc = journal_open(&journals[0], &settings, &report, e);

	settings.folder = new;
	journal_report_free(&report);
	if (rc == 0) {
		rc = journal_open(&journals[1], &settings, &dummy, e);
		journal_report_free(&dummy);
	}
	if (rc == 0)
		rc = copy_lines(
		    journals[0], journals[1], from, relayed_of(p, journals[0]), moved, e);
	journal_close(journals[1]);
	journal_close(journals[0]);
	return rc;
}

/* Gives the old outbox another name; *aside is the caller's. NULL: there was none. */
static int
set_aside(const char *out, char **aside, struct err *e)
{
	struct buf name = {0}, when = {0};
	int rc = 0;

	time_put(&when, time_now());
	for (int i = 1; i <= SAME_TIME; i++) {
		buf_reset(&name);
		buf_addf(&name, i == 1 ? "%s.damaged-%s" : "%s.damaged-%s-%d", out, when.ptr, i);
		rc = renameat2(AT_FDCWD, out, AT_FDCWD, name.ptr, RENAME_NOREPLACE);
		/* Where that is not known: nothing but an empty folder is replaced by rename. */
		if (rc != 0 && (errno == EINVAL || errno == ENOSYS))
			rc = rename(out, name.ptr);
		if (rc == 0 || (errno != EEXIST && errno != ENOTEMPTY))
			break;
	}
	if (rc != 0 && errno != ENOENT)
		rc = fail("set aside", out, e);
	else if (rc == 0)
		*aside = buf_detach(&name);
	else
		rc = 0;
	buf_free(&name);
	buf_free(&when);
	return rc;
}

/* Makes out.new whole, and then it is the outbox. */
static int
exchange(struct place *p, struct slice name, bool old, char **aside, struct err *e)
{
	char *new = path_join(p->folder, "out.new"), from[PLACE_IDENTITY + 1];
	uint64_t moved = 0;
	int rc = 0;

	*aside = NULL;
	remove_folder(new);
	place_identity(name, from);
	if (mkdir(new, 0700) != 0)
		rc = fail("make", new, e);
	if (rc == 0 && old)
		rc = take_over(p, new, from, &moved, e);
	if (rc == 0)
		rc = write_node(new, from, e);
	/* No crash may show the old one's new name and not the new one. */
	if (rc == 0 && sync_folder(p->folder) != 0)
		rc = fail("sync", p->folder, e);
	if (rc == 0)
		rc = set_aside(p->out, aside, e);
	if (rc == 0 && (rename(new, p->out) != 0 || sync_folder(p->folder) != 0))
		rc = fail("make", p->out, e);
	free(new);
	if (rc != 0) {
		free(*aside);
		return -1;
	}
	memcpy(p->from, from, sizeof(from));
	p->moved = moved;
	return 0;
}

int
place_renew(struct place *p, struct err *e)
{
	struct buf name = {0};
	char *aside;
	int rc;

	buf_addslice(&name, name_of(p->from)); /* which is written over */
	rc = exchange(p, buf_slice(&name), true, &aside, e);
	buf_free(&name);
	if (rc != 0)
		return -1;
	free(p->aside);
	p->aside = aside;
	p->renewed = true;
	place_set(p, PLACE_RELAYED, 0);
	place_set(p, PLACE_NODE, hash_stable(slice(p->from)));
	return 0;
}

/* ---- at the start ---- */

int
place_settle(struct place *p, struct slice name, struct err *e)
{
	char *new = path_join(p->folder, "out.new"), *aside;
	bool there = access(p->out, F_OK) == 0;
	int node = 0, rc = 0;

	if (there) {
		remove_folder(new);
		node = read_node(p->out, name, p->from, e);
	} else {
		/* One with its node is whole: only the last rename is missing. */
		node = read_node(new, name, p->from, e);
		if (node == 1 && (rename(new, p->out) != 0 || sync_folder(p->folder) != 0))
			node = fail("make", p->out, e);
	}
	free(new);
	if (node != 0)
		return node < 0 ? -1 : 0;
	rc = exchange(p, name, there, &aside, e);
	if (rc != 0)
		return -1;
	p->renewed = there;
	p->aside = aside;
	return 0;
}
