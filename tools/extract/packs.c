#include "common/path.h"
#include "tools/extract/pack.h"

#include "common/mem.h"

#include <dirent.h>
#include <stdlib.h>

static const char suffix[] = ".rules";

struct packs {
	struct pack **v; /* in order of name */
	size_t n, cap;
};

static bool
is_known(const struct packs *packs, const char *name)
{
	for (size_t i = 0; i < packs->n; i++)
		if (strcmp(pack_name(packs->v[i]), name) == 0)
			return true;
	return false;
}

/* Adds the packs of a folder whose names are new; path_data says which file serves a name. */
static void
add_folder(struct packs *packs, const char *folder)
{
	DIR *dir = folder ? opendir(folder) : NULL;
	const struct dirent *entry;

	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		struct slice file = slice(entry->d_name);
		struct buf rel = {NULL, 0, 0};
		struct pack *pack;
		struct err e = {0};
		char *name, *path;

		if (!slice_ends(file, suffix) || file.len == sizeof(suffix) - 1)
			continue;
		name = xstrndup(file.ptr, file.len - (sizeof(suffix) - 1));
		buf_addf(&rel, "extract/rules/%s", entry->d_name);
		path = is_known(packs, name) ? NULL : path_data(rel.ptr);
		if (path != NULL && (pack = pack_load(path, &e)) != NULL) {
			packs->v = xgrow(packs->v, packs->n, &packs->cap, sizeof(*packs->v));
			packs->v[packs->n++] = pack;
		} else if (path != NULL && e.line) {
			warn("%s:%zu: %s", path, e.line, e.text);
		} else if (path != NULL) {
			warn("%s: %s", path, e.text);
		}
		buf_free(&rel);
		free(name);
		free(path);
	}
	if (dir != NULL)
		closedir(dir);
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(pack_name(*(struct pack *const *)a), pack_name(*(struct pack *const *)b));
}

struct packs *
packs_open(void)
{
	struct packs *packs = xcalloc(1, sizeof(*packs));
	char *shipped = path_shipped("extract/rules"), *user = path_config("extract/rules");

	add_folder(packs, shipped);
	add_folder(packs, user);
	add_folder(packs, ".kandil/extract/rules");
	if (packs->n)
		qsort(packs->v, packs->n, sizeof(struct pack *), by_name);
	free(shipped);
	free(user);
	return packs;
}

void
packs_free(struct packs *packs)
{
	if (packs == NULL)
		return;
	for (size_t i = 0; i < packs->n; i++)
		pack_free(packs->v[i]);
	free(packs->v);
	free(packs);
}

struct pack *
packs_for(struct packs *packs, const char *filename)
{
	for (size_t i = 0; i < packs->n; i++)
		if (pack_matches(packs->v[i], filename))
			return packs->v[i];
	return NULL;
}
