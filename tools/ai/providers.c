#include "tools/ai/providers.h"

#include "common/mem.h"
#include "common/opt.h"
#include "common/path.h"

#include <stdio.h>
#include <stdlib.h>

enum { TABLE_SIZE = 1 << 20, FIELDS = 7 };

/* The next field of a line; one that says "-" has no ptr. */
static bool
take_field(struct slice *line, struct slice *field)
{
	const char *tab;

	if (line->ptr == NULL)
		return false;
	tab = memchr(line->ptr, '\t', line->len);
	*field = slice_trim((struct slice){line->ptr, tab ? (size_t)(tab - line->ptr) : line->len});
	if (slice_is(*field, "-"))
		*field = (struct slice){NULL, 0};
	*line = tab ? (struct slice){tab + 1, line->len - (size_t)(tab + 1 - line->ptr)}
		    : (struct slice){NULL, 0};
	return true;
}

static int
read_line(struct slice line, struct provider *p, struct err *e)
{
	struct slice field[FIELDS];
	size_t n = 0;

	while (n < FIELDS && take_field(&line, &field[n]))
		n++;
	if (n < FIELDS || line.ptr)
		return err_set(e, "bad_providers", "%d fields between tabs are wanted", FIELDS);
	if (field[0].ptr == NULL || memchr(field[0].ptr, '/', field[0].len) ||
	    memchr(field[0].ptr, ':', field[0].len))
		return err_set(e, "bad_providers", "a provider's name has neither / nor :");
	*p = (struct provider){.protocol = protocol_find(field[1]),
	    .base = field[2],
	    .keys = field[3],
	    .auth = field[4].ptr ? field[4] : S("bearer"),
	    .base_env = field[5],
	    .model = field[6]};
	if (p->protocol == NULL)
		return err_set(e, "bad_providers", "unknown protocol, '%.*s'", (int)field[1].len,
		    field[1].ptr ? field[1].ptr : "");
	p->name = xstrndup(field[0].ptr, field[0].len);
	return 0;
}

static int
read_table(struct providers *t, const char *name, struct buf *text, struct err *e)
{
	struct slice rest, line;
	size_t number = 0;

	if (path_read(name, TABLE_SIZE, text, e) < 0)
		return -1;
	rest = buf_slice(text);
	while (slice_line(&rest, &line)) {
		struct provider p;
		struct err why;

		number++;
		if (slice_trim(line).len == 0 || line.ptr[0] == '#')
			continue;
		if (read_line(line, &p, &why) < 0) {
			e->line = number;
			return err_set(e, "bad_providers", "%s:%zu: %s", name, number, why.text);
		}
		if (providers_find(t, slice(p.name))) {
			free(p.name);
			continue;
		}
		t->v = xgrow(t->v, t->n, &t->cap, sizeof(*t->v));
		t->v[t->n++] = p;
	}
	return 0;
}

int
providers_read(struct providers *t, struct err *e)
{
	char *own = path_config("ai/providers.tsv");
	char *shipped = path_shipped("ai/providers.tsv");
	FILE *there = own ? fopen(own, "re") : NULL;
	int rc = 0;

	*t = (struct providers){0};
	if (there) {
		fclose(there);
		rc = read_table(t, own, &t->text[1], e);
	}
	if (rc == 0)
		rc = read_table(t, shipped, &t->text[0], e);
	free(own);
	free(shipped);
	return rc;
}

const struct provider *
providers_find(const struct providers *t, struct slice name)
{
	for (size_t i = 0; i < t->n; i++)
		if (slice_is(name, t->v[i].name))
			return &t->v[i];
	return NULL;
}

static const char *
next_name(size_t i, const void *state)
{
	const struct providers *t = state;

	return i < t->n ? t->v[i].name : NULL;
}

const char *
providers_nearest(const struct providers *t, struct slice word)
{
	char *copy = xstrndup(word.ptr, word.len);
	const char *near = opt_nearest(copy, next_name, t);

	free(copy);
	return near;
}

const char *
providers_env(struct slice names, struct slice *which)
{
	while (names.len) {
		const char *comma = memchr(names.ptr, ',', names.len);
		struct slice one = {names.ptr, comma ? (size_t)(comma - names.ptr) : names.len};
		char *name = xstrndup(one.ptr, one.len);
		const char *value = getenv(name);

		free(name);
		if (value && *value) {
			if (which)
				*which = one;
			return value;
		}
		names.ptr += one.len + (comma != NULL);
		names.len -= one.len + (comma != NULL);
	}
	return NULL;
}

void
providers_free(struct providers *t)
{
	for (size_t i = 0; i < t->n; i++)
		free(t->v[i].name);
	free(t->v);
	buf_free(&t->text[0]);
	buf_free(&t->text[1]);
	*t = (struct providers){0};
}
