#include "tools/extract/words.h"

#include "common/hash.h"
#include "common/mem.h"
#include "common/path.h"

#include <stdlib.h>

enum {
	WORD = 128,	      /* bytes of a name that is looked up; longer is no known one */
	DATA_FILE = 1 << 20, /* bytes of a data file */
};

/* A word with a star at one end: the rest of it. */
struct pattern {
	struct slice rest;
	bool begins; /* the rest stands at the beginning (Word*) */
};

struct section {
	struct table exact;
	struct pattern *patterns;
	size_t npatterns, cap;
};

struct words {
	struct buf core_text, context_text; /* when loaded from files */
	struct arena keys;		    /* "Text 0", for the table below */
	uint64_t hash;
	struct table core;
	struct section sections[WORDS_SECTIONS];
};

static const char *const section_names[WORDS_SECTIONS] = {
	[WORDS_TITLE_LIKE] = "title-like",
	[WORDS_TEXT_CLASSES] = "text-classes",
	[WORDS_TEXT_CLOSURES] = "text-closures",
	[WORDS_TEXT_FUNCTIONS] = "text-functions",
	[WORDS_HELPERS] = "helpers",
	[WORDS_KEEPING] = "keeping",
	[WORDS_LOCALISED] = "localised",
	[WORDS_NEVER_ARGUMENTS] = "never-arguments",
	[WORDS_NEVER_CALLS] = "never-calls",
	[WORDS_LOG_CALLS] = "log-calls",
	[WORDS_ERRORS] = "errors",
	[WORDS_SQL] = "sql",
	[WORDS_SQL_SECOND] = "sql-second",
	[WORDS_MACHINE] = "machine-words",
	[WORDS_GENERATED_FILES] = "generated-files",
	[WORDS_GENERATED_HEADS] = "generated-heads",
	[WORDS_GENERATED_MARKS] = "generated-marks",
	[WORDS_TESTS] = "tests",
	[WORDS_TEST_FOLDERS] = "test-folders",
	[WORDS_RESERVED] = "reserved",
};

/* Cuts the first line off text. */
static struct slice
next_line(struct slice *text)
{
	const char *lf = memchr(text->ptr, '\n', text->len);
	size_t len = lf ? (size_t)(lf - text->ptr) : text->len;
	struct slice line = {text->ptr, len};

	text->ptr += len + (lf != NULL);
	text->len -= len + (lf != NULL);
	return slice_trim(line);
}

/* Cuts the first word off a line; len 0 at its end. */
static struct slice
next_word(struct slice *line)
{
	*line = slice_trim(*line);
	size_t len = 0;
	while (len < line->len && line->ptr[len] != ' ' && line->ptr[len] != '\t')
		len++;
	struct slice word = {line->ptr, len};
	line->ptr += len;
	line->len -= len;
	return word;
}

/* The key of an argument in the core table, built in key[2 * WORD]. */
static struct slice
core_key(char *key, struct slice call, struct slice argument)
{
	if (call.len > WORD - 1 || argument.len > WORD)
		return (struct slice){key, 0};
	memcpy(key, call.ptr, call.len);
	key[call.len] = ' ';
	memcpy(key + call.len + 1, argument.ptr, argument.len);
	return (struct slice){key, call.len + 1 + argument.len};
}

static int
parse_core(struct words *w, struct slice text, struct err *e)
{
	for (size_t number = 1; text.len > 0; number++) {
		struct slice line = next_line(&text);
		if (line.len == 0 || line.ptr[0] == '#')
			continue;
		const char *colon = memchr(line.ptr, ':', line.len);
		if (colon == NULL) {
			err_set(e, "bad_data", "a line of dart-core.txt has no ':'");
			e->line = number;
			return -1;
		}
		struct slice calls = {line.ptr, (size_t)(colon - line.ptr)}, call;
		while ((call = next_word(&calls)).len > 0) {
			struct slice arguments = {colon + 1, line.len - (size_t)(colon + 1 - line.ptr)};
			struct slice argument;
			while ((argument = next_word(&arguments)).len > 0) {
				char key[2 * WORD];
				struct slice k = core_key(key, call, argument);
				k.ptr = arena_copy(&w->keys, k.ptr, k.len);
				*table_put(&w->core, k, NULL) = 1;
			}
		}
	}
	return 0;
}

