#include "tools/extract/ignore.h"

#include "common/glob.h"
#include "common/hash.h"
#include "common/json.h"
#include "common/mem.h"
#include "common/path.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

enum {
	HEAD = 2048,	      /* bytes in which kandil:ignore-file is looked for */
	REACH = 1000,	      /* bytes of a line that are looked at, either way */
	LIST_FILE = 4 << 20, /* bytes of .kandil/ignore */
};

/* ---- comments ---- */

static const char mark[] = "kandil:ignore";

/* Whether the text holds the mark itself, not kandil:ignore-file. */
static bool
holds_mark(struct slice text)
{
	const char *hit;

	while ((hit = memmem(text.ptr, text.len, mark, sizeof(mark) - 1)) != NULL) {
		const char *end = text.ptr + text.len;
		hit += sizeof(mark) - 1;
		if (hit == end || *hit != '-')
			return true;
		text = (struct slice){hit, (size_t)(end - hit)};
	}
	return false;
}

bool
ignore_says_anything(struct slice text)
{
	return text.len > 0 && memmem(text.ptr, text.len, mark, sizeof(mark) - 1) != NULL;
}

bool
ignore_says_file(struct slice text)
{
	size_t len = text.len < HEAD ? text.len : HEAD;

	return len > 0 && memmem(text.ptr, len, "kandil:ignore-file", 18) != NULL;
}

/* The line that byte `at` is in, as far as REACH shows it. */
static struct slice
line_around(struct slice text, size_t at)
{
	size_t start = at, end = at;

	while (start > 0 && at - start < REACH && text.ptr[start - 1] != '\n')
		start--;
	while (end < text.len && end - at < REACH && text.ptr[end] != '\n')
		end++;
	return (struct slice){text.ptr + start, end - start};
}

static bool
is_comment(struct slice line)
{
	static const char *const openings[] = {"//", "#", "/*", "<!--", "{/*", "--", ";", NULL};

	line = slice_trim(line);
	for (size_t i = 0; openings[i] != NULL; i++)
		if (slice_starts(line, openings[i]))
			return true;
	return false;
}

bool
ignore_says_line(struct slice text, size_t start, size_t end)
{
	struct slice line = line_around(text, start);
	size_t before = (size_t)(line.ptr - text.ptr);

	if (holds_mark(line) || (end > start && holds_mark(line_around(text, end - 1))))
		return true;
	if (before == 0)
		return false;
	line = line_around(text, before - 1);
	return is_comment(line) && holds_mark(line);
}

/* ---- .kandil/ignore ---- */

struct entry {
	struct glob_list files; /* empty: every file */
	struct slice text;	/* len 0: every text */
};

struct ignore {
	struct entry *v;
	size_t n, cap;
	struct table texts; /* those of entries that name every file */
	struct arena arena;

	struct buf file; /* the last one that was asked for, NUL-terminated */
	size_t *here;	 /* the entries that name it */
	size_t nhere;
};

static int
bad_entry(struct err *e, const char *file, size_t number, const char *what)
{
	err_set(e, "bad_ignore", "%s:%zu: %s: write: glob or \"text\" # reason", file, number, what);
	if (e != NULL)
		e->line = number;
	return -1;
}

/* Cuts a text in quotes off the line, decoded into the arena. */
static bool
cut_text(struct ignore *g, struct slice *line, struct slice *out)
{
	struct buf text = {0};
	size_t n = 1;

	while (n < line->len && line->ptr[n] != '"')
		n += line->ptr[n] == '\\' ? 2 : 1;
	if (n >= line->len)
		return false;
	struct slice quoted = {line->ptr, n + 1};
	bool ok = json_check(quoted, NULL) == 0 && json_text(quoted, &text) && text.len > 0;
	if (ok)
		*out = (struct slice){arena_copy(&g->arena, text.ptr, text.len), text.len};
	buf_free(&text);
	line->ptr += n + 1;
	line->len -= n + 1;
	*line = slice_trim(*line);
	return ok;
}

