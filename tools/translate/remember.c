#include "tools/translate/remember.h"

#include "common/json.h"
#include "common/path.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static bool
is_text(struct slice line, const char *name, struct slice wanted)
{
	static struct buf text;

	return json_get_text(line, name, &text) && slice_eq(buf_slice(&text), wanted);
}

/* Whether a line is of this engine, manner and language. */
static bool
is_ours(const struct remembrance *r, struct slice line)
{
	struct slice verified;

	return json_check(line, NULL) == 0 && json_type(line) == JSON_OBJECT &&
	    is_text(line, "engine", slice(r->engine)) && is_text(line, "manner", r->manner) &&
	    is_text(line, "from", slice(r->from)) &&
	    (!r->verified || json_get(line, "verified", &verified));
}

/* The answer of a line; texts lie in static buffers until the next one. */
static bool
read_answer(struct slice line, struct draft *d)
{
	static struct buf value, status, source, hint, rejected, reason;

	if (!json_get_text(line, "status", &status) ||
	    !catalog_state_of(buf_slice(&status), &d->state) || d->state > CATALOG_FUZZY)
		return false;
	bool has_value = json_get_text(line, "value", &value);
	bool has_rejected = json_get_text(line, "rejected", &rejected);
	if (d->state == CATALOG_MISSING ? !has_rejected : !has_value)
		return false;
	json_get_text(line, "source", &source);
	json_get_text(line, "hint", &hint);
	json_get_text(line, "reason", &reason);
	if (d->state != CATALOG_MISSING)
		d->value = buf_slice(&value);
	d->rejected = buf_slice(&rejected);
	d->source = buf_slice(&source);
	d->hint = buf_slice(&hint);
	d->reason = buf_slice(&reason);
	return true;
}

static void
load_line(const struct remembrance *r, struct slice line, struct drafts *drafts)
{
	static struct buf locale, text, context;
	struct draft d = {.remembered = true};
	struct slice number;
	long long dialect;

	if (!is_ours(r, line) || !json_get_text(line, "to", &locale) ||
	    !json_get_text(line, "text", &text) || !json_get(line, "dialect", &number) ||
	    !json_long(number, &dialect) || dialect < 0 || dialect > 255 || !read_answer(line, &d))
		return;
	json_get_text(line, "context", &context);
	for (size_t i = 0; i < r->n; i++)
		if (slice_is(buf_slice(&locale), r->targets[i].locale))
			drafts_put(drafts, &(struct draft_key){i, (unsigned)dialect,
			    buf_slice(&context), buf_slice(&text)}, &d);
}

static void
load_file(const struct remembrance *r, const char *rel, struct drafts *drafts)
{
	struct buf text = {0};
	char *name = path_cache(rel);
	struct err e;

	/* A line may have been added after the size was looked at: twice the bound. */
	if (name && path_read(name, 2 * REMEMBER_SIZE, &text, &e) == 0) {
		struct slice rest = buf_slice(&text), line;

		while (slice_line(&rest, &line))
			load_line(r, line, drafts);
	}
	buf_free(&text);
	free(name);
}

void
remember_load(const struct remembrance *r, struct drafts *drafts)
{
	load_file(r, "translate/answers.1.ndjson", drafts);
	load_file(r, "translate/answers.ndjson", drafts);
}

void
remember_add(struct remembrance *r, const struct draft_key *k, const struct draft *d)
{
	struct buf *b = &r->lines;

	if (!(d->value.len + d->rejected.len) ||
	    k->text.len + d->value.len + d->rejected.len > REMEMBER_SIZE / 64)
		return;
	json_open(b, '{');
	json_add(b, "engine", slice(r->engine));
	json_add(b, "manner", r->manner);
	json_add(b, "from", slice(r->from));
	json_add(b, "to", slice(r->targets[k->target].locale));
	json_add_long(b, "dialect", (long long)k->dialect);
	if (k->context.len)
		json_add(b, "context", k->context);
	json_add(b, "text", k->text);
	if (d->value.len)
		json_add(b, "value", d->value);
	json_add(b, "status", slice(catalog_state_name(d->state)));
	json_add(b, "source", d->source);
	if (d->rejected.len)
		json_add(b, "rejected", d->rejected);
	if (d->reason.len)
		json_add(b, "reason", d->reason);
	if (d->hint.len)
		json_add(b, "hint", d->hint);
	if (r->verified) {
		json_name(b, "verified");
		json_put_bool(b, true);
	}
	json_close(b, '}');
	buf_addc(b, '\n');
}

/* Opens and locks the file; a full one makes room. -1 with errno. */
static int
open_locked(const char *name, const char *old)
{
	for (int tries = 0; tries < 100; tries++) {
		int fd = open(name, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
		struct stat mine, there;

		if (fd < 0)
			return -1;
		while (flock(fd, LOCK_EX) < 0)
			if (errno != EINTR) {
				close(fd);
				return -1;
			}
		/* Whoever waited for the lock may hold a file that was set aside. */
		bool same = fstat(fd, &mine) == 0 && stat(name, &there) == 0 &&
		    mine.st_ino == there.st_ino && mine.st_dev == there.st_dev;
		if (same && mine.st_size < REMEMBER_SIZE)
			return fd;
		if (same && rename(name, old) < 0) {
			close(fd);
			return -1;
		}
		close(fd);
	}
	errno = EBUSY;
	return -1;
}

/* A torn last line (no space, a crash) must not swallow the first of ours. */
static bool
ends_within_line(int fd)
{
	off_t size = lseek(fd, 0, SEEK_END);
	char last;

	return size > 0 && pread(fd, &last, 1, size - 1) == 1 && last != '\n';
}

int
remember_flush(struct remembrance *r, struct err *e)
{
	int status = 0, fd;

	if (!r->lines.len)
		return 0;
	char *name = path_cache("translate/answers.ndjson");
	char *old = path_cache("translate/answers.1.ndjson");
	if (name && old && (fd = open_locked(name, old)) >= 0) {
		if (ends_within_line(fd))
			buf_splice(&r->lines, 0, 0, S("\n"));
		for (size_t at = 0; at < r->lines.len && status == 0;) {
			ssize_t n = write(fd, r->lines.ptr + at, r->lines.len - at);

			if (n > 0)
				at += (size_t)n;
			else if (errno != EINTR)
				status = -1;
		}
		close(fd);
	} else if (name) {
		status = -1;
	}
	if (status < 0)
		err_set(e, "cannot_write", "cannot remember what the engine answered, '%s': %s",
		    name, strerror(errno));
	buf_reset(&r->lines);
	free(name);
	free(old);
	return status;
}
