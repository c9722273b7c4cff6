#include "tools/collab/document.h"

#include "common/json.h"
#include "common/path.h"
#include "common/time.h"

#include "tools/collab/patch.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

/*
 * What a file is known by without reading it. A file system's clock is coarse:
 * a file that was changed this short a time before the look may be changed
 * once more and look the same.
 */
enum { LOOK_COARSE = 100 }; /* ms */

struct look {
	bool exists, fresh; /* fresh: it proves nothing */
	dev_t dev;
	ino_t ino;
	off_t size;
	struct timespec mtime, ctime;
};

struct document {
	char *name;
	size_t max;
	struct buf base;    /* canonical; empty: not known */
	struct buf content; /* the bytes of the file when it was last read or written */
	struct look look;   /* at that time */
	bool looked, broken;
};

struct document *
document_open(const char *name, struct slice base, size_t max)
{
	struct document *d = xcalloc(1, sizeof(*d));

	d->name = xstrdup(name);
	d->max = max;
	buf_addslice(&d->base, base);
	return d;
}

void
document_free(struct document *d)
{
	if (d == NULL)
		return;
	free(d->name);
	buf_free(&d->base);
	buf_free(&d->content);
	free(d);
}

bool
document_broken(const struct document *d)
{
	return d->broken;
}

struct slice
document_base(const struct document *d)
{
	return buf_slice(&d->base);
}

static struct look
look_at(const char *name)
{
	struct look look = {0};
	struct stat st;

	if (stat(name, &st) == 0) {
		look.exists = true;
		look.dev = st.st_dev;
		look.ino = st.st_ino;
		look.size = st.st_size;
		look.mtime = st.st_mtim;
		look.ctime = st.st_ctim;
		look.fresh = time_now() - (int64_t)st.st_ctim.tv_sec * 1000 -
		    st.st_ctim.tv_nsec / 1000000 < LOOK_COARSE;
	}
	return look;
}

static bool
same_look(const struct look *a, const struct look *b)
{
	return a->exists == b->exists && a->dev == b->dev && a->ino == b->ino &&
	    a->size == b->size && a->mtime.tv_sec == b->mtime.tv_sec &&
	    a->mtime.tv_nsec == b->mtime.tv_nsec && a->ctime.tv_sec == b->ctime.tv_sec &&
	    a->ctime.tv_nsec == b->ctime.tv_nsec;
}

/* Whether the file is the one that was last read or written, as far as look tells. */
static bool
is_untouched(struct document *d, const struct look *look)
{
	struct buf content = {0};
	bool same;

	if (!d->looked || !same_look(look, &d->look))
		return false;
	if (!d->look.fresh || !look->exists)
		return true;
	same = path_read(d->name, d->max, &content, NULL) == 0 &&
	    slice_eq(buf_slice(&content), buf_slice(&d->content));
	buf_free(&content);
	if (same)
		d->look = *look;
	return same;
}

/* Turns the byte at which json_check stopped into a line and a column. */
static void
locate(struct slice text, struct err *e)
{
	size_t at = e->column ? e->column - 1 : 0, start = 0;

	if (at > text.len)
		at = text.len;
	e->line = 1;
	for (size_t i = 0; i < at; i++)
		if (text.ptr[i] == '\n') {
			e->line++;
			start = i + 1;
		}
	e->column = utf8_count(text.ptr + start, at - start) + 1;
}

/* Checks what a person wrote: 0, or -1 with e. */
static int
check(const char *name, struct slice text, struct err *e)
{
	struct buf pointer = {0};
	struct err inner;
	int rc = 0;

	if (json_check(text, &inner) != 0) {
		char *cut = strstr(inner.text, " at byte ");

		locate(text, &inner);
		if (cut)
			*cut = '\0';
		rc = err_set(e, inner.code, "'%s' is not written over until it is mended: %s", name,
		    inner.text);
		if (e) {
			e->line = inner.line;
			e->column = inner.column;
		}
	} else if (json_type(slice_trim(text)) != JSON_OBJECT) {
		rc = err_set(e, "not_object",
		    "'%s' is not written over until it is mended: it must hold a JSON object", name);
	} else if (patch_null(slice_trim(text), &pointer)) {
		rc = err_set(e, "null_member",
		    "'%s' is not written over until it is mended: null at '%s' cannot be kept, "
		    "for it means to delete: leave the member out", name,
		    pointer.len ? pointer.ptr : "/");
	}
	buf_free(&pointer);
	return rc;
}

