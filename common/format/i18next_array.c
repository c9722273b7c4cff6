/* Arrays, by the template or by counting. */
#include "common/format/i18next_array.h"

enum {
	ELEMENTS = 1000000,
	PARTS = 64, /* of a path; a key of more makes no objects: readers bound their depth */
};
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
i18next_element(struct jsonfile *f, size_t array, size_t number)
{
	struct jsonfile_node *a = &f->v[array];
	size_t i = a->near, at = a->near_number;

	if (number >= a->members)
		return JSONFILE_NONE;
	if (i == JSONFILE_NONE) {
		i = a->first;
		at = 0;
	}
	for (; i != JSONFILE_NONE && at < number; at++)
		i = f->v[i].next;
	for (; i != JSONFILE_NONE && at > number; at--)
		i = f->v[i].previous;
	a->near = i;
	a->near_number = (unsigned)at;
	return i;
}

bool
i18next_is_path(struct slice key)
{
	bool start = true;
	size_t parts = 1;

	for (size_t i = 0; i < key.len; i++) {
		if (key.ptr[i] == ' ' || (start && key.ptr[i] == '.'))
			return false;
		start = key.ptr[i] == '.';
		parts += start;
	}
	return key.len && !start && parts <= PARTS;
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
		if (i18next_is_path(merge->changes[i].key))
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
i18next_is_array(struct i18next_arrays *a, struct slice path)
{
	struct jsonfile *f = &a->like;
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
