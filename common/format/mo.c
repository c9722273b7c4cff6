/*
 * Reading MO. Both ways to read one (whole, mapped) are the same walk over
 * the two tables of (length, offset) pairs; only where the bytes come from
 * and what becomes of an entry differs.
 */
#include "common/format/mo.h"

#include "common/format/charset.h"
#include "common/format/po.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct reader {
	struct catalog *c;
	struct slice file;
	bool swapped;
	uint32_t n, originals, translations; /* offsets of the two tables */
	struct charset *charset;	     /* NULL: UTF-8 */
	struct arena *arena;		     /* for converted text */
	struct buf scratch;
};

static uint32_t
word(const struct reader *r, size_t at)
{
	uint32_t value;

	memcpy(&value, r->file.ptr + at, sizeof(value));
	return r->swapped ? __builtin_bswap32(value) : value;
}

/*
 * Whether the strings of a table are together no longer than the file: one that
 * says the same bytes again and again is no catalogue, and would cost their
 * number times their length.
 */
static bool
is_bounded(const struct reader *r, uint32_t table)
{
	size_t sum = 0;

	for (uint32_t i = 0; i < r->n && sum <= r->file.len; i++)
		sum += word(r, table + (size_t)i * 8);
	return sum <= r->file.len;
}

/* The tables lie in the file. */
static int
open_tables(struct reader *r, struct err *e)
{
	uint32_t magic;

	if (r->file.len < 28)
		return err_set(e, "bad_catalog", "too short for an MO file");
	memcpy(&magic, r->file.ptr, sizeof(magic));
	if (magic != 0x950412de && magic != 0xde120495)
		return err_set(e, "bad_catalog", "no MO file: the magic number is another");
	r->swapped = magic == 0xde120495;
	if (word(r, 4) >> 16 > 1)
		return err_set(e, "bad_catalog", "a revision of MO that is unknown, %u",
		    word(r, 4) >> 16);
	r->n = word(r, 8);
	r->originals = word(r, 12);
	r->translations = word(r, 16);
	if (r->originals > r->file.len || r->translations > r->file.len ||
	    r->n > (r->file.len - r->originals) / 8 || r->n > (r->file.len - r->translations) / 8)
		return err_set(
		    e, "bad_catalog", "a table of %u strings lies outside the file", r->n);
	if (!is_bounded(r, r->originals) || !is_bounded(r, r->translations))
		return err_set(e, "bad_catalog", "the strings are longer than the file");
	return 0;
}

/* String i of a table; it lies in the file and ends in a NUL. */
static int
string_at(const struct reader *r, uint32_t table, uint32_t i, struct slice *text, struct err *e)
{
	size_t len = word(r, table + (size_t)i * 8), at = word(r, table + (size_t)i * 8 + 4);

	if (at >= r->file.len || len >= r->file.len - at)
		return err_set(e, "bad_catalog", "string %u lies outside the file", i);
	if (r->file.ptr[at + len] != '\0')
		return err_set(e, "bad_catalog", "string %u does not end where it says", i);
	*text = (struct slice){r->file.ptr + at, len};
	return 0;
}

/* As UTF-8: in place, or converted into the arena. */
static int
to_utf8(struct reader *r, struct slice *text, struct err *e)
{
	if (r->charset) {
		buf_reset(&r->scratch);
		if (charset_convert(r->charset, *text, &r->scratch, e) < 0)
			return -1;
		struct slice out = buf_slice(&r->scratch);
		*text = (struct slice){arena_copy(r->arena, out.ptr, out.len), out.len};
	} else if (utf8_valid(text->ptr, text->len) != text->len) {
		return err_set(e, "bad_utf8", "bytes that are not UTF-8");
	}
	return 0;
}

/* Takes what stands before the next mark off the front of *text. */
static struct slice
cut(struct slice *text, char mark)
{
	const char *at = text->len ? memchr(text->ptr, mark, text->len) : NULL;
	struct slice head = *text;

	if (at) {
		head.len = (size_t)(at - text->ptr);
		*text = (struct slice){at + 1, text->len - head.len - 1};
	} else {
		*text = (struct slice){NULL, 0};
	}
	return head;
}

static int
fill_entry(
    struct reader *r, uint32_t i, struct catalog_entry *entry, struct slice values[], struct err *e)
{
	struct slice name, text;

