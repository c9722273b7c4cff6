#include "tools/translate/project.h"

#include "common/format/arb.h"
#include "common/format/l10n.h"
#include "common/mem.h"
#include "common/path.h"

#include <dirent.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct project {
	struct table *keys; /* of each target: key → index in entries */
	size_t targets;
	struct project_entry *entries;
	size_t n, cap;
	struct arena arena; /* all texts */
	unsigned dialect;   /* of ARB: what l10n.yaml says */
	char *template;	    /* the ARB file of the source language, or NULL */
};

static struct slice
keep(struct project *p, struct slice text)
{
	return (struct slice){arena_copy(&p->arena, text.ptr ? text.ptr : "", text.len), text.len};
}

/* Enters an entry by key and as memory; a nearer locale's entry wins. */
static void
enter(struct project *p, struct loader *loader, size_t target, struct slice key,
    struct project_entry entry, uint32_t file, int distance)
{
	struct store *store = &loader->targets[target].tiers[TIER_PROJECT];
	bool added;

	if (distance >= STORE_OTHER && entry.state > CATALOG_FUZZY)
		entry.state = CATALOG_FUZZY;
	entry.source = keep(p, entry.source);
	entry.target = keep(p, entry.target);
	store_add(store, &(struct addition){.source = entry.source, .target = entry.target,
	    .dialect = entry.dialect, .distance = (unsigned)distance,
	    .state = entry.stale ? CATALOG_FUZZY : entry.state,
	    .file = file});
	uint64_t *index = table_put(&p->keys[target], keep(p, key), &added);
	if (!added && distance > 0)
		return;
	p->entries = xgrow(p->entries, p->n, &p->cap, sizeof(*p->entries));
	*index = p->n;
	p->entries[p->n++] = entry;
}

/* Whether the hash that the file remembers is another text's. */
static bool
source_changed(const struct catalog_entry *e, struct slice source)
{
	struct buf now = {0};

	if (!e->was_hash.len)
		return false;
	arb_hash(source, &now);
	bool changed = !slice_eq(buf_slice(&now), e->was_hash);
	buf_free(&now);
	return changed;
}

static void
enter_catalog(struct project *p, struct loader *loader, const struct catalog *c,
    const struct catalog *sources, const char *file)
{
	struct buf source = {0}, target = {0};

	for (size_t t = 0; t < loader->n; t++) {
		int distance = load_distance(loader->targets[t].locale, c->locale);
		uint32_t at =
		    distance < 0 ? 0 : store_file(&loader->targets[t].tiers[TIER_PROJECT], file);

		for (size_t i = 0; distance >= 0 && i < c->n; i++) {
			const struct catalog_entry *e = &c->entries[i];
			const struct catalog_entry *from =
			    sources ? catalog_find(sources, e->key) : e;
			int dialect = sources
					  ? (int)p->dialect
					  : message_dialect_of(slice(catalog_message_format(c, e)));

			buf_reset(&source);
			buf_reset(&target);
			if (!from || e->obsolete || e->state <= CATALOG_MISSING || dialect < 0 ||
			    !(sources ? catalog_message(sources, from, &source)
				      : catalog_source_message(c, e, &source)) ||
			    !catalog_message(c, e, &target))
				continue;
			enter(p, loader, t, e->key,
			    (struct project_entry){.source = buf_slice(&source),
				.target = buf_slice(&target),
				.dialect = (unsigned)dialect,
				.state = e->state,
				.file = file,
				.stale = e->stale || source_changed(e, buf_slice(&source))},
			    at, distance);
		}
	}
	buf_free(&source);
	buf_free(&target);
}

static int
read_file(struct project *p, struct loader *loader, const char *name, struct err *e)
{
	struct catalog c = {0}, sources = {0};
	const char *file = arena_copy(&p->arena, name, strlen(name));
	int status = catalog_read(name, CATALOG_AUTO, &c, e);
	bool wanted = false;

	for (size_t t = 0; status == 0 && t < loader->n; t++)
		wanted |= load_distance(loader->targets[t].locale, c.locale) >= 0;
	if (wanted && c.format == CATALOG_ARB) {
		char *source = p->template ? xstrdup(p->template)
					   : load_arb_source(name, loader->from);
		/* Without the source's texts a catalogue only has keys: of no use here. */
		if (strcmp(source, name) != 0 &&
		    catalog_read(source, CATALOG_ARB, &sources, e) == 0)
			enter_catalog(p, loader, &c, &sources, file);
		catalog_free(&sources);
		free(source);
	} else if (wanted) {
		enter_catalog(p, loader, &c, NULL, file);
	}
	catalog_free(&c);
	return status;
}

static int
is_catalog(const struct dirent *entry)
{
	struct slice name = slice(entry->d_name);

	return *name.ptr != '.' && (slice_ends(name, ".arb") || slice_ends(name, ".po"));
}

static void
read_path(struct project *p, struct loader *loader, const char *name, bool *failed)
{
	struct dirent **list = NULL;
	struct stat st;
	struct err e = {0};
	int n;

	if (stat(name, &st) == 0 && S_ISDIR(st.st_mode)) {
		n = scandir(name, &list, is_catalog, alphasort);
		if (n < 0) {
			warn("cannot read the folder, '%s':", name);
			*failed = true;
		}
		for (int i = 0; i < n; i++) {
			char *path = path_join(name, list[i]->d_name);
			read_path(p, loader, path, failed);
			free(path);
			free(list[i]);
		}
		free(list);
	} else if (read_file(p, loader, name, &e) < 0) {
		load_blame(name, &e);
		warn("%s", e.text);
		*failed = true;
	}
}

/* The folder that l10n.yaml names, its template and dialect; NULL: no such file. */
static char *
read_l10n(struct project *p)
{
	struct l10n l;
	struct err e = {0};
	char *folder = NULL;

	if (l10n_read(".", &l, &e) < 0) {
		warn("%s", e.text);
	} else if (l.found) {
		folder = xstrdup(l.arb_dir);
		p->template = path_join(folder, l.template);
		p->dialect = l.dialect;
	}
	l10n_free(&l);
	return folder;
}

struct project *
project_load(struct loader *loader, const char *const *names, size_t n, bool *failed)
{
	static const char *const usual[] = {"lib/l10n", "po", "locale", NULL};
	struct project *p = xcalloc(1, sizeof(*p));
	char *folder = read_l10n(p);

	p->dialect |= MESSAGE_ARB;
	p->targets = loader->n;
	p->keys = xcalloc(loader->n + 1, sizeof(*p->keys));
	for (size_t i = 0; i < n; i++)
		read_path(p, loader, names[i], failed);
	if (!n && folder && access(folder, F_OK) == 0)
		read_path(p, loader, folder, failed);
	for (size_t i = 0; !n && !folder && usual[i]; i++)
		if (access(usual[i], F_OK) == 0)
			read_path(p, loader, usual[i], failed);
	free(folder);
	return p;
}

const struct project_entry *
project_find(const struct project *p, size_t target, struct slice key)
{
	const uint64_t *index = key.len ? table_get(&p->keys[target], key) : NULL;

	return index ? &p->entries[*index] : NULL;
}

void
project_free(struct project *p)
{
	for (size_t t = 0; t < p->targets; t++)
		table_free(&p->keys[t]);
	free(p->keys);
	free(p->entries);
	free(p->template);
	arena_free(&p->arena);
	free(p);
}
