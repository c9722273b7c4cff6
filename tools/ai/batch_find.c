#include "tools/ai/batch_part.h"

#include "common/url.h"

#include <stdio.h>

enum { PAGES = 1000 };

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
			url_escape(&to, buf_slice(&next));
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