static int
add_entry(struct ignore *g, struct slice line, const char *file, size_t number, struct err *e)
{
	struct entry entry = {0};
	bool ok = true;

	if (line.ptr[0] != '"') {
		size_t n = 0;
		while (n < line.len && line.ptr[n] != ' ' && line.ptr[n] != '\t')
			n++;
		glob_add(&entry.files, (struct slice){line.ptr, n});
		line = slice_trim((struct slice){line.ptr + n, line.len - n});
	}
	if (line.len > 0 && line.ptr[0] == '"')
		ok = cut_text(g, &line, &entry.text);
	bool reason = line.len > 1 && line.ptr[0] == '#' &&
	    slice_trim((struct slice){line.ptr + 1, line.len - 1}).len > 0;
	if (!ok || !reason) {
		glob_free(&entry.files);
		return bad_entry(e, file, number, ok ? "an entry without a reason" : "a bad text");
	}
	if (entry.files.n == 0) {
		*table_put(&g->texts, entry.text, NULL) = 1;
		return 0;
	}
	g->v = xgrow(g->v, g->n, &g->cap, sizeof(*g->v));
	g->v[g->n++] = entry;
	return 0;
}

struct ignore *
ignore_load(const char *file, struct err *e)
{
	struct ignore *g = xcalloc(1, sizeof(*g));
	struct buf text = {0};
	int status = 0;

	if (access(file, F_OK) == 0 || errno != ENOENT)
		status = path_read(file, LIST_FILE, &text, e);
	struct slice rest = buf_slice(&text), line;
	for (size_t number = 1; status == 0 && slice_line(&rest, &line); number++) {
		line = slice_trim(line);
		if (line.len > 0 && line.ptr[0] != '#')
			status = add_entry(g, line, file, number, e);
	}
	g->here = xcalloc(g->n, sizeof(*g->here));
	buf_free(&text);
	if (status == 0)
		return g;
	ignore_free(g);
	return NULL;
}

void
ignore_free(struct ignore *g)
{
	if (g == NULL)
		return;
	for (size_t i = 0; i < g->n; i++)
		glob_free(&g->v[i].files);
	free(g->v);
	free(g->here);
	buf_free(&g->file);
	table_free(&g->texts);
	arena_free(&g->arena);
	free(g);
}

/* Whether the globs name the file, or a folder that it lies in. */
static bool
names_file(const struct glob_list *files, struct slice path)
{
	if (glob_decide(files, path, false) > 0)
		return true;
	for (size_t i = path.len; i-- > 1;)
		if (path.ptr[i] == '/' && glob_decide(files, (struct slice){path.ptr, i}, true) > 0)
			return true;
	return false;
}

/* The path from here, the folder of the list, however the user named the file; *own is to be freed. */
static struct slice
path_from_here(const char *file, char **own)
{
	struct slice path = slice(file);
	char *here = NULL;

	*own = NULL;
	if (slice_starts(path, "./"))
		return (struct slice){path.ptr + 2, path.len - 2};
	if (!slice_starts(path, "/") && !slice_starts(path, "../"))
		return path;
	*own = realpath(file, NULL);
	here = realpath(".", NULL);
	if (*own != NULL && here != NULL) {
		size_t len = strlen(here);
		if (strncmp(*own, here, len) == 0 && (*own)[len] == '/')
			path = slice(*own + len + 1);
	}
	free(here);
	return path;
}

/* Decides once which entries name the file. */
static void
enter_file(struct ignore *g, const char *file)
{
	char *own;
	struct slice path = path_from_here(file, &own);

	buf_reset(&g->file);
	buf_adds(&g->file, file);
	g->nhere = 0;
	for (size_t i = 0; i < g->n; i++)
		if (names_file(&g->v[i].files, path))
			g->here[g->nhere++] = i;
	free(own);
}

bool
ignore_lists(struct ignore *g, const char *file, struct slice value)
{
	if (g == NULL)
		return false;
	if (g->texts.used > 0 && table_get(&g->texts, value) != NULL)
		return true;
	if (g->n > 0 && (g->file.ptr == NULL || strcmp(g->file.ptr, file) != 0))
		enter_file(g, file);
	for (size_t i = 0; i < g->nhere; i++) {
		const struct entry *entry = &g->v[g->here[i]];
		if (entry->text.len == 0 || slice_eq(entry->text, value))
			return true;
	}
	return false;
}
