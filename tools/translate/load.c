#include "tools/translate/load.h"

#include "common/format/catalog_name.h"
#include "common/json.h"
#include "common/mem.h"
#include "common/path.h"
#include "tools/translate/branch.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

/* Whether a part of the name is a script: the child is then written otherwise. */
static bool
has_script(const char *locale)
{
	const char *dash = strchr(locale, '-');

	return dash && strcspn(dash + 1, "-") == 4;
}

/* Steps up from child until ancestor; -1: never, or across a script. */
static int
steps_up(const char *child, const char *ancestor)
{
	char name[LOCALE_MAX];
	int steps = 0;

	snprintf(name, sizeof(name), "%s", child);
	while (strcmp(name, ancestor) != 0) {
		if (has_script(name) && !has_script(ancestor))
			return -1;
		if (!locale_parent(name))
			return -1;
		steps++;
	}
	return steps;
}

/*
 * Languages whose bare code means one of two written standards: pt is the
 * Portuguese of Brazil (UTS 35, likely subtags), and pt-PT, from which CLDR
 * has that of Africa and Asia inherit, words many things otherwise.
 */
static bool
has_own_standard(const char *locale)
{
	return steps_up(locale, "pt-PT") >= 0;
}

int
load_distance(const char *wanted, struct slice found)
{
	char name[LOCALE_MAX];
	int up, down, other;

	if (!locale_canonical(found, name))
		return -1;
	other = has_own_standard(wanted) != has_own_standard(name) ? STORE_OTHER : 0;
	up = steps_up(wanted, name);
	if (up >= 0)
		return other + 2 * up;
	down = steps_up(name, wanted);
	return down < 0 ? -1 : other + 2 * down + 1;
}

static bool
says_same(struct slice comment)
{
	return comment.len && memmem(comment.ptr, comment.len, "same in", 7);
}

static size_t
count_placeholders(const struct message_node *c)
{
	size_t n = 0;

	for (const struct message_node *node = c + 1; node < c + c->size; node++)
		n += node->type == MESSAGE_PLACEHOLDER || node->type == MESSAGE_POUND;
	return n;
}

/* The only "1" that stands alone in the text; NULL: none, or several. */
static const char *
find_one(struct slice text)
{
	const char *found = NULL, *end = text.ptr + text.len;

	for (const char *at = text.ptr; at < end; at++) {
		if (*at != '1' || (at > text.ptr && at[-1] != ' ' && !(at[-1] & 0x80)) ||
		    (at + 1 < end && at[1] != ' ' && !(at[1] & 0x80)))
			continue;
		if (found)
			return NULL;
		found = at;
	}
	return found;
}

/* The case as a whole text, "1 file" as "{n} file"; the placeholders in it. */
static size_t
read_plain_form(const struct message *m, const struct message_node *branch,
    const struct message_node *chosen, struct buf *text)
{
	size_t n = count_placeholders(chosen);
	struct buf number = {0};
	const char *one;

	branch_flatten(m, branch, chosen, text);
	if (n == 0 && !slice_is(chosen->name, "other") && (one = find_one(buf_slice(text)))) {
		buf_addf(&number, "{%.*s}", (int)branch->name.len, branch->name.ptr);
		buf_splice(text, (size_t)(one - text->ptr), 1, buf_slice(&number));
		buf_free(&number);
		n = 1;
	}
	return n;
}

/*
 * One case of a plural also answers to the same text without plural: not for
 * sure, for a language may inflect, nor where a case says its number in words.
 */
static void
add_plain_form(struct store *s, const struct addition *plural, const char *name)
{
	static struct arena arena;
	static struct buf texts[2];
	struct slice both[2] = {plural->source, plural->target};
	const struct message_node *branch, *chosen;
	size_t placeholders[2];
	struct message m;
	struct addition a = *plural;

	arena_reset(&arena);
	for (int i = 0; i < 2; i++) {
		buf_reset(&texts[i]);
		if (message_parse(both[i], plural->dialect, &arena, &m, NULL) < 0 ||
		    !(branch = branch_single(&m)) || branch->type != MESSAGE_PLURAL ||
		    !(chosen = message_case(branch, slice(name))) ||
		    (i == 0 && slice_is(chosen->name, "other") != (strcmp(name, "other") == 0)))
			return;
		placeholders[i] = read_plain_form(&m, branch, chosen, &texts[i]);
	}
	if (placeholders[0] != placeholders[1])
		return;
	a.source = buf_slice(&texts[0]);
	a.target = buf_slice(&texts[1]);
	a.state = CATALOG_FUZZY;
	store_add(s, &a);
}

static void
add(struct store *s, const struct addition *a)
{
	store_add(s, a);
	if (!a->source.len || !memmem(a->source.ptr, a->source.len, "plural,", 7))
		return;
	add_plain_form(s, a, "one");
	add_plain_form(s, a, "other");
}

