#include "tools/translate/apertium.h"

#include "common/format/catalog.h"
#include "common/hash.h"
#include "common/mem.h"
#include "common/record.h"
#include "common/spawn.h"
#include "tools/translate/mask.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

struct apertium {
	char *modes; /* comma-separated, in order */
	struct arena arena; /* queued texts */
	struct table asked;
	struct message *queue;
	size_t n, cap;
};

enum { ANSWER_MAX = 256 << 20 };

/* ---- pairs ---- */

/* Apertium's modes name languages by two letters or three. */
static bool
names_language(struct slice code, const char *locale)
{
	static const char *const three[][2] = {{"en", "eng"}, {"es", "spa"}, {"fr", "fra"},
	    {"ca", "cat"}, {"pt", "por"}, {"it", "ita"}, {"gl", "glg"}, {"oc", "oci"},
	    {"ro", "ron"}, {"eo", "epo"}, {"eu", "eus"}, {"sv", "swe"}, {"da", "dan"},
	    {"nb", "nob"}, {"nn", "nno"}, {"ar", "ara"}, {"mt", "mlt"}, {"tr", "tur"},
	    {"kk", "kaz"}, {"tt", "tat"}, {"hi", "hin"}, {"ur", "urd"}, {"ru", "rus"},
	    {"uk", "ukr"}, {"be", "bel"}, {"pl", "pol"}, {"sl", "slv"}, {"hr", "hrv"},
	    {"sr", "srp"}, {"mk", "mkd"}, {"bg", "bul"}, {"is", "isl"}, {"cy", "cym"},
	    {"br", "bre"}, {"af", "afr"}, {"nl", "nld"}, {"id", "ind"}, {"ms", "msa"}};
	size_t n = strcspn(locale, "-");

	if (code.len == n && memcmp(code.ptr, locale, n) == 0)
		return true;
	for (size_t i = 0; i < sizeof(three) / sizeof(*three); i++)
		if (slice_is(code, three[i][1]))
			return strlen(three[i][0]) == n && memcmp(three[i][0], locale, n) == 0;
	return false;
}

/* "eng-spa.mode" → eng, spa; variants (eng-cat_valencia) are left out. */
static bool
split_mode(const char *file, struct slice *from, struct slice *to)
{
	struct slice name = slice(file);
	const char *dash = strchr(file, '-');

	if (!dash || !slice_ends(name, ".mode") || strchr(file, '_') || strchr(dash + 1, '-'))
		return false;
	*from = (struct slice){file, (size_t)(dash - file)};
	*to = (struct slice){dash + 1, name.len - 6 - from->len};
	return true;
}

static bool
same_language(struct slice a, struct slice b)
{
	char two[8];

	if (slice_eq(a, b))
		return true;
	struct slice shorter = a.len < b.len ? a : b, longer = a.len < b.len ? b : a;
	snprintf(two, sizeof(two), "%.*s", (int)(shorter.len < 7 ? shorter.len : 7), shorter.ptr);
	return names_language(longer, two);
}

/* The direct mode, else the first two that meet; NULL: none. */
static char *
choose(struct dirent **list, int n, const char *from, const char *to)
{
	struct slice a, b, c, d;
	struct buf out = {0};

	for (int i = 0; i < n; i++)
		if (split_mode(list[i]->d_name, &a, &b) && names_language(a, from) &&
		    names_language(b, to))
			return xstrndup(list[i]->d_name, strlen(list[i]->d_name) - 5);
	for (int i = 0; i < n; i++) {
		if (!split_mode(list[i]->d_name, &a, &b) || !names_language(a, from))
			continue;
		for (int k = 0; k < n; k++) {
			if (!split_mode(list[k]->d_name, &c, &d) || !same_language(b, c) ||
			    !names_language(d, to))
				continue;
			buf_addf(&out, "%.*s-%.*s,%.*s-%.*s", (int)a.len, a.ptr, (int)b.len, b.ptr,
			    (int)c.len, c.ptr, (int)d.len, d.ptr);
			return buf_detach(&out);
		}
	}
	return NULL;
}

struct apertium *
apertium_open(const char *from, const char *to, struct err *e)
{
	const char *folder = getenv("APERTIUM_MODES");
	struct dirent **list = NULL;
	struct apertium *a;
	int n = scandir(folder ? folder : "/usr/share/apertium/modes", &list, NULL, alphasort);
	char *modes = n > 0 ? choose(list, n, from, to) : NULL;

	for (int i = 0; i < n; i++)
		free(list[i]);
	free(list);
	if (n < 0) {
		err_set(e, "no_engine",
		    "apertium is not installed: apt-get install apertium, and a "
		    "language pair such as apertium-eng-spa");
		return NULL;
	}
	if (!modes) {
		err_set(e, "no_pair", "apertium has no way from '%s' to '%s': apt-cache search "
		    "apertium- lists the pairs, --engine=rules goes without", from, to);
		return NULL;
	}
	a = xcalloc(1, sizeof(*a));
	a->modes = modes;
	return a;
}

const char *
apertium_modes(const struct apertium *a)
{
	return a->modes;
}

/* ---- asking ---- */

