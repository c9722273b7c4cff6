#include "tools/extract/dart.h"

#include "common/mem.h"
#include "tools/extract/compose.h"
#include "tools/extract/judge.h"
#include "tools/extract/learn.h"
#include "tools/extract/literal.h"
#include "tools/extract/position.h"
#include "tools/extract/propose.h"

#include <stdlib.h>

enum { HEAD = 2048 }; /* bytes of a file that may say that it was generated */

struct dart {
	struct reader reader;
	const struct words *words;
	struct composed composed, sibling;
	struct buf reason, plural, text;

	/* The present scan. */
	const struct source *source;
	const struct names *names;
	enum level level;
	find_sink *sink;
	void *state;
	struct position position;
};

struct dart *
dart_new(const struct words *words)
{
	struct dart *d = xcalloc(1, sizeof(*d));

	d->words = words;
	return d;
}

void
dart_free(struct dart *d)
{
	if (d == NULL)
		return;
	reader_free(&d->reader);
	compose_free(&d->composed);
	compose_free(&d->sibling);
	buf_free(&d->reason);
	buf_free(&d->plural);
	buf_free(&d->text);
	free(d);
}

static void
report(struct dart *d, struct token t, struct found *f)
{
	f->start = t.start;
	f->end = t.end;
	position_find(&d->position, t.start, &f->line, &f->column);
	d->sink(d->source, f, d->state);
}

static int
report_literal(struct reader *r, struct token t, void *state)
{
	struct dart *d = state;
	struct found f = {.kind = "literal", .format = "plain"};

	buf_reset(&d->text);
	literal_text(&r->lexer, t, &d->text);
	f.value = buf_slice(&d->text);
	f.quote = literal_quote(r->text, t);
	f.raw = token_text(r->text, t);
	report(d, t, &f);
	return LEVEL_NONE;
}

static int
report_string(struct reader *r, struct token t, void *state)
{
	struct dart *d = state;
	struct found f = {.kind = "string", .format = "icu"};
	struct place p;

	place_find(r, d->words, reader_past(r, 1), t.end, &p);
	if (p.kind == PLACE_NEVER)
		return LEVEL_NONE;
	compose_plain(r, t, &d->composed);
	buf_reset(&d->reason);
	f.level = judge(d->words, d->names, &p,
	    shape_of(d->words, buf_slice(&d->composed.plain)), &d->reason);
	if (f.level == LEVEL_NONE || f.level > d->level)
		return (int)f.level;
	if (!compose(r, t, &d->composed)) {
		lex_fault(&r->lexer, "too_large", t.start);
		return (int)f.level;
	}
	f.reason = buf_slice(&d->reason);
	f.widget = p.widget;
	f.value = buf_slice(&d->composed.value);
	buf_reset(&d->plural);
	if (propose_plural(r, &d->composed, &d->sibling, &d->plural))
		f.plural = buf_slice(&d->plural);
	f.placeholders = d->composed.placeholders;
	f.nplaceholders = d->composed.nplaceholders;
	report(d, t, &f);
	return (int)f.level;
}

static int
fault(struct dart *d, struct err *e)
{
	const struct lexer *lx = &d->reader.lexer;

	if (lx->fault == NULL)
		return 0;
	if (strcmp(lx->fault, "too_deep") == 0)
		err_set(e, lx->fault, "nesting is too deep: what lies deeper was not read");
	else if (strcmp(lx->fault, "too_large") == 0)
		err_set(e, lx->fault, "a string has more than %d interpolations: it was left out",
		    COMPOSE_HOLES);
	else
		err_set(e, lx->fault, "a string has no end");
	if (e != NULL)
		position_find(&d->position, lx->fault_at, &e->line, &e->column);
	return -1;
}

int
dart_scan(struct dart *d, const struct source *source, const struct names *names, enum level level,
    bool literals, find_sink *sink, void *state, struct err *e)
{
	d->source = source;
	d->names = names;
	d->level = level;
	d->sink = sink;
	d->state = state;
	d->position = position_start(source->text);
	d->reader.literal = literals ? report_literal : report_string;
	d->reader.name = NULL;
	d->reader.state = d;
	reader_read(&d->reader, source->text);
	return fault(d, e);
}

void
dart_learn(struct dart *d, const struct source *source, struct buf *facts)
{
	learn_read(&d->reader, d->words, source->text, facts);
}

/* ---- files that are left out ---- */

static struct slice
base_name(const char *file)
{
	const char *slash = strrchr(file, '/');

	return slice(slash ? slash + 1 : file);
}

/*
 * Whether a comment says what the section holds: "GENERATED CODE - DO NOT
 * MODIFY" is looked up as generated-code, generated-code-do, code-do …
 */
static bool
comment_says(const struct words *words, enum words_section section, struct slice line)
{
	char said[96];
	size_t n = 0;

	for (size_t i = 0; i < line.len && n < sizeof(said); i++) {
		char c = line.ptr[i];
		bool letter = (c | 32) >= 'a' && (c | 32) <= 'z';
		if (letter)
			said[n++] = (char)(c | 32);
		else if (n > 0 && said[n - 1] != '-')
			said[n++] = '-';
	}
	for (size_t start = 0; start < n; start++) {
		if (start > 0 && said[start - 1] != '-')
			continue;
		for (size_t end = start + 1; end <= n; end++)
			if ((end == n || said[end] == '-') &&
			    words_has(words, section, (struct slice){said + start, end - start}))
				return true;
	}
	return false;
}

bool
dart_is_generated(const struct words *words, const struct source *source)
{
	struct slice head = source->text;
	bool code = false; /* comments before the first line of code speak for the file */

	if (words_has(words, WORDS_GENERATED_FILES, base_name(source->file)))
		return true;
	if (head.len > HEAD)
		head.len = HEAD;
	while (head.len > 0) {
		const char *lf = memchr(head.ptr, '\n', head.len);
		size_t len = lf ? (size_t)(lf - head.ptr) : head.len;
		struct slice line = slice_trim((struct slice){head.ptr, len});
		bool comment = slice_starts(line, "//") || slice_starts(line, "/*") ||
		    slice_starts(line, "*") || slice_starts(line, "\xef\xbb\xbf");
		if (comment && comment_says(words, code ? WORDS_GENERATED_MARKS : WORDS_GENERATED_HEADS, line))
			return true;
		code |= line.len > 0 && !comment;
		head.ptr += len + (lf != NULL);
		head.len -= len + (lf != NULL);
	}
	return false;
}

bool
dart_is_test(const struct words *words, const char *file)
{
	if (words_has(words, WORDS_TESTS, base_name(file)))
		return true;
	for (const char *at = file, *slash; (slash = strchr(at, '/')) != NULL; at = slash + 1)
		if (words_has(words, WORDS_TEST_FOLDERS, (struct slice){at, (size_t)(slash - at)}))
			return true;
	return false;
}