void
load_entry(struct store *s, const struct catalog *c, const struct catalog_entry *e, uint32_t file,
    int distance)
{
	static struct buf source, target;
	int dialect = message_dialect_of(slice(catalog_message_format(c, e)));

	buf_reset(&source);
	buf_reset(&target);
	if (dialect < 0 || e->state <= CATALOG_MISSING || !e->source.len ||
	    !catalog_source_message(c, e, &source) || !catalog_message(c, e, &target))
		return;
	add(s, &(struct addition){.source = buf_slice(&source), .target = buf_slice(&target),
	    .dialect = (unsigned)dialect, .distance = (unsigned)distance, .file = file,
	    .state = e->obsolete || e->stale ? CATALOG_FUZZY : e->state,
	    .same = says_same(e->comment)});
}

/* ---- one file into all locales ---- */

struct visit {
	struct loader *loader;
	enum tier tier;
	const char *name;
	uint32_t *files; /* of each target: 1 + what store_file gave, 0: not yet */
};

static uint32_t
file_of(struct visit *v, size_t target)
{
	if (!v->files[target])
		v->files[target] = 1 +
		    store_file(&v->loader->targets[target].tiers[v->tier],
			v->loader->shown ? v->loader->shown : v->name);
	return v->files[target] - 1;
}

static int
visit_entry(const struct catalog *c, const struct catalog_entry *e, void *state)
{
	struct visit *v = state;
	struct slice locale = e->locale.len ? e->locale : c->locale;

	if (c->source_locale.len && load_distance(v->loader->from, c->source_locale) < 0)
		return 1;
	for (size_t i = 0; i < v->loader->n; i++) {
		struct memories *target = &v->loader->targets[i];
		int distance = load_distance(target->locale, locale);

		if (distance >= 0)
			load_entry(&target->tiers[v->tier], c, e, file_of(v, i), distance);
	}
	return 0;
}

char *
load_arb_source(const char *name, const char *from)
{
	struct slice written = catalog_name_locale(name);
	const char *slash = strrchr(name, '/');
	size_t stem = written.len ? (size_t)(written.ptr - name)
				  : (size_t)(slash ? slash + 1 - name : 0);
	struct buf b = {0};

	buf_add(&b, name, stem);
	for (const char *at = from; *at; at++)
		buf_addc(&b, *at == '-' ? '_' : *at);
	buf_adds(&b, ".arb");
	return buf_detach(&b);
}

/* An ARB file holds one language: the texts of both are joined by key. */
static int
load_arb(struct visit *v, struct catalog *c, struct err *e)
{
	char *name = load_arb_source(v->name, v->loader->from);
	struct catalog source = {0};
	int status = catalog_read(name, CATALOG_ARB, &source, e);

	if (status < 0)
		err_set(
		    e, "no_source", "its texts in '%s' are not there, '%s'", v->loader->from, name);
	for (size_t i = 0; status == 0 && i < c->n; i++) {
		struct catalog_entry *entry = &c->entries[i];
		const struct catalog_entry *original = catalog_find(&source, entry->key);

		if (!original || !original->nvalues || !entry->nvalues)
			continue;
		struct addition a = {.source = original->values[0], .target = entry->values[0],
		    .dialect = MESSAGE_ARB, .state = entry->stale ? CATALOG_FUZZY : entry->state};
		for (size_t t = 0; t < v->loader->n; t++) {
			struct memories *target = &v->loader->targets[t];
			int distance = load_distance(target->locale, c->locale);

			if (distance < 0 || entry->state <= CATALOG_MISSING)
				continue;
			a.distance = (unsigned)distance;
			a.file = file_of(v, t);
			add(&target->tiers[v->tier], &a);
		}
	}
	catalog_free(&source);
	free(name);
	return status;
}

/* ---- records as memory ---- */

static void
load_translations(struct visit *v, struct slice record, struct slice source, unsigned dialect)
{
	static struct buf name, value, status;
	struct slice all, locale, one;
	enum catalog_state state;

	if (!json_get(record, "translations", &all))
		return;
	for (struct json_walk w = json_walk(all); json_member(&w, &locale, &one);) {
		buf_reset(&name);
		json_text(locale, &name);
		if (!json_get_text(one, "value", &value) ||
		    !json_get_text(one, "status", &status) ||
		    !catalog_state_of(buf_slice(&status), &state) || state <= CATALOG_MISSING)
			continue;
		for (size_t i = 0; i < v->loader->n; i++) {
			struct memories *target = &v->loader->targets[i];
			int distance = load_distance(target->locale, buf_slice(&name));

			if (distance >= 0)
				add(&target->tiers[v->tier], &(struct addition){.source = source,
				    .target = buf_slice(&value), .dialect = dialect,
				    .state = state, .distance = (unsigned)distance,
				    .file = file_of(v, i)});
		}
	}
}