void
apertium_ask(struct apertium *a, const struct message *m)
{
	bool added;
	struct slice text = {arena_copy(&a->arena, m->text.ptr, m->text.len), m->text.len};
	struct message mine;

	table_put(&a->asked, text, &added);
	if (!added || message_branches(m) ||
	    message_parse(text, m->dialect, &a->arena, &mine, NULL) < 0)
		return;
	a->queue = xgrow(a->queue, a->n, &a->cap, sizeof(*a->queue));
	a->queue[a->n++] = mine;
}

static void
add_paragraph(const struct message *m, struct buf *out)
{
	size_t start;

	buf_adds(out, "<p>");
	start = out->len;
	mask_put(m, MASK_XML, out);
	for (size_t i = start; i < out->len; i++)
		if (out->ptr[i] == '\n' || out->ptr[i] == '\r' || out->ptr[i] == '\t')
			out->ptr[i] = ' ';
	buf_adds(out, "</p>\n");
}

/* ---- running ---- */

/* One mode over one document: its output replaces it. */
static int
run_mode(const char *mode, struct buf *document, struct err *e)
{
	const char *const argv[] = {"apertium", "-u", "-f", "html-noent", mode, NULL};
	struct spawn_options options = {.argv = argv};
	struct buf answer = {0};
	struct err why;
	int result = spawn_run(&options, buf_slice(document), ANSWER_MAX, -1, run_interrupted,
	    &answer, &why);

	if (result < 0)
		err_set(e, "engine_failed", "%s, mode '%s'%s", why.text, mode,
		    strcmp(why.code, "no_command") ? "" : ": apt-get install apertium");
	else
		buf_splice(document, 0, document->len, buf_slice(&answer));
	buf_free(&answer);
	return result;
}

/* ---- reading the answer ---- */

/* Spaces as in the source: single ones within, its own at both ends. */
static void
tidy(struct slice source, struct buf *text)
{
	struct slice inner = slice_trim(source), body = slice_trim(buf_slice(text));
	struct buf out = {0};

	buf_add(&out, source.ptr, (size_t)(inner.ptr - source.ptr));
	for (size_t i = 0; i < body.len; i++)
		if (body.ptr[i] != ' ' || i == 0 || body.ptr[i - 1] != ' ')
			buf_addc(&out, body.ptr[i]);
	buf_add(&out, inner.ptr + inner.len,
	    source.len - inner.len - (size_t)(inner.ptr - source.ptr));
	buf_reset(text);
	buf_addslice(text, buf_slice(&out));
	buf_free(&out);
}

/* The next <p>…</p>; false at the end. */
static bool
next_paragraph(struct slice document, size_t *at, struct slice *out)
{
	const char *open = memmem(document.ptr + *at, document.len - *at, "<p>", 3), *close;

	if (!open)
		return false;
	open += 3;
	close = memmem(open, document.len - (size_t)(open - document.ptr), "</p>", 4);
	if (!close)
		return false;
	*out = (struct slice){open, (size_t)(close - open)};
	*at = (size_t)(close - document.ptr) + 4;
	return true;
}

static void
take_answers(struct apertium *a, struct slice document, struct store *store)
{
	uint32_t file = store_file(store, a->modes);
	struct buf text = {0};
	struct slice paragraph;
	size_t at = 0;

	for (size_t i = 0; i < a->n && next_paragraph(document, &at, &paragraph); i++) {
		buf_reset(&text);
		if (mask_take(&a->queue[i], MASK_XML, paragraph, &text, NULL) < 0)
			continue;
		tidy(a->queue[i].text, &text);
		store_add(store, &(struct addition){.source = a->queue[i].text,
		    .target = buf_slice(&text), .dialect = a->queue[i].dialect,
		    .state = CATALOG_FUZZY, .file = file});
	}
	buf_free(&text);
}

static size_t
count(struct slice document, const char *what)
{
	size_t n = 0, len = strlen(what);
	const char *at = document.ptr, *end = document.ptr + document.len;

	while ((at = memmem(at, (size_t)(end - at), what, len))) {
		n++;
		at += len;
	}
	return n;
}

int
apertium_run(struct apertium *a, struct store *store, struct err *e)
{
	struct buf document = {0};
	char *modes, *save = NULL;
	int status = 0;

	if (!a->n)
		return 0;
	for (size_t i = 0; i < a->n; i++)
		add_paragraph(&a->queue[i], &document);
	modes = xstrdup(a->modes);
	for (char *mode = strtok_r(modes, ",", &save); mode && status == 0;
	     mode = strtok_r(NULL, ",", &save))
		status = run_mode(mode, &document, e);
	free(modes);
	if (status == 0 && count(buf_slice(&document), "<p>") != a->n)
		status = err_set(e, "engine_failed", "apertium answered %zu of %zu texts",
		    count(buf_slice(&document), "<p>"), a->n);
	if (status == 0)
		take_answers(a, buf_slice(&document), store);
	store_seal(store);
	buf_free(&document);
	table_free(&a->asked);
	arena_reset(&a->arena);
	a->n = 0;
	return status;
}

void
apertium_close(struct apertium *a)
{
	if (!a)
		return;
	table_free(&a->asked);
	arena_free(&a->arena);
	free(a->queue);
	free(a->modes);
	free(a);
}