	if (string_at(r, r->originals, i, &name, e) < 0 ||
	    string_at(r, r->translations, i, &text, e) < 0 || to_utf8(r, &name, e) < 0 ||
	    to_utf8(r, &text, e) < 0)
		return -1;
	*entry = (struct catalog_entry){.locale = r->c->locale, .state = CATALOG_TRANSLATED};
	if (name.len && memchr(name.ptr, '\004', name.len))
		entry->context = cut(&name, '\004');
	entry->source = cut(&name, '\0');
	entry->key = entry->source;
	if (name.ptr)
		entry->source_plural = cut(&name, '\0');
	while (text.ptr && entry->nvalues < CATALOG_FORMS)
		values[entry->nvalues++] = cut(&text, '\0');
	entry->values = values;
	for (size_t k = 0; k < entry->nvalues; k++)
		if (!values[k].len)
			entry->state = CATALOG_MISSING;
	entry->format = catalog_guess_format(entry->source);
	return 0;
}

/* The header is the string of the empty name; it sorts first, but need not stand there. */
static int
read_header(struct reader *r, struct err *e)
{
	struct slice name, text;

	for (uint32_t i = 0; i < r->n; i++) {
		if (string_at(r, r->originals, i, &name, e) < 0)
			return -1;
		if (name.len)
			continue;
		if (string_at(r, r->translations, i, &text, e) < 0)
			return -1;
		struct slice *values = arena_alloc(&r->c->arena, sizeof(*values));
		*values = text;
		r->c->head.values = values;
		r->c->head.nvalues = 1;
		po_take_header(r->c, text);
		break;
	}
	if (!charset_is_utf8(r->c->charset)) {
		if ((r->charset = charset_open(r->c->charset, e)) == NULL)
			return -1;
		r->c->converted = true;
	}
	return 0;
}

static int
each(struct reader *r, catalog_visit_fn *fn, void *state, struct err *e)
{
	struct slice values[CATALOG_FORMS];
	struct catalog_entry entry;
	int rc;

	for (uint32_t i = 0; i < r->n; i++) {
		if (fill_entry(r, i, &entry, values, e) < 0)
			return -1;
		if (entry.source.len == 0 && !entry.context.ptr)
			continue;
		if ((rc = fn(r->c, &entry, state)) != 0)
			return rc;
		if (r->arena != &r->c->arena)
			arena_reset(r->arena);
	}
	return 0;
}

static int
read_all(struct reader *r, catalog_visit_fn *fn, void *state, struct err *e)
{
	int rc = open_tables(r, e);

	if (rc == 0)
		rc = read_header(r, e);
	if (rc == 0)
		rc = each(r, fn, state, e);
	charset_close(r->charset);
	buf_free(&r->scratch);
	return rc;
}

static int
keep_entry(const struct catalog *seen, const struct catalog_entry *entry, void *state)
{
	struct catalog *c = state;
	struct catalog_entry *kept = catalog_add(c);

	(void)seen;
	*kept = *entry;
	kept->values = arena_alloc(&c->arena, entry->nvalues * sizeof(*kept->values));
	memcpy(kept->values, entry->values, entry->nvalues * sizeof(*kept->values));
	catalog_index(c, c->n - 1);
	return 0;
}

int
mo_parse(struct catalog *c, struct err *e)
{
	struct reader r = {.c = c, .file = c->text, .arena = &c->arena};

	return read_all(&r, keep_entry, c, e);
}

int
mo_visit(struct catalog *c, catalog_visit_fn *fn, void *state, struct err *e)
{
	struct arena arena = {0};
	struct reader r = {.c = c, .arena = &arena};
	int fd = open(c->name, O_RDONLY | O_CLOEXEC), rc;
	struct stat st;
	void *map;

	if (fd < 0 || fstat(fd, &st) < 0) {
		rc = err_set(e, "cannot_read", "%s", strerror(errno));
		if (fd >= 0)
			close(fd);
		return rc;
	}
	if (!S_ISREG(st.st_mode) || st.st_size < 28 || st.st_size > CATALOG_MAX_SIZE) {
		close(fd);
		return err_set(e, "bad_catalog", "no MO file: not a regular file of a fit size");
	}
	/*
	 * A private map of a file that somebody shortens meanwhile raises SIGBUS;
	 * installed catalogues are replaced by renaming, as this program does.
	 */
	map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	if (map == MAP_FAILED)
		return err_set(e, "cannot_read", "%s", strerror(errno));
	r.file = c->text = (struct slice){map, (size_t)st.st_size};
	rc = read_all(&r, fn, state, e);
	munmap(map, (size_t)st.st_size);
	c->text = (struct slice){"", 0};
	arena_free(&arena);
	return rc;
}
