/*
 * What a pack is as a whole.
 */
#include "tools/extract/pack_rule.h"

#include <stdlib.h>

const char *
pack_name(const struct pack *pack)
{
	return pack->name;
}

bool
pack_matches(const struct pack *pack, const char *filename)
{
	struct slice path = slice(filename);

	/* The globs are relative, as in .gitignore; an absolute path is read from its root. */
	while (path.len && (path.ptr[0] == '/' || slice_starts(path, "./"))) {
		size_t skip = path.ptr[0] == '/' ? 1 : 2;

		path.ptr += skip, path.len -= skip;
	}
	return glob_decide(&pack->files, path, false) > 0;
}

static void
free_rule(struct pack_rule *r)
{
	regex_free(r->match.regex);
	for (size_t i = 0; i < r->nunless; i++)
		regex_free(r->unless[i].regex);
	for (size_t i = 0; i < CAPTURES; i++)
		free(r->captures[i].v);
	free(r->at);
	free(r);
}

static void
free_mode(struct pack_mode *m)
{
	for (unsigned b = 0; b < 256; b++)
		free(m->bytes[b].v);
	for (size_t i = 0; i < m->nlists; i++)
		free(m->lists[i].v);
	for (size_t i = 0; i < m->nsuffixes; i++)
		free(m->suffixes[i].tries.v);
	free(m->suffixes);
	free(m->lists);
	free(m->names);
	table_free(&m->words);
	free(m);
}

void
pack_free(struct pack *pack)
{
	if (pack == NULL)
		return;
	for (size_t i = 0; i < pack->nrules; i++)
		free_rule(pack->rules[i]);
	for (size_t i = 0; i < pack->nmodes; i++)
		free_mode(pack->modes[i]);
	for (size_t i = 0; i < pack->nsyntaxes; i++)
		free(pack->syntaxes[i]);
	for (size_t i = 0; i < pack->nunless; i++)
		regex_free(pack->unless[i].regex);
	free(pack->rules);
	glob_free(&pack->files);
	arena_free(&pack->arena);
	pack_text_free(pack->text);
	free(pack->name);
	free(pack->file);
	free(pack);
}
