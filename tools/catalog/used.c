/* Identifiers behind a dot. */
#include "tools/catalog/used.h"

#include "common/die.h"
#include "common/path.h"
#include "common/walk.h"

#include <ctype.h>

enum { SOURCE_MAX = 64 << 20 };

static bool
is_name(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

static void
scan(struct used *u, struct slice text)
{
	const char *p = text.ptr, *end = p + text.len;

	while ((p = memchr(p, '.', (size_t)(end - p)))) {
		/* l10n.title, l10n?.title, l10n!\n    .title, l10n . title */
		for (p++; p < end && isspace((unsigned char)*p);)
			p++;
		const char *start = p;
		while (p < end && is_name(*p))
			p++;
		struct slice name = {start, (size_t)(p - start)};
		if (!name.len || table_get(&u->names, name))
			continue;
		name.ptr = arena_copy(&u->arena, name.ptr, name.len);
		table_put(&u->names, name, NULL);
	}
}

static bool
is_generated(struct slice name)
{
	const char *slash = memrchr(name.ptr, '/', name.len);
	struct slice base = slash ? slice(slash + 1) : name;

	return slice_starts(base, "app_localizations") || slice_ends(base, ".g.dart");
}

static int
visit(const struct walk_file *file, void *state)
{
	struct used *u = state;
	struct slice name = slice(file->path);
	struct buf text = {0};
	struct err e;

	if (!file->operand && (!slice_ends(name, ".dart") || is_generated(name)))
		return 0;
	if (path_read(file->path, SOURCE_MAX, &text, &e) < 0) {
		warn("%s", e.text);
		u->unreadable = true;
	} else {
		scan(u, buf_slice(&text));
		u->files++;
	}
	buf_free(&text);
	return 0;
}

static void
fault(const char *path, int error, void *state)
{
	struct used *u = state;

	warn("cannot read '%s': %s", path, strerror(error));
	u->unreadable = true;
}

void
used_add(struct used *u, const char *operand)
{
	walk(operand, NULL, visit, fault, u);
}

bool
used_has(const struct used *u, struct slice name)
{
	return table_get(&u->names, name) != NULL;
}

void
used_free(struct used *u)
{
	table_free(&u->names);
	arena_free(&u->arena);
}
