#include "tools/catalog/percent.h"

#include "common/message.h"

bool
percent_is_lone(const struct catalog *c, const struct catalog_entry *e)
{
	size_t base = c->bom ? 3 : 0, n;
	struct message_placeholder *v;
	struct arena arena = {0};
	struct slice text;
	struct message m;
	int dialect = message_dialect_of(slice(e->format));

	if (!e->nvalues || c->format < CATALOG_ANDROID || dialect < 0 ||
	    message_parse(e->values[0], (unsigned)dialect, &arena, &m, NULL) < 0)
		return false;
	n = message_placeholders(&m, &arena, &v);
	arena_free(&arena);
	text = e->values[0];
	/* Android's reader has made one text of "%" and "%%" where nothing formats it. */
	if (c->format == CATALOG_ANDROID)
		text = (struct slice){c->text.ptr + e->value_span.start - base,
		    e->value_span.end - e->value_span.start};
	else if (dialect == MESSAGE_PRINTF)
		return false;
	for (size_t i = 0; i < text.len && n == 0; i++) {
		if (text.ptr[i] != '%')
			continue;
		if (i + 1 == text.len || text.ptr[i + 1] != '%')
			return true;
		i++;
	}
	return false;
}
