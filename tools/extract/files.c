#include "tools/extract/files.h"

#include "tools/extract/ignore.h"
#include "tools/extract/position.h"

#include <errno.h>
#include <unistd.h>

enum { FIRST_READ = 128 << 10 }; /* bytes: most source files come in one read */

void
files_free(struct files *f)
{
	dart_free(f->dart);
	packs_free(f->packs);
	buf_free(&f->text);
	f->dart = NULL;
	f->packs = NULL;
}

int
files_slurp(int fd, size_t max, struct buf *out, struct err *e)
{
	size_t room = FIRST_READ;

	buf_reset(out);
	for (;;) {
		char *at = buf_room(out, room);
		ssize_t n = read(fd, at, room);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set(e, "cannot_read", "%s", strerror(errno));
		out->len += (size_t)n;
		out->ptr[out->len] = '\0';
		if (n == 0)
			return 0;
		if (out->len > max)
			return err_set(e, "too_large",
			    "more than %zu bytes: raise --max-file to read it", max);
		/* A short read of a file is its end, but a pipe's is not: ask again. */
		room = (size_t)n < room ? 4096 : out->len;
	}
}

bool
files_is_text(struct slice text, struct err *e)
{
	const char *nul = text.len > 0 ? memchr(text.ptr, '\0', text.len) : NULL;
	size_t valid = utf8_valid(text.ptr, text.len);

	if (nul == NULL && valid == text.len)
		return true;
	if (nul != NULL) {
		err_set(e, "binary", "binary file");
		return false;
	}
	err_set(e, "bad_utf8", "not UTF-8 from byte %zu on", valid);
	struct position p = position_start((struct slice){text.ptr, valid});
	if (e != NULL)
		position_find(&p, valid, &e->line, &e->column);
	return false;
}

bool
files_is_dart(const char *file)
{
	return slice_ends(slice(file), ".dart");
}

void
files_prepare(struct files *f)
{
	if (f->packs == NULL && f->nrules == 0 && !f->literals)
		f->packs = packs_open();
}

static struct pack *
pack_for(struct files *f, const char *file)
{
	if (f->packs == NULL)
		f->packs = packs_open();
	return packs_for(f->packs, file);
}

static bool
rules_match(const struct files *f, const char *file)
{
	for (size_t i = 0; i < f->nrules; i++)
		if (pack_matches(f->rules[i], file))
			return true;
	return false;
}

bool
files_wants(struct files *f, const char *file, const char *operand)
{
	size_t above = strlen(operand);

	if (f->nrules > 0)
		return rules_match(f, file);
	if (files_is_dart(file))
		return !dart_is_test(f->words, strlen(file) > above ? file + above : file);
	return !f->literals && pack_for(f, file) != NULL;
}

/* ---- what the sink gets ---- */

static void
befell(const struct source *source, const char *kind, const struct err *e, find_sink *sink,
    void *state)
{
	struct found found = {.kind = kind, .line = e->line, .column = e->column,
		.rule = slice(e->code), .value = slice(e->text)};

	sink(source, &found, state);
}

/* Between a reader and the sink: comments that say kandil:ignore, and levels. */
struct filter {
	const struct files *files;
	bool ignores; /* the source has such comments */
	find_sink *sink;
	void *state;
};

static void
filter_found(const struct source *source, const struct found *found, void *state)
{
	const struct filter *filter = state;

	if (strcmp(found->kind, "string") == 0 &&
	    (found->level > filter->files->level ||
		(filter->ignores && ignore_says_line(source->text, found->start, found->end))))
		return;
	filter->sink(source, found, filter->state);
}

/* ---- reading ---- */

static int
scan_with_rules(struct files *f, const struct source *source, bool named, find_sink *sink,
    void *state, struct err *e)
{
	/* A file that the user named is read even where no glob is about it. */
	bool any = rules_match(f, source->file);
	int status = 0;

	for (size_t i = 0; i < f->nrules && status == 0; i++)
		if (any ? pack_matches(f->rules[i], source->file) : named)
			status = pack_scan(f->rules[i], source, sink, state, e);
	return status;
}

static int
scan_dart(struct files *f, const struct source *source, bool named, find_sink *sink, void *state,
    struct err *e)
{
	if (f->dart == NULL)
		f->dart = dart_new(f->words);
	if (!named && !f->generated && dart_is_generated(f->words, source))
		return 0;
	return dart_scan(f->dart, source, f->names, f->level, f->literals, sink, state, e);
}

void
files_scan(struct files *f, const struct source *source, bool named, find_sink *sink, void *state)
{
	struct filter filter = {f, ignore_says_anything(source->text), sink, state};
	struct err e = {0};
	struct pack *pack;
	int status = 0;

	if (!files_is_text(source->text, &e)) {
		befell(source, strcmp(e.code, "binary") == 0 ? "skipped" : "error", &e, sink, state);
		return;
	}
	if (filter.ignores && !f->literals && ignore_says_file(source->text))
		return;
	if (f->nrules > 0) {
		status = scan_with_rules(f, source, named, filter_found, &filter, &e);
	} else if (files_is_dart(source->file)) {
		status = scan_dart(f, source, named, filter_found, &filter, &e);
	} else if ((pack = pack_for(f, source->file)) != NULL) {
		status = pack_scan(pack, source, filter_found, &filter, &e);
	} else if (named) {
		err_set(&e, "unknown_language", "nothing reads this kind of file: name a --rules file");
		befell(source, "skipped", &e, sink, state);
		return;
	}
	if (status != 0)
		befell(source, "error", &e, sink, state);
}

void
files_fault(const char *file, int error, find_sink *sink, void *state)
{
	struct source source = {.file = file};
	struct err e = {0};

	err_set(&e, "cannot_read", "%s", strerror(error));
	befell(&source, "error", &e, sink, state);
}

void
files_read(struct files *f, int fd, const char *file, bool named, find_sink *sink, void *state)
{
	struct source source = {.file = file};
	struct err e = {0};

	int status = files_slurp(fd, f->max_file, &f->text, &e);
	close(fd);
	source.text = buf_slice(&f->text);
	if (status == 0)
		files_scan(f, &source, named, sink, state);
	else
		befell(&source, "error", &e, sink, state);
}
