/* A pattern, a line feed and a subject: matching ends, and captures lie in the subject. */
#include "common/regex.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_match(const struct regex *re, size_t from, size_t len)
{
	size_t start, end;

	if (!regex_capture(re, 0, &start, &end) || end != regex_end(re) ||
	    (start < from && end < from))
		abort();
	for (size_t i = 0; i <= regex_groups(re); i++)
		if (regex_capture(re, i, &start, &end) && (start > len || end > len))
			abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data, *lf = size ? memchr(text, '\n', size) : NULL;
	size_t head = lf ? (size_t)(lf - text) : size, at = 0, matches = 0;
	size_t start, end;
	struct regex_subject subject;
	bool first[256], known;
	struct regex *re;
	struct err e;

	if (size > 4096 || lf == NULL)
		return -1;
	re = regex_compile((struct slice){text, head}, REGEX_DUPNAMES, &e);
	if (re == NULL)
		return 0;
	known = regex_first(re, first);
	if (regex_subject(&subject, (struct slice){lf + 1, size - head - 1}, &e) == 0) {
		while (matches++ < 20 && at <= subject.text.len && regex_match(re, &subject, at, &e) == 1) {
			check_match(re, at, subject.text.len);
			if (known && regex_capture(re, 0, &start, &end) &&
			    start < subject.text.len &&
			    !first[(unsigned char)subject.text.ptr[start]] &&
			    memmem(text, head, "\\K", 2) == NULL)
				abort();
			at = regex_end(re) > at ? regex_end(re) : at + 1;
			while (at < subject.text.len && (subject.text.ptr[at] & 0xC0) == 0x80)
				at++;
		}
	}
	regex_free(re);
	return 0;
}
