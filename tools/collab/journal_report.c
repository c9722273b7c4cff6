#include "tools/collab/journal_part.h"

#include "common/mem.h"

#include <inttypes.h>
#include <stdlib.h>

void
report_range(struct journal_report *r, struct slice from, uint64_t first, uint64_t last)
{
	if (r->nranges == JOURNAL_RANGES) {
		r->more = true;
		return;
	}
	r->ranges[r->nranges++] =
	    (struct journal_range){xstrndup(from.ptr, from.len), first, last};
}

void
journal_report_text(const struct journal_report *r, const char *what, const char *fate,
    struct buf *out)
{
	if (r->lost && r->aside)
		buf_addf(out, "%s: %" PRIu64 " lines of it are damaged and set aside in '%s': %s",
		    what, r->lost, r->aside, fate);
	else if (r->lost)
		buf_addf(out, "%s: %" PRIu64 " lines of it are missing: %s", what, r->lost, fate);
	else if (r->aside)
		buf_addf(out,
		    "%s: a part of it was damaged and is set aside in '%s': no line is lost", what,
		    r->aside);
	else if (r->torn)
		buf_addf(out, "%s: %" PRIu64 " bytes at its end are no whole line, and are cut off",
		    what, r->torn);
	if (r->nranges == 0)
		return;
	buf_adds(out, " (");
	for (size_t i = 0; i < r->nranges; i++) {
		const struct journal_range *range = &r->ranges[i];

		buf_addf(out, "%s%" PRIu64, i ? ", " : "", range->first);
		if (range->last != range->first)
			buf_addf(out, "-%" PRIu64, range->last);
		buf_adds(out, " of '");
		buf_add_visible(out, slice(range->from));
		buf_addc(out, '\'');
	}
	buf_adds(out, r->more ? ", …)" : ")");
}

void
journal_report_free(struct journal_report *r)
{
	for (size_t i = 0; i < r->nranges; i++)
		free(r->ranges[i].from);
	free(r->aside);
	*r = (struct journal_report){0};
}
