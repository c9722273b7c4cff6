#include "tools/extract/package.h"

#include "common/hash.h"
#include "common/mem.h"
#include "common/path.h"
#include "common/walk.h"
#include "tools/extract/project.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	CACHE_FILE = 32 << 20, /* bytes of a package's cache */
	ABOVE = 64,	       /* folders that are looked into for a pubspec.yaml */
};

/* Makes path the folder that it is in; "." for a bare name. */
static void
cut_name(char *path)
{
	char *slash = strrchr(path, '/');

	if (slash == NULL)
		memcpy(path, ".", 2);
	else if (slash == path)
		path[1] = '\0';
	else
		*slash = '\0';
}

char *
package_root(const char *file)
{
	char *given = xstrdup(*file ? file : ".");

	cut_name(given);
	char *folder = realpath(given, NULL);
	free(given);
	for (int i = 0; folder != NULL && i < ABOVE; i++) {
		char *pubspec = path_join(folder, "pubspec.yaml");
		bool found = access(pubspec, F_OK) == 0;
		free(pubspec);
		if (found)
			return folder;
		if (strcmp(folder, "/") == 0)
			break;
		cut_name(folder);
	}
	free(folder);
	return NULL;
}

struct cache {
	struct files *files;
	const char *root;
	struct buf old;	    /* the cache file */
	struct table kept;  /* "path\tstamp" → offset of its facts in old */
	struct buf fresh;   /* what the cache file shall be */
	struct buf header;  /* its first line */
	struct buf key;
	size_t hits, files_seen;
};

/* The first line: a cache of another version, or of other words, is foreign. */
static void
make_header(struct cache *c)
{
	buf_addf(&c->header, "kandil-names\t1\t%s\t%016llx\n", KANDIL_VERSION,
	    (unsigned long long)words_hash(c->files->words));
}

/* The end of the facts that start at `at`: the next file's line, or the end. */
static size_t
facts_end(struct slice text, size_t at)
{
	while (at < text.len && memcmp(text.ptr + at, "file\t", 5) != 0) {
		const char *lf = memchr(text.ptr + at, '\n', text.len - at);
		at = lf ? (size_t)(lf - text.ptr) + 1 : text.len;
		if (text.len - at < 5)
			return text.len;
	}
	return at;
}

static void
load(struct cache *c, const char *name)
{
	if (path_read(name, CACHE_FILE, &c->old, NULL) != 0 ||
	    c->old.len < c->header.len ||
	    memcmp(c->old.ptr, c->header.ptr, c->header.len) != 0) {
		buf_reset(&c->old);
		return;
	}
	struct slice text = buf_slice(&c->old);
	for (size_t at = facts_end(text, c->header.len); at < text.len;) {
		const char *lf = memchr(text.ptr + at, '\n', text.len - at);
		if (lf == NULL)
			return;
		size_t facts = (size_t)(lf - text.ptr) + 1;
		struct slice key = {text.ptr + at + 5, facts - at - 6};
		*table_put(&c->kept, key, NULL) = facts;
		at = facts_end(text, facts);
	}
}

static int
visit(const struct walk_file *file, void *state)
{
	struct cache *c = state;
	struct stat st;
	uint64_t *kept;

	if (!files_is_dart(file->path) || !files_wants(c->files, file->path, c->root))
		return 0;
	int fd = walk_open(file);
	if (fd < 0 || fstat(fd, &st) != 0 || strpbrk(file->path, "\t\n") != NULL) {
		if (fd >= 0)
			close(fd);
		return 0;
	}
	buf_reset(&c->key);
	buf_addf(&c->key, "%s\t%lld\t%lld.%09ld", file->path, (long long)st.st_size,
	    (long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
	buf_addf(&c->fresh, "file\t%s\n", c->key.ptr);
	c->files_seen++;
	kept = table_get(&c->kept, buf_slice(&c->key));
	if (kept == NULL) {
		project_learn_file(c->files, fd, file->path, &c->fresh);
		return 0;
	}
	close(fd);
	c->hits++;
	buf_add(&c->fresh, c->old.ptr + *kept, facts_end(buf_slice(&c->old), *kept) - *kept);
	return 0;
}

/* The cache file of a package: the caller frees. NULL: there is no cache. */
static char *
cache_name(const char *root)
{
	char rel[64];

	snprintf(rel, sizeof(rel), "extract/%016llx.names",
	    (unsigned long long)hash_stable(slice(root)));
	return path_cache(rel);
}

void
package_learn(struct files *f, const char *root, struct names *names)
{
	struct cache c = {.files = f, .root = root};
	char *name = cache_name(root);

	make_header(&c);
	if (name != NULL)
		load(&c, name);
	buf_addslice(&c.fresh, buf_slice(&c.header));
	walk(root, NULL, visit, project_no_fault, &c);
	names_add(names, buf_slice(&c.fresh));
	/* A cache that cannot be written costs time, nothing else. */
	if (name != NULL && (c.hits < c.files_seen || c.kept.used != c.files_seen))
		path_replace(name, buf_slice(&c.fresh), NULL, NULL);
	free(name);
	table_free(&c.kept);
	buf_free(&c.old);
	buf_free(&c.fresh);
	buf_free(&c.header);
	buf_free(&c.key);
}
