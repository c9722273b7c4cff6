#include "tools/ai/batch_part.h"

#include <ctype.h>
#include <stdio.h>

enum { PAGES = 1000 };

/* Tokens may be any bytes. */
static void
add_escaped(struct buf *out, struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.ptr[i];

		if (c < 0x80 && (isalnum(c) || (c && strchr("-._~", c))))
			buf_addc(out, (char)c);
		else
			buf_addf(out, "%%%02X", c);
	}
}

int
batch_find(struct batches *b, struct batch *batch, const char *url, const char *after,
    bool (*page)(struct batches *, const struct batch *, struct slice list, struct buf *next),
    struct failure *f)
{
	struct buf to = {0}, next = {0};
	struct answer a = {0};
	int rc = 0, pages = 0;

	do {
		struct call call = {.method = "GET", .max = BATCH_INLINE};

		buf_reset(&to);
		buf_adds(&to, url);
		if (next.len) {
			buf_addf(&to, "&%s=", after);
			add_escaped(&to, buf_slice(&next));
		}
		call.url = to.ptr;
		rc = batch_call(b, batch, &call, &a, f);
		buf_reset(&next);
		if (rc == 0 && page(b, batch, buf_slice(&a.body), &next))
			rc = 1;
	} while (rc == 0 && next.len && ++pages < PAGES);
	if (rc == 0 && next.len) {
		/* Not found is not the same as not there, and what is there was paid for. */
		*f = (struct failure){.action = ACTION_STOP, .code = "not_asked"};
		snprintf(f->text, sizeof(f->text), "it has too many batches to look through");
		rc = -1;
	}
	buf_free(&to);
	buf_free(&next);
	answer_free(&a);
	return rc;
}
