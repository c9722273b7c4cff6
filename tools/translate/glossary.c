#include "tools/translate/glossary.h"

#include "common/hash.h"
#include "common/mem.h"
#include "common/path.h"

#include <ctype.h>
#include <stdlib.h>

enum { GLOSSARY_SIZE = 16 << 20, TERM_MAX = 200 };

struct term {
	struct slice term, translation; /* the same where it is kept */
	size_t next;			/* 1 + the next term with the same first word */
};

struct glossary {
	size_t targets;
	struct table *words; /* of each target: first word → 1 + its first term */
	struct term *terms;
	size_t n, cap;
	struct arena arena;
};

struct glossary *
glossary_new(size_t targets)
{
	struct glossary *g = xcalloc(1, sizeof(*g));

	g->targets = targets;
	g->words = xcalloc(targets + 1, sizeof(*g->words));
	return g;
}

static bool
is_word_byte(char c)
{
	return isalnum((unsigned char)c) || (unsigned char)c >= 0x80;
}

/* The first word at or after *at, and the byte after it. */
static struct slice
word(struct slice text, size_t *at)
{
	size_t start, i = *at;

	while (i < text.len && !is_word_byte(text.ptr[i]))
		i++;
	for (start = i; i < text.len && is_word_byte(text.ptr[i]); i++)
		;
	*at = i;
	return (struct slice){text.ptr + start, i - start};
}

static struct slice
cut(struct slice *rest)
{
	const char *tab = rest->len ? memchr(rest->ptr, '\t', rest->len) : NULL;
	struct slice head = {rest->ptr, tab ? (size_t)(tab - rest->ptr) : rest->len};
	size_t used = head.len + (tab != NULL);

	rest->ptr += used;
	rest->len -= used;
	return slice_trim(head);
}

static void
enter(struct glossary *g, struct loader *loader, size_t target, struct slice term,
    struct slice translation, uint32_t file, int distance)
{
	size_t at = 0;
	struct slice first = word(term, &at);
	uint64_t *slot = first.len ? table_put(&g->words[target], first, NULL) : NULL;

	store_add(&loader->targets[target].tiers[TIER_GLOSSARY],
	    &(struct addition){.source = term, .target = translation, .dialect = MESSAGE_PLAIN,
		.state = CATALOG_APPROVED, .same = true, .file = file,
		.distance = (unsigned)distance});
	if (!slot)
		return;
	g->terms = xgrow(g->terms, g->n, &g->cap, sizeof(*g->terms));
	g->terms[g->n] = (struct term){term, translation, (size_t)*slot};
	*slot = ++g->n;
}

static int
read_line(struct glossary *g, struct loader *loader, struct slice line, const uint32_t *files,
    struct err *e)
{
	struct slice term = cut(&line), locale = cut(&line), translation = cut(&line);

	if (!term.len || !locale.len || !translation.len)
		return err_set(e, "bad_glossary", "a term is: term TAB locale TAB translation");
	if (term.len > TERM_MAX)
		return err_set(e, "bad_glossary", "the term is longer than %d bytes", TERM_MAX);
	if (!slice_is(locale, "*") && !locale_exists(locale))
		return err_set(e, "bad_glossary", "there is no locale '%.*s'", (int)locale.len,
		    locale.ptr);
	if (slice_is(translation, "-"))
		translation = term;
	for (size_t i = 0; i < loader->n; i++) {
		int distance =
		    slice_is(locale, "*") ? 0 : load_distance(loader->targets[i].locale, locale);
		if (distance >= 0)
			enter(g, loader, i, term, translation, files[i], distance);
	}
	return 0;
}

int
glossary_read(struct glossary *g, struct loader *loader, const char *name, struct err *e)
{
	struct buf text = {0};
	uint32_t *files = xcalloc(loader->n + 1, sizeof(*files));
	size_t number = 0;
	int status = path_read(name, GLOSSARY_SIZE, &text, e);
	/* The terms point into this copy. */
	const char *at =
	    status == 0 ? arena_copy(&g->arena, text.ptr ? text.ptr : "", text.len) : NULL;
	const char *end = at ? at + text.len : NULL;

	for (size_t i = 0; i < loader->n; i++)
		files[i] = store_file(&loader->targets[i].tiers[TIER_GLOSSARY], name);
	while (status == 0 && at < end) {
		const char *stop = memchr(at, '\n', (size_t)(end - at));
		struct slice line = {at, (size_t)((stop ? stop : end) - at)};

		number++;
		if (slice_starts(line, "\xEF\xBB\xBF")) {
			line.ptr += 3;
			line.len -= 3;
		}
		if (utf8_valid(line.ptr, line.len) != line.len)
			status = err_set(e, "bad_glossary", "the line is not UTF-8");
		else if (slice_trim(line).len && *line.ptr != '#')
			status = read_line(g, loader, line, files, e);
		if (status < 0 && e)
			e->line = number;
		at = stop ? stop + 1 : end;
	}
	free(files);
	buf_free(&text);
	return status;
}

/* Whether the term stands at that place as whole words. */
static bool
stands_at(struct slice text, size_t at, struct slice term)
{
	return text.len - at >= term.len && memcmp(text.ptr + at, term.ptr, term.len) == 0 &&
	    (at == 0 || !is_word_byte(text.ptr[at - 1])) &&
	    (at + term.len == text.len || !is_word_byte(text.ptr[at + term.len]));
}

/* Whether the term stands where its first word does: it may begin with a mark before that. */
static bool
term_at(struct slice source, size_t from, struct slice term)
{
	size_t lead = 0;

	while (!is_word_byte(term.ptr[lead]))
		lead++;
	return from >= lead && stands_at(source, from - lead, term);
}

bool
glossary_next(const struct glossary *g, size_t target, struct slice source,
    struct glossary_walk *walk, struct slice *term, struct slice *wanted)
{
	while (g->n && (walk->next || walk->at < source.len)) {
		if (!walk->next) {
			struct slice first = word(source, &walk->at);
			uint64_t *slot = first.len ? table_get(&g->words[target], first) : NULL;

			walk->next = slot ? (size_t)*slot : 0;
			walk->from = (size_t)(first.ptr - source.ptr);
			continue;
		}
		const struct term *t = &g->terms[walk->next - 1];
		walk->next = t->next;
		if (term_at(source, walk->from, t->term)) {
			*term = t->term;
			*wanted = t->translation;
			return true;
		}
	}
	return false;
}

bool
glossary_breach(const struct glossary *g, size_t target, struct slice source,
    struct slice translation, struct slice *term, struct slice *wanted)
{
	struct glossary_walk walk = {.at = 0};

	while (glossary_next(g, target, source, &walk, term, wanted))
		if (!memmem(translation.ptr, translation.len, wanted->ptr, wanted->len))
			return true;
	return false;
}

void
glossary_free(struct glossary *g)
{
	for (size_t i = 0; i < g->targets; i++)
		table_free(&g->words[i]);
	free(g->words);
	free(g->terms);
	arena_free(&g->arena);
	free(g);
}
