#include "tools/extract/entity.h"

#include "common/hash.h"
#include "common/path.h"

#include <stdlib.h>

enum { NAME = 32, DATA = 64 << 10 }; /* bytes of a reference, of the data file */

static struct table names;

/* The value of a hexadecimal or decimal number, or UINT32_MAX where it is none. */
static uint32_t
number(struct slice digits, unsigned base)
{
	uint32_t value = 0;

	for (size_t i = 0; i < digits.len; i++) {
		char c = digits.ptr[i], letter = (char)(c | 32);
		unsigned digit = c >= '0' && c <= '9' ? (unsigned)(c - '0') :
		    letter >= 'a' && letter <= 'f' ? (unsigned)(letter - 'a') + 10 : 99;

		if (digit >= base || value > 0x10FFFF)
			return UINT32_MAX;
		value = value * base + digit;
	}
	return digits.len ? value : UINT32_MAX;
}

/* Lines of a name, a tab and a code point in hexadecimal. Without the file no name is known. */
static void
load(void)
{
	static bool loaded;
	static struct buf data;
	char *file = loaded ? NULL : path_data("extract/rules/entities.tsv");
	struct slice rest;

	loaded = true;
	if (file == NULL || path_read(file, DATA, &data, NULL) != 0) {
		free(file);
		return;
	}
	free(file);
	for (rest = buf_slice(&data); rest.len;) {
		const char *lf = memchr(rest.ptr, '\n', rest.len), *tab;
		struct slice line = {rest.ptr, lf ? (size_t)(lf - rest.ptr) : rest.len};

		tab = memchr(line.ptr, '\t', line.len);
		if (tab != NULL && line.ptr[0] != '#') {
			size_t len = (size_t)(tab - line.ptr);

			*table_put(&names, (struct slice){line.ptr, len}, NULL) =
			    number((struct slice){tab + 1, line.len - len - 1}, 16);
		}
		line.len += lf != NULL;
		rest.ptr += line.len, rest.len -= line.len;
	}
}

size_t
entity_read(struct slice text, uint32_t *codepoint)
{
	const char *end = text.len > 2 && text.ptr[0] == '&'
	    ? memchr(text.ptr, ';', text.len < NAME ? text.len : NAME) : NULL;
	struct slice name;
	uint64_t *known;

	if (end == NULL)
		return 0;
	name = (struct slice){text.ptr + 1, (size_t)(end - text.ptr - 1)};
	if (slice_starts(name, "#x") || slice_starts(name, "#X")) {
		*codepoint = number((struct slice){name.ptr + 2, name.len - 2}, 16);
	} else if (slice_starts(name, "#")) {
		*codepoint = number((struct slice){name.ptr + 1, name.len - 1}, 10);
	} else {
		load();
		known = table_get(&names, name);
		*codepoint = known ? (uint32_t)*known : UINT32_MAX;
	}
	return *codepoint <= 0x10FFFF ? name.len + 2 : 0;
}
