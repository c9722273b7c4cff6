#include "common/mem.h"

#include "common/die.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* A size in which products and sums went wrong is refused with the same words. */
static _Noreturn void
out_of_memory(void)
{
	die(STATUS_FAILED, "out of memory");
}

void *
xmalloc(size_t size)
{
	void *p = malloc(size ? size : 1);

	if (p == NULL)
		out_of_memory();
	return p;
}

void *
xcalloc(size_t count, size_t size)
{
	void *p = calloc(count ? count : 1, size ? size : 1);

	if (p == NULL)
		out_of_memory();
	return p;
}

void *
xrealloc(void *old, size_t size)
{
	void *p = realloc(old, size ? size : 1);

	if (p == NULL)
		out_of_memory();
	return p;
}

void *
xreallocarray(void *old, size_t count, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(count, size, &bytes))
		out_of_memory();
	return xrealloc(old, bytes);
}

char *
xstrdup(const char *text)
{
	return xstrndup(text, strlen(text));
}

char *
xstrndup(const char *text, size_t len)
{
	char *copy = xmalloc(len + 1);

	if (len)
		memcpy(copy, text, len);
	copy[len] = '\0';
	return copy;
}

void *
xgrow(void *array, size_t used, size_t *cap, size_t size)
{
	if (used < *cap)
		return array;
	if (__builtin_mul_overflow(*cap, (size_t)2, cap))
		out_of_memory();
	if (*cap < 16)
		*cap = 16;
	return xreallocarray(array, *cap, size);
}

/* Blocks form a list; those after current are empty, kept from earlier rounds. */
struct arena_block {
	struct arena_block *next;
	size_t size;
	alignas(max_align_t) char bytes[];
};

enum { ARENA_BLOCK = 16 * 1024 };

static struct arena_block *
block_new(size_t size)
{
	struct arena_block *b;
	size_t bytes;

	if (size < ARENA_BLOCK)
		size = ARENA_BLOCK;
	if (__builtin_add_overflow(size, sizeof(*b), &bytes))
		out_of_memory();
	b = xmalloc(bytes);
	b->next = NULL;
	b->size = size;
	return b;
}

/* Makes a block with room for size current: the next kept one, or a new one. */
static void
arena_advance(struct arena *a, size_t size)
{
	struct arena_block *next = a->current ? a->current->next : a->first;

	if (next == NULL || next->size < size) {
		struct arena_block *fresh = block_new(size);

		fresh->next = next;
		if (a->current)
			a->current->next = fresh;
		else
			a->first = fresh;
		next = fresh;
	}
	a->current = next;
	a->used = 0;
}

void *
arena_alloc(struct arena *a, size_t size)
{
	const size_t align = alignof(max_align_t);
	void *p;

	if (size > SIZE_MAX - align)
		out_of_memory();
	size = (size + align - 1) & ~(align - 1);
	if (a->current == NULL || a->current->size - a->used < size)
		arena_advance(a, size);
	p = a->current->bytes + a->used;
	a->used += size;
	return p;
}

char *
arena_copy(struct arena *a, const char *text, size_t len)
{
	char *copy = arena_alloc(a, len + 1);

	if (len)
		memcpy(copy, text, len);
	copy[len] = '\0';
	return copy;
}

void
arena_reset(struct arena *a)
{
	a->current = a->first;
	a->used = 0;
}

void
arena_free(struct arena *a)
{
	struct arena_block *b = a->first, *next;

	for (; b; b = next) {
		next = b->next;
		free(b);
	}
	*a = (struct arena){0};
}