static struct slice
without_bom(struct slice text)
{
	if (slice_starts(text, "\xEF\xBB\xBF"))
		return (struct slice){text.ptr + 3, text.len - 3};
	return text;
}

/* The file has other bytes than before: what they change. */
static int
read_edit(struct document *d, struct slice text, struct buf *patch, struct err *e)
{
	struct buf canonical = {0};
	struct slice base = d->base.len ? buf_slice(&d->base) : S("{}");
	bool changed;

	text = without_bom(text);
	if (check(d->name, text, e) != 0) {
		d->broken = true;
		return -1;
	}
	d->broken = false;
	patch_canonical(slice_trim(text), &canonical);
	changed = patch_diff(base, buf_slice(&canonical), patch);
	buf_free(&d->base);
	d->base = canonical;
	return changed;
}

int
document_poll(struct document *d, struct buf *patch, struct err *e)
{
	struct look look = look_at(d->name);
	struct buf content = {0};
	bool same;
	int rc;

	if (is_untouched(d, &look))
		return 0;
	/* Looked at before it is read: what is written in between is seen next time. */
	d->looked = true;
	d->look = look;
	if (!look.exists) {
		d->broken = false;
		buf_reset(&d->content);
		return 0;
	}
	if (path_read(d->name, d->max, &content, e) != 0) {
		d->broken = true;
		d->look.fresh = false; /* said once */
		buf_reset(&d->content);
		buf_free(&content);
		return -1;
	}
	same = d->content.len && slice_eq(buf_slice(&content), buf_slice(&d->content));
	rc = same ? 0 : read_edit(d, buf_slice(&content), patch, e);
	buf_free(&d->content);
	d->content = content;
	return rc;
}

/* Whether what is about to be replaced is what was read last. Its name is new, hence its ctime. */
static bool
is_meant(const char *old, void *document)
{
	const struct document *d = document;
	struct look look = look_at(old);
	struct buf content = {0};
	bool same;

	look.ctime = d->look.ctime;
	if (!d->looked || !same_look(&look, &d->look))
		return false;
	if (!d->look.fresh)
		return true;
	same = path_read(old, d->max, &content, NULL) == 0 &&
	    slice_eq(buf_slice(&content), buf_slice(&d->content));
	buf_free(&content);
	return same;
}

int
document_write(struct document *d, struct slice state, struct err *e)
{
	struct look look = look_at(d->name);
	struct buf canonical = {0}, text = {0};
	int rc = 0;

	if (look.exists && !is_untouched(d, &look))
		return 1;
	if (d->broken)
		return 0;
	patch_canonical(state, &canonical);
	/* A person's own lay-out stays as long as it says the same. */
	if (!look.exists || !slice_eq(buf_slice(&canonical), buf_slice(&d->base))) {
		document_pretty(buf_slice(&canonical), &text);
		rc = path_replace_if(d->name, buf_slice(&text), is_meant, d, e);
	}
	if (rc == 0 && text.len) {
		struct buf swap = d->base;

		d->base = canonical;
		canonical = swap;
		swap = d->content;
		d->content = text;
		text = swap;
		/* It may be edited already. */
		d->look = look_at(d->name);
		d->look.fresh = d->looked = true;
	}
	buf_free(&canonical);
	buf_free(&text);
	return rc;
}

static void
new_line(struct buf *out, size_t depth)
{
	buf_addc(out, '\n');
	while (depth-- > 0)
		buf_adds(out, "  ");
}

static void
pretty(struct slice value, size_t depth, struct buf *out)
{
	bool object = json_type(value) == JSON_OBJECT, first = true;
	struct json_walk w = json_walk(value);
	struct slice key, inner;

	if (!object && json_type(value) != JSON_ARRAY) {
		buf_addslice(out, value);
		return;
	}
	buf_addc(out, object ? '{' : '[');
	while (object ? json_member(&w, &key, &inner) : json_element(&w, &inner)) {
		if (!first)
			buf_addc(out, ',');
		first = false;
		new_line(out, depth + 1);
		if (object) {
			buf_addslice(out, key);
			buf_adds(out, ": ");
		}
		pretty(inner, depth + 1, out);
	}
	if (!first)
		new_line(out, depth);
	buf_addc(out, object ? '}' : ']');
}

void
document_pretty(struct slice value, struct buf *out)
{
	pretty(value, 0, out);
	buf_addc(out, '\n');
}
