/* Arrays, by the template or by counting. */
#include "common/format/i18next_array.h"

enum { ELEMENTS = 1000000 };
#define GAP UINT64_MAX

size_t
i18next_number(struct slice part)
{
	size_t number = 0;

	if (!part.len || (part.len > 1 && *part.ptr == '0'))
		return SIZE_MAX;
	for (size_t i = 0; i < part.len; i++) {
		if (part.ptr[i] < '0' || part.ptr[i] > '9' || number > ELEMENTS)
			return SIZE_MAX;
		number = number * 10 + (size_t)(part.ptr[i] - '0');
	}
	return number;
}

size_t
i18next_element(const struct jsonfile *f, size_t array, size_t number)
{
	size_t i = f->v[array].first;

	if (number >= f->v[array].members)
		return JSONFILE_NONE;
	while (i != JSONFILE_NONE && number--)
		i = f->v[i].next;
	return i;
}

/* Takes the next part of a path; false at its end. */
static bool
next_part(struct slice *rest, struct slice *part)
{
	const char *dot;

	if (!rest->ptr)
		return false;
	dot = memchr(rest->ptr, '.', rest->len);
	*part = *rest;
	if (dot) {
		part->len = (size_t)(dot - rest->ptr);
		*rest = (struct slice){dot + 1, rest->len - part->len - 1};
	} else {
		rest->ptr = NULL;
	}
	return true;
}

/* Counts the numbers that follow each path within a key. */
static void
count(struct i18next_arrays *a, struct slice key)
{
	struct slice rest = key, part;
	bool added;

	while (next_part(&rest, &part)) {
		struct slice path = {key.ptr, (size_t)(part.ptr - key.ptr)};
		if (!path.len)
			continue;
		path.len--; /* the dot */
		size_t number = i18next_number(part);
		uint64_t *next = table_put(&a->next, path, &added);
		if (added)
			*next = 0;
		if (*next != GAP && number == *next)
			++*next;
		else if (number == SIZE_MAX || number + 1 != *next)
			*next = GAP;
	}
}

void
i18next_arrays_open(struct i18next_arrays *a, const struct catalog_merge *merge)
{
	*a = (struct i18next_arrays){.liked = merge->source != NULL};
	if (a->liked && jsonfile_open(&a->like, merge->source->text, NULL) < 0) {
		jsonfile_free(&a->like);
		a->liked = false;
	}
	for (size_t i = 0; i < merge->n; i++)
		count(a, merge->changes[i].key);
}

void
i18next_arrays_free(struct i18next_arrays *a)
{
	if (a->liked)
		jsonfile_free(&a->like);
	table_free(&a->next);
}

bool
i18next_is_array(const struct i18next_arrays *a, struct slice path)
{
	const struct jsonfile *f = &a->like;
	const uint64_t *next = table_get(&a->next, path);
	struct slice rest = path, part;
	size_t at = 0;

	while (a->liked && at != JSONFILE_NONE && next_part(&rest, &part))
		at = f->v[at].type == JSON_ARRAY ? i18next_element(f, at, i18next_number(part))
						 : jsonfile_child(f, at, part);
	if (a->liked && at != JSONFILE_NONE)
		return f->v[at].type == JSON_ARRAY;
	return next && *next != GAP;
}
