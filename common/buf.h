/*
 * buf: growing bytes, and slices that point into somebody else's.
 *
 * A buf owns its bytes. ptr is never NULL after the first addition, and
 * ptr[len] is always NUL, so a buf may be printed as a string. A slice is
 * (pointer, length), owns nothing, and is not NUL-terminated.
 */
#ifndef KANDIL_BUF_H
#define KANDIL_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct slice {
	const char *ptr;
	size_t len;
};

/* Zero-initialised is empty and ready. */
struct buf {
	char *ptr;
	size_t len, cap;
};

/* A slice of a string literal, usable as an initialiser. */
#define S(literal) ((struct slice){"" literal, sizeof(literal) - 1})

static inline struct slice
slice(const char *text)
{
	return (struct slice){text, text ? strlen(text) : 0};
}

static inline bool
slice_eq(struct slice a, struct slice b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static inline bool
slice_is(struct slice a, const char *text)
{
	return slice_eq(a, slice(text));
}

static inline bool
slice_starts(struct slice a, const char *prefix)
{
	size_t n = strlen(prefix);

	return a.len >= n && memcmp(a.ptr, prefix, n) == 0;
}

static inline bool
slice_ends(struct slice a, const char *suffix)
{
	size_t n = strlen(suffix);

	return a.len >= n && memcmp(a.ptr + a.len - n, suffix, n) == 0;
}

/* memcmp order, the shorter first: the order of sorted output everywhere. */
int slice_cmp(struct slice a, struct slice b);
/* Without leading and trailing ASCII white space. */
struct slice slice_trim(struct slice);

/*
 * Takes the next line off rest, without its LF or CRLF; false when rest is
 * empty. A last line without an end counts.
 */
bool slice_line(struct slice *rest, struct slice *line);

static inline struct slice
buf_slice(const struct buf *b)
{
	return (struct slice){b->ptr ? b->ptr : "", b->len};
}

/* Makes room for more bytes beyond len (and the NUL); returns ptr + len. */
char *buf_room(struct buf *, size_t more);
void buf_add(struct buf *, const void *bytes, size_t len);
void buf_adds(struct buf *, const char *text);
void buf_addslice(struct buf *, struct slice);
void buf_addc(struct buf *, char);
void buf_addf(struct buf *, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Appends the UTF-8 of a code point; a surrogate or > 10FFFF becomes U+FFFD. */
void buf_addutf8(struct buf *, uint32_t codepoint);
/*
 * Appends text that a terminal may show: control characters (C0, DEL, C1) and
 * bytes that are not UTF-8 become '?', a tab a blank.
 */
void buf_add_visible(struct buf *, struct slice);
/*
 * Appends words, which blanks part, in lines of at most width columns (one a code point). The
 * first begins at that column; the others are indented. A longer word has a line of its own.
 */
void buf_add_wrapped(struct buf *, struct slice words, size_t column, size_t indent, size_t width);
/* Replaces the bytes [at, at+drop) by the slice, which must not point into b. */
void buf_splice(struct buf *, size_t at, size_t drop, struct slice with);
/* Shortens to len bytes. */
void buf_cut(struct buf *, size_t len);
void buf_reset(struct buf *);
/* The bytes, NUL-terminated, now the caller's to free; b is empty again. */
char *buf_detach(struct buf *);
void buf_free(struct buf *);

/*
 * Decodes the code point at text[0..len), len > 0: its byte length, or 0
 * when the bytes are not UTF-8 (overlong, surrogate, truncated).
 */
size_t utf8_decode(const char *text, size_t len, uint32_t *codepoint);
/* Length of the longest valid UTF-8 prefix; len when all is valid. */
size_t utf8_valid(const char *text, size_t len);
/* The same as buf_add_visible, in place: the new length, never a longer one. */
size_t utf8_visible(char *text, size_t len);
/* Code points in valid UTF-8: the bytes that are no continuation bytes. */
size_t utf8_count(const char *text, size_t len);

#endif
