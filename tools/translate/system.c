#include "tools/translate/system.h"

#include "common/die.h"
#include "common/hash.h"
#include "common/mem.h"
#include "common/path.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- finding ---- */

enum { FILES_MAX = 20000 };

struct files {
	char **v;
	size_t n, cap;
};

static const char usual[] = "/usr/share/locale:/usr/local/share/locale:"
			    "/usr/lib/libreoffice/program/resource:"
			    "/usr/share/wordpress/wp-content/languages";
static const char packages[] = "/usr/lib/python3/dist-packages";

static void
add_folder(struct files *files, const char *folder, const char *locale)
{
	struct dirent **list = NULL;
	int n = scandir(folder, &list, NULL, alphasort);

	for (int i = 0; i < n; i++) {
		struct slice name = slice(list[i]->d_name);

		/* With a locale: only files whose own name says it (wordpress). */
		if (slice_ends(name, ".mo") && files->n < FILES_MAX &&
		    (!locale || load_distance(locale, catalog_name_locale(name.ptr)) >= 0)) {
			files->v = xgrow(files->v, files->n, &files->cap, sizeof(*files->v));
			files->v[files->n++] = path_join(folder, name.ptr);
		}
		free(list[i]);
	}
	free(list);
}

/* base/LOCALE/LC_MESSAGES/x.mo and base/x-LOCALE.mo */
static void
add_base(struct files *files, const char *base, const char *locale)
{
	struct dirent **list = NULL;
	int n = scandir(base, &list, NULL, alphasort);

	for (int i = 0; i < n; i++) {
		if (*list[i]->d_name != '.' && load_distance(locale, slice(list[i]->d_name)) >= 0) {
			char *folder = path_join(base, list[i]->d_name);
			char *messages = path_join(folder, "LC_MESSAGES");

			add_folder(files, messages, NULL);
			free(messages);
			free(folder);
		}
		free(list[i]);
	}
	free(list);
	add_folder(files, base, locale);
}

/* Python programs keep theirs in a folder of their own: PACKAGE/data/locale. */
static void
add_packages(struct files *files, const char *locale)
{
	struct dirent **list = NULL;
	int n = scandir(packages, &list, NULL, alphasort);

	for (int i = 0; i < n; i++) {
		struct buf base = {0};

		if (*list[i]->d_name != '.') {
			buf_addf(&base, "%s/%s/data/locale", packages, list[i]->d_name);
			if (access(base.ptr, R_OK) == 0)
				add_base(files, base.ptr, locale);
		}
		buf_free(&base);
		free(list[i]);
	}
	free(list);
}

static void
find_files(struct files *files, const char *locale)
{
	const char *set = getenv("KANDIL_LOCALE_PATH");
	char *path = xstrdup(set ? set : usual), *save = NULL;

	for (char *base = strtok_r(path, ":", &save); base; base = strtok_r(NULL, ":", &save))
		add_base(files, base, locale);
	free(path);
	if (!set)
		add_packages(files, locale);
}

