#include "tools/translate/learn.h"

#include "common/format/catalog.h"
#include "common/hash.h"
#include "common/locale.h"
#include "common/mem.h"
#include "common/message.h"
#include "common/path.h"
#include "tools/translate/propose.h"
#include "tools/translate/seed.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* What the memory has of one source text. */
struct line {
	struct buf text; /* a record, without line feed; empty: nothing is known of it */
	bool touched;	 /* in this run */
};

struct lesson {
	const struct opt_list *to;
	char from[LOCALE_MAX];
	struct table sources; /* language, format, context, text → index in lines */
	struct line *lines;
	size_t n, cap;
	struct memories *seeds; /* of the locales that were met, the seed alone */
	size_t nseeds, seeds_cap;
	struct proposer proposer;
	struct proposal proposal;
	struct arena names, scratch;
	size_t learnt, replaced, texts, refused, seeded;
	struct buf value, format, context, text, status, word, name, quoted;
};

char *
learn_own_file(void)
{
	const char *data = getenv("XDG_DATA_HOME"), *home = getenv("HOME");
	struct buf name = {0};

	if (data && *data == '/')
		buf_addf(&name, "%s/kandil/memory.ndjson", data);
	else if (home && *home == '/')
		buf_addf(&name, "%s/.local/share/kandil/memory.ndjson", home);
	else
		return NULL;
	return buf_detach(&name);
}

/* The file that a name means; its folder is made for the own one. */
static char *
file_of(const char *name)
{
	struct stat st;
	char *file;

	if (strcmp(name, "user") != 0)
		return stat(name, &st) == 0 && S_ISDIR(st.st_mode) ? path_join(name, "memory.ndjson")
								   : xstrdup(name);
	if (!(file = learn_own_file()))
		die(STATUS_FAILED, "there is no home for your own memory: set HOME, or name a file");
	return file;
}

/* A lock on the file's folder: it stays when the file is replaced. -1 with errno. */
static int
lock_folder(const char *file)
{
	const char *slash = strrchr(file, '/');
	char *folder = slash ? xstrndup(file, slash == file ? 1 : (size_t)(slash - file))
			     : xstrdup(".");
	int fd = path_mkdirs(folder) < 0 ? -1 : open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	while (fd >= 0 && flock(fd, LOCK_EX) < 0)
		if (errno != EINTR) {
			close(fd);
			fd = -1;
		}
	free(folder);
	return fd;
}

/* ---- the memory ---- */

/* The place of a source text, its line empty when it is new. */
static struct line *
line_of(struct lesson *l, struct slice language)
{
	struct buf name = {0};
	bool added;

	buf_addslice(&name, language);
	buf_addf(&name, "\n%s\n%zu\n", l->format.len ? l->format.ptr : "icu", l->context.len);
	buf_addslice(&name, buf_slice(&l->context));
	buf_addslice(&name, buf_slice(&l->value));
	struct slice copy = {arena_copy(&l->names, name.ptr, name.len), name.len};
	uint64_t *index = table_put(&l->sources, copy, &added);
	buf_free(&name);
	if (added) {
		l->lines = xgrow(l->lines, l->n, &l->cap, sizeof(*l->lines));
		l->lines[l->n] = (struct line){.touched = false};
		*index = l->n++;
	}
	return &l->lines[*index];
}

static void
read_memory(struct lesson *l, const char *file)
{
	struct buf text = {0};
	struct slice rest, line;
	struct err e = {0};
	size_t number = 0;

	if (access(file, F_OK) != 0)
		return;
	if (path_read(file, LEARN_SIZE, &text, &e) < 0)
		die(STATUS_FAILED, "%s", e.text);
	for (rest = buf_slice(&text); slice_line(&rest, &line);) {
		number++;
		line = slice_trim(line);
		if (!line.len)
			continue;
		if (json_check(line, &e) < 0 || json_type(line) != JSON_OBJECT ||
		    !json_get_text(line, "value", &l->value))
			die(STATUS_FAILED, "%s:%zu: this is no memory of string records: name "
			    "another file", file, number);
		json_get_text(line, "format", &l->format);
		json_get_text(line, "context", &l->context);
		json_get_text(line, "source_language", &l->word);
		struct line *place = line_of(l, l->word.len ? buf_slice(&l->word) : slice(l->from));
		buf_reset(&place->text);
		buf_addslice(&place->text, line);
	}
	buf_free(&text);
}

