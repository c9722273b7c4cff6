/*
 * mem: allocation that never fails, and an arena for short-lived memory.
 *
 * The x* functions end the program with status 3 when memory is out, so no
 * caller checks for NULL. An arena hands out memory that is released all at
 * once: one arena serves one record and is reset for the next, so the record
 * path frees nothing and resident memory stays flat.
 */
#ifndef KANDIL_MEM_H
#define KANDIL_MEM_H

#include <stddef.h>

void *xmalloc(size_t size);
void *xcalloc(size_t count, size_t size);
void *xrealloc(void *old, size_t size);
void *xreallocarray(void *old, size_t count, size_t size);
char *xstrdup(const char *text);
/* A NUL-terminated copy of len bytes. */
char *xstrndup(const char *text, size_t len);

/*
 * Makes room for one more element in a growing array: returns the array,
 * moved if need be, when *cap elements are all in use. Amortised doubling.
 *	v = xgrow(v, n, &cap, sizeof(*v)); v[n++] = …
 */
void *xgrow(void *array, size_t used, size_t *cap, size_t size);

struct arena_block;
/* Zero-initialised is empty and ready. */
struct arena {
	struct arena_block *first, *current;
	size_t used; /* bytes taken of current */
};

/* Aligned for any type, not cleared; lives until reset or free. */
void *arena_alloc(struct arena *, size_t size);
/* A NUL-terminated copy of len bytes. */
char *arena_copy(struct arena *, const char *text, size_t len);
/* Forgets all content and keeps the blocks for the next record. */
void arena_reset(struct arena *);
void arena_free(struct arena *);

#endif