/* What the cache must have been made from: a line a file, path, size, time. */
static void
describe(const struct files *files, const char *locale, struct buf *out)
{
	struct stat st;

	buf_addf(out, "%s %s\n", KANDIL_VERSION, locale);
	for (size_t i = 0; i < files->n; i++)
		if (stat(files->v[i], &st) == 0)
			buf_addf(out, "%s %lld %lld.%09ld\n", files->v[i], (long long)st.st_size,
			    (long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
}

/* ---- the cache ---- */

/* The file: this, the description (padded to 8), units, shapes, pool. */
struct head {
	char magic[8];
	uint64_t checksum; /* of all that follows this member */
	uint64_t description, units, pool; /* lengths; units is a count */
};

#define MAGIC "KNDLMEM4"

static size_t
padded(size_t n)
{
	return (n + 7) & ~(size_t)7;
}

static bool
lies_within(const struct store *s, uint64_t at, uint64_t len)
{
	return at + len < s->bytes_len;
}

/* Whether every offset lies within: the checksum is no proof against malice. */
static bool
is_sound(const struct store *s)
{
	for (size_t i = 0; i < s->n; i++) {
		const struct unit *u = &s->units[i];
		bool texts = lies_within(s, u->source, u->source_len) &&
		    lies_within(s, u->target, u->target_len) &&
		    lies_within(s, u->folded, u->folded_len) && lies_within(s, u->file, 0);

		if (!texts || s->shapes[i].unit >= s->n || (i && s->units[i - 1].hash > u->hash))
			return false;
	}
	return s->bytes_len == 0 || s->bytes[s->bytes_len - 1] == '\0';
}

static bool
attach(struct store *s, char *map, size_t size, struct slice description)
{
	const struct head *h = (const struct head *)(void *)map;
	const size_t after = sizeof(h->magic) + sizeof(h->checksum);

	if (size < sizeof(*h) || memcmp(h->magic, MAGIC, 8) != 0 ||
	    h->description != description.len || h->units > STORE_UNITS ||
	    h->pool > STORE_POOL * 2ULL)
		return false;
	size_t units = sizeof(*h) + padded(h->description);
	size_t shapes = units + (size_t)h->units * sizeof(struct unit);
	size_t pool = shapes + (size_t)h->units * sizeof(struct shape);

	if (size != pool + h->pool ||
	    memcmp(map + sizeof(*h), description.ptr, description.len) != 0 ||
	    h->checksum != hash_stable((struct slice){map + after, size - after}))
		return false;
	*s = (struct store){.units = (struct unit *)(void *)(map + units), .n = (size_t)h->units,
	    .shapes = (struct shape *)(void *)(map + shapes), .bytes = map + pool,
	    .bytes_len = (size_t)h->pool, .sealed = true, .mapped = true};
	return is_sound(s);
}

static bool
map_cache(struct store *s, const char *name, struct slice description)
{
	int fd = open(name, O_RDONLY | O_CLOEXEC);
	struct stat st;
	char *map;

	if (fd < 0)
		return false;
	map = fstat(fd, &st) == 0 && st.st_size > 0
	    ? mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0)
	    : MAP_FAILED;
	close(fd);
	if (map == MAP_FAILED)
		return false;
	if (attach(s, map, (size_t)st.st_size, description))
		return true; /* mapped for the life of the process */
	*s = (struct store){0};
	munmap(map, (size_t)st.st_size);
	return false;
}

static void
write_cache(const struct store *s, const char *name, struct slice description)
{
	struct head h = {.magic = MAGIC, .description = description.len, .units = s->n,
	    .pool = s->pool.len};
	const size_t after = sizeof(h.magic) + sizeof(h.checksum);
	struct buf out = {0};
	struct err e;

	buf_add(&out, &h, sizeof(h));
	buf_addslice(&out, description);
	while (out.len % 8)
		buf_addc(&out, '\0');
	buf_add(&out, s->units, s->n * sizeof(*s->units));
	buf_add(&out, s->shapes, s->n * sizeof(*s->shapes));
	buf_addslice(&out, buf_slice(&s->pool));
	h.checksum = hash_stable((struct slice){out.ptr + after, out.len - after});
	memcpy(out.ptr, &h, sizeof(h));
	if (path_replace(name, buf_slice(&out), NULL, &e) < 0)
		note("%s: the installed catalogues are read again each time", e.text);
	buf_free(&out);
}

/* ---- making it ---- */

struct visit {
	struct memories *memories;
	uint32_t file;
	const char *name;
};

static int
visit_entry(const struct catalog *c, const struct catalog_entry *e, void *state)
{
	struct visit *v = state;
	/* The folder is right more often than the header. */
	struct slice named = catalog_name_locale(v->name);
	int distance = load_distance(v->memories->locale, named.len ? named : c->locale);

	if (distance < 0)
		return 1;
	load_entry(&v->memories->tiers[TIER_SYSTEM], c, e, v->file, distance);
	return 0;
}

static void
build(struct memories *memories, const struct files *files)
{
	struct store *s = &memories->tiers[TIER_SYSTEM];
	struct err e;

	note("reading %zu installed catalogues for %s (once)", files->n, memories->locale);
	for (size_t i = 0; i < files->n; i++) {
		struct visit v = {memories, store_file(s, files->v[i]), files->v[i]};

		/* One damaged catalogue is no reason to do without the others. */
		if (catalog_visit(files->v[i], CATALOG_MO, visit_entry, &v, &e) < 0 &&
		    die_verbose() > 0)
			note("%s: skipped: %s", files->v[i], e.text);
	}
	store_seal(s);
}

size_t
system_load(struct memories *memories)
{
	struct store *s = &memories->tiers[TIER_SYSTEM];
	struct files files = {0};
	struct buf description = {0}, name = {0};
	size_t n;

	find_files(&files, memories->locale);
	describe(&files, memories->locale, &description);
	buf_addf(&name, "translate/system-%s.memory", memories->locale);
	char *cache = path_cache(name.ptr);
	if (files.n && (!cache || !map_cache(s, cache, buf_slice(&description)))) {
		build(memories, &files);
		if (cache)
			write_cache(s, cache, buf_slice(&description));
	}
	for (size_t i = 0; i < files.n; i++)
		free(files.v[i]);
	n = files.n;
	free(files.v);
	free(cache);
	buf_free(&name);
	buf_free(&description);
	return n;
}