static void
add_word(struct section *s, struct slice word)
{
	bool begins = word.len > 1 && word.ptr[word.len - 1] == '*' &&
	    word.ptr[word.len - 2] != '.';

	if (word.ptr[0] != '*' && !begins) {
		*table_put(&s->exact, word, NULL) = 1;
		return;
	}
	s->patterns = xgrow(s->patterns, s->npatterns, &s->cap, sizeof(*s->patterns));
	s->patterns[s->npatterns++] = (struct pattern){
		.rest = {word.ptr + !begins, word.len - 1}, .begins = begins};
}

static int
parse_context(struct words *w, struct slice text, struct err *e)
{
	struct section *s = NULL;

	for (size_t number = 1; text.len > 0; number++) {
		struct slice line = next_line(&text), word;
		if (line.len == 0 || line.ptr[0] == '#')
			continue;
		if (line.ptr[0] == '[') {
			s = NULL;
			for (size_t i = 0; i < WORDS_SECTIONS; i++)
				if (line.len > 2 &&
				    slice_is((struct slice){line.ptr + 1, line.len - 2}, section_names[i]))
					s = &w->sections[i];
		}
		if (s == NULL) {
			err_set(e, "bad_data", "dart-context.txt: no such section, '%.*s'",
			    (int)line.len, line.ptr);
			e->line = number;
			return -1;
		}
		if (line.ptr[0] != '[')
			while ((word = next_word(&line)).len > 0)
				add_word(s, word);
	}
	return 0;
}

struct words *
words_parse(struct slice core, struct slice context, struct err *e)
{
	struct words *w = xcalloc(1, sizeof(*w));

	w->hash = hash_stable(core) * 31 + hash_stable(context);
	if (parse_core(w, core, e) == 0 && parse_context(w, context, e) == 0)
		return w;
	words_free(w);
	return NULL;
}

static int
read_data(const char *rel, struct buf *out, struct err *e)
{
	char *name = path_data(rel);
	int status = -1;

	if (name == NULL)
		err_set(e, "cannot_read", "a data file is missing, '%s': set KANDIL_DATADIR", rel);
	else
		status = path_read(name, DATA_FILE, out, e);
	free(name);
	return status;
}

struct words *
words_load(struct err *e)
{
	struct buf core = {0}, context = {0};
	struct words *w = NULL;

	if (read_data("extract/rules/dart-core.txt", &core, e) == 0 &&
	    read_data("extract/rules/dart-context.txt", &context, e) == 0)
		w = words_parse(buf_slice(&core), buf_slice(&context), e);
	if (w == NULL) {
		buf_free(&core);
		buf_free(&context);
		return NULL;
	}
	w->core_text = core;
	w->context_text = context;
	return w;
}

void
words_free(struct words *w)
{
	if (w == NULL)
		return;
	for (size_t i = 0; i < WORDS_SECTIONS; i++) {
		table_free(&w->sections[i].exact);
		free(w->sections[i].patterns);
	}
	table_free(&w->core);
	arena_free(&w->keys);
	buf_free(&w->core_text);
	buf_free(&w->context_text);
	free(w);
}

uint64_t
words_hash(const struct words *w)
{
	return w->hash;
}

bool
words_core(const struct words *w, struct slice call, struct slice argument)
{
	char key[2 * WORD];
	struct slice k = core_key(key, call, argument);

	return k.len > 0 && table_get(&w->core, k) != NULL;
}

static bool
matches_pattern(const struct section *s, struct slice word)
{
	for (size_t i = 0; i < s->npatterns; i++) {
		struct slice rest = s->patterns[i].rest;
		if (word.len < rest.len)
			continue;
		const char *at = word.ptr + (s->patterns[i].begins ? 0 : word.len - rest.len);
		if (at[0] == rest.ptr[0] && memcmp(at, rest.ptr, rest.len) == 0)
			return true;
	}
	return false;
}

bool
words_has(const struct words *w, enum words_section section, struct slice word)
{
	const struct section *s = &w->sections[section];

	if (word.len == 0 || word.len > WORD)
		return false;
	return table_get(&s->exact, word) != NULL || matches_pattern(s, word);
}

bool
words_has_call(const struct words *w, enum words_section section, struct slice target,
    struct slice call)
{
	char key[2 * WORD];

	if (words_has(w, section, call))
		return true;
	if (target.len == 0 || target.len > WORD - 2 || call.len > WORD)
		return false;
	memcpy(key, target.ptr, target.len);
	key[target.len] = '.';
	memcpy(key + target.len + 1, call.ptr, call.len);
	if (words_has(w, section, (struct slice){key, target.len + 1 + call.len}))
		return true;
	key[target.len + 1] = '*';
	return words_has(w, section, (struct slice){key, target.len + 2});
}