/* Where the first record of a file may begin: behind a byte order mark. */
static size_t
records_start(const struct buf *text)
{
	return slice_starts(buf_slice(text), "\xef\xbb\xbf") ? 3 : 0;
}

static int
load_records(struct visit *v, struct err *e)
{
	struct buf text = {0}, source = {0}, format = {0}, language = {0};
	size_t line = 0;
	int status = path_read(v->name, CATALOG_MAX_SIZE, &text, e);

	for (size_t at = records_start(&text); status == 0 && at < text.len; line++) {
		const char *stop = memchr(text.ptr + at, '\n', text.len - at);
		size_t end = stop ? (size_t)(stop - text.ptr) : text.len;
		struct slice record = slice_trim((struct slice){text.ptr + at, end - at}), kind;
		int dialect;

		at = end + 1;
		if (!record.len)
			continue;
		if (json_check(record, e) < 0) {
			if (e)
				e->line = line + 1;
			status = -1;
		} else if (json_get(record, "kind", &kind) && json_is(kind, "string") &&
		    json_get_text(record, "value", &source)) {
			json_get_text(record, "format", &format);
			dialect = message_dialect_of(buf_slice(&format));
			/* What --learn wrote says in which language its sources are. */
			if (json_get_text(record, "source_language", &language) &&
			    load_distance(v->loader->from, buf_slice(&language)) < 0)
				continue;
			if (dialect >= 0)
				load_translations(v, record, buf_slice(&source), (unsigned)dialect);
		}
	}
	buf_free(&text);
	buf_free(&source);
	buf_free(&format);
	buf_free(&language);
	return status;
}

/* ---- files and folders ---- */

void
load_blame(const char *name, struct err *e)
{
	struct err why = *e;

	if (why.line)
		err_set(e, why.code, "%s:%zu: %s", name, why.line, why.text);
	else if (strstr(why.text, name) == NULL)
		err_set(e, why.code, "%s: %s", name, why.text);
}

static bool
ends(const char *name, const char *suffix)
{
	return slice_ends(slice(name), suffix);
}

/* Whether a file whose name tells no format begins with a record: --learn writes to any name. */
static bool
begins_with_record(const char *name)
{
	struct buf text = {0};
	struct slice line = {"", 0}, kind;
	struct err ignored;
	bool is;

	if (path_read(name, CATALOG_MAX_SIZE, &text, &ignored) == 0 && text.len) {
		size_t start = records_start(&text);
		line = slice_trim((struct slice){text.ptr + start, text.len - start});
		const char *stop = memchr(line.ptr, '\n', line.len);
		line.len = stop ? (size_t)(stop - line.ptr) : line.len;
	}
	line = slice_trim(line);
	is = slice_starts(line, "{") && json_check(line, &ignored) == 0 &&
	    json_get(line, "kind", &kind) && json_is(kind, "string");
	buf_free(&text);
	return is;
}

static bool
is_records(const char *name)
{
	return ends(name, ".ndjson") || ends(name, ".jsonl") ||
	    (catalog_format_of_name(name) == CATALOG_AUTO && begins_with_record(name));
}

static int
load_one(struct loader *loader, const char *name, enum tier tier, struct err *e)
{
	struct visit v = {loader, tier, name, xcalloc(loader->n + 1, sizeof(uint32_t))};
	int status;

	if (is_records(name)) {
		status = load_records(&v, e);
	} else if (ends(name, ".arb")) {
		struct catalog c = {0};
		status = catalog_read(name, CATALOG_ARB, &c, e);
		if (status == 0 && load_distance(loader->from, c.locale) < 0)
			status = load_arb(&v, &c, e);
		catalog_free(&c);
	} else {
		status = catalog_visit(name, CATALOG_AUTO, visit_entry, &v, e) < 0 ? -1 : 0;
	}
	free(v.files);
	if (status < 0)
		load_blame(name, e);
	return status;
}

/* Whatever can be read, where a project has ARB and PO. */
static int
is_memory(const struct dirent *entry)
{
	const char *n = entry->d_name;

	return *n != '.' && (ends(n, ".arb") || ends(n, ".po") || ends(n, ".mo") ||
	    ends(n, ".tmx") || ends(n, ".ndjson") || ends(n, ".jsonl"));
}

int
load_file(struct loader *loader, const char *name, enum tier tier, struct err *e)
{
	struct dirent **list;
	struct stat st;
	int n, status = 0;

	if (stat(name, &st) < 0 || !S_ISDIR(st.st_mode))
		return load_one(loader, name, tier, e);
	n = scandir(name, &list, is_memory, alphasort);
	if (n < 0)
		return err_set(e, "cannot_read", "cannot read the folder '%s': %s", name,
		    strerror(errno));
	for (int i = 0; i < n; i++) {
		char *path = path_join(name, list[i]->d_name);
		if (load_one(loader, path, tier, e) < 0)
			status = -1;
		free(path);
		free(list[i]);
	}
	free(list);
	return status;
}
