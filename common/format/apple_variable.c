#include "common/format/apple_variable.h"

#include <ctype.h>

size_t
apple_variable(struct slice s, size_t at, struct slice *name, size_t *position)
{
	size_t i = at + 1, digits = i;
	const char *end;

	*position = 0;
	while (i < s.len && isdigit((unsigned char)s.ptr[i]) && i - digits < 3)
		*position = *position * 10 + (size_t)(s.ptr[i++] - '0');
	if (i > digits && i < s.len && s.ptr[i] == '$') {
		i++;
	} else {
		i = digits;
		*position = 0;
	}
	if (i + 1 >= s.len || s.ptr[i] != '#' || s.ptr[i + 1] != '@')
		return 0;
	end = memchr(s.ptr + i + 2, '@', s.len - i - 2);
	if (!end)
		return 0;
	*name = (struct slice){s.ptr + i + 2, (size_t)(end - s.ptr) - i - 2};
	return (size_t)(end - s.ptr) + 1 - at;
}

const char *
apple_variable_only(struct slice s, struct apple_variable *v)
{
	struct slice name;
	size_t n, position, found = 0;
	const char *p = s.ptr, *end = s.ptr + s.len;

	*v = (struct apple_variable){.name = {"", 0}, .before = {"", 0}, .after = {"", 0}};
	while (p < end && (p = memchr(p, '%', (size_t)(end - p))) != NULL) {
		size_t at = (size_t)(p - s.ptr);
		if ((n = apple_variable(s, at, &name, &position))) {
			if (found++)
				return "it has several variables";
			v->name = name;
			v->position = position;
			v->before = (struct slice){s.ptr, at};
			v->after = (struct slice){s.ptr + at + n, s.len - at - n};
			p += n;
		} else {
			p += p + 1 < end && p[1] == '%' ? 2 : 1;
		}
	}
	return found ? NULL : "its format names no variable";
}