static void
write_memory(const struct lesson *l, const char *file)
{
	struct buf all = {0};
	struct err e;

	for (size_t i = 0; i < l->n; i++) {
		if (!l->lines[i].text.len)
			continue;
		buf_addslice(&all, buf_slice(&l->lines[i].text));
		buf_addc(&all, '\n');
	}
	if (all.len > LEARN_SIZE)
		die(STATUS_FAILED, "the memory would be larger than %d MiB, '%s': name another file",
		    LEARN_SIZE >> 20, file);
	if (path_replace(file, buf_slice(&all), NULL, &e) < 0)
		die(STATUS_FAILED, "%s", e.text);
	buf_free(&all);
}

/* ---- one translation ---- */

static bool
wanted(const struct lesson *l, const char *locale)
{
	char name[LOCALE_MAX];

	for (size_t i = 0; i < l->to->n; i++)
		if (locale_canonical(slice(l->to->v[i]), name) && strcmp(name, locale) == 0)
			return true;
	return l->to->n == 0;
}

/* Whether a person made it or approved it; the text is then in l->text. */
static bool
approved(struct lesson *l, struct slice translation)
{
	enum catalog_state state = CATALOG_TRANSLATED;
	struct slice member;

	if (json_type(translation) != JSON_OBJECT ||
	    !json_get_text(translation, "value", &l->text) || !l->text.len)
		return false;
	if (json_get_text(translation, "status", &l->status) &&
	    !catalog_state_of(buf_slice(&l->status), &state))
		return false;
	if (state < CATALOG_TRANSLATED ||
	    (json_get(translation, "stale", &member) && json_type(member) == JSON_TRUE))
		return false;
	/* What memory gave is known already, and nobody has looked at it here. */
	return state == CATALOG_APPROVED || !json_get(translation, "engine", &member) ||
	    (json_get_text(translation, "source", &l->word) &&
		slice_starts(buf_slice(&l->word), "project:"));
}

/* The seed of a locale, read when it is first met. */
static const struct memories *
seed_of(struct lesson *l, const char *locale)
{
	struct err e;

	for (size_t i = 0; i < l->nseeds; i++)
		if (strcmp(l->seeds[i].locale, locale) == 0)
			return &l->seeds[i];
	l->seeds = xgrow(l->seeds, l->nseeds, &l->seeds_cap, sizeof(*l->seeds));
	struct memories *m = &l->seeds[l->nseeds++];
	*m = (struct memories){.locale = ""};
	memcpy(m->locale, locale, LOCALE_MAX);
	if (seed_load(m, l->from, &e) < 0)
		die(STATUS_FAILED, "%s", e.text);
	for (int tier = 0; tier < TIERS; tier++)
		store_seal(&m->tiers[tier]);
	return m;
}

/*
 * Whether the translation is what the seed gives: a catalogue into which it
 * was written does not say so, and nobody may have read it since.
 */
static bool
is_seed(struct lesson *l, const char *locale)
{
	int dialect = message_dialect_of(buf_slice(&l->format));

	arena_reset(&l->proposer.arena);
	if (query_read(&l->proposer.query, buf_slice(&l->value), (unsigned)dialect,
		&l->proposer.arena, NULL) < 0)
		return false;
	propose(&l->proposer, seed_of(l, locale), &l->proposal);
	return l->proposal.found && slice_eq(buf_slice(&l->proposal.text), buf_slice(&l->text));
}

static bool
fits(struct lesson *l, const char *locale)
{
	struct message_faults faults = {0};
	int dialect = message_dialect_of(buf_slice(&l->format));

	arena_reset(&l->scratch);
	if (dialect < 0)
		return false;
	message_verify(buf_slice(&l->value), buf_slice(&l->text), (unsigned)dialect, slice(locale),
	    &l->scratch, &faults);
	return !faults.serious;
}

static void
begin_line(struct lesson *l, struct buf *line)
{
	json_open(line, '{');
	json_add(line, "kind", S("string"));
	json_add(line, "value", buf_slice(&l->value));
	json_add(line, "format", l->format.len ? buf_slice(&l->format) : S("icu"));
	if (l->context.len)
		json_add(line, "context", buf_slice(&l->context));
	json_add(line, "source_language", slice(l->from));
	json_close(line, '}');
}

static void
learn_one(struct lesson *l, const char *locale, bool is_approved)
{
	struct line *line = line_of(l, slice(l->from));
	const char *path[] = {"translations", locale, "value"};
	struct slice before;
	bool known, same;

	buf_reset(&l->word);
	known = line->text.len && json_path(buf_slice(&line->text), path, 3, &before) &&
	    json_text(before, &l->word);
	same = known && slice_eq(buf_slice(&l->word), buf_slice(&l->text));
	if (!known && !is_approved && is_seed(l, locale)) {
		l->seeded++;
		return;
	}
	if (!line->text.len)
		begin_line(l, &line->text);
	l->learnt += !known;
	l->replaced += known && !same;
	l->texts += !same && !line->touched;
	line->touched |= !same;
	buf_reset(&l->quoted);
	json_quote(&l->quoted, buf_slice(&l->text));
	json_set(&line->text, path, 3, buf_slice(&l->quoted));
	path[2] = "status";
	/* The same text, only translated: it stays approved if it was. */
	if (!same || is_approved)
		json_set(&line->text, path, 3,
		    is_approved ? S("\"approved\"") : S("\"translated\""));
}

static void
learn_record(struct record *r, void *state)
{
	struct lesson *l = state;
	struct slice all, name, one;
	char locale[LOCALE_MAX];

	if (record_kind(r, "string") && record_get_text(r, "value", &l->value) && l->value.len &&
	    record_get(r, "translations", &all)) {
		record_get_text(r, "format", &l->format);
		record_get_text(r, "context", &l->context);
		for (struct json_walk w = json_walk(all); json_member(&w, &name, &one);) {
			buf_reset(&l->name);
			json_text(name, &l->name);
			if (!locale_canonical(buf_slice(&l->name), locale) || !wanted(l, locale) ||
			    strcmp(locale, l->from) == 0 || !approved(l, one))
				continue;
			if (fits(l, locale))
				learn_one(l, locale, slice_is(buf_slice(&l->status), "approved") ||
				    slice_is(buf_slice(&l->status), "reviewed"));
			else
				l->refused++;
		}
	}
	record_pass(r);
}

static void
tell(const struct lesson *l, const char *file, bool dry)
{
	if (l->refused)
		warn("not learnt, since they do not fit their source: %zu: 'kandil-catalog check' "
		     "names them", l->refused);
	if (l->seeded)
		note("not learnt, since they come with kandil and nobody approved them: %zu",
		    l->seeded);
	note("%s in '%s': %zu new translation%s, %zu in place of others, of %zu text%s",
	    dry ? "would be learnt" : "learnt", file, l->learnt, l->learnt == 1 ? "" : "s",
	    l->replaced, l->texts, l->texts == 1 ? "" : "s");
}

static void
free_lesson(struct lesson *l)
{
	struct buf *const bufs[] = {&l->value, &l->format, &l->context, &l->text, &l->status,
	    &l->word, &l->name, &l->quoted, &l->proposal.text, &l->proposal.rejected,
	    &l->proposer.query.skeleton, &l->proposer.query.folded, &l->proposer.piece.skeleton,
	    &l->proposer.piece.folded};

	for (size_t i = 0; i < l->n; i++)
		buf_free(&l->lines[i].text);
	for (size_t i = 0; i < l->nseeds; i++)
		for (int tier = 0; tier < TIERS; tier++)
			store_free(&l->seeds[i].tiers[tier]);
	for (size_t i = 0; i < sizeof(bufs) / sizeof(*bufs); i++)
		buf_free(bufs[i]);
	free(l->lines);
	free(l->seeds);
	table_free(&l->sources);
	arena_free(&l->names);
	arena_free(&l->scratch);
	arena_free(&l->proposer.arena);
}

void
learn(struct run *run, const char *name, const struct opt_list *to, const char *from, bool dry)
{
	struct lesson l = {.to = to};
	char *file = file_of(name);

	if (!locale_canonical(slice(from), l.from) || !locale_exists(slice(from)))
		die(STATUS_USAGE, "unknown locale in --from, '%s': write codes such as en", from);
	for (size_t i = 0; i < to->n; i++)
		if (!locale_exists(slice(to->v[i])))
			die(STATUS_USAGE, "unknown locale in --to, '%s': write codes such as ar, fr",
			    to->v[i]);
	int lock = lock_folder(file);
	if (lock < 0)
		die(STATUS_FAILED, "cannot use the folder of '%s':", file);
	read_memory(&l, file);
	record_loop(run, learn_record, &l);
	if (!dry && l.learnt + l.replaced > 0)
		write_memory(&l, file);
	tell(&l, file, dry);
	close(lock);
	free_lesson(&l);
	free(file);
}
