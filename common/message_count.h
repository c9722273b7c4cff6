/*
 * message_count: what must survive a translation, counted. Private to
 * message_*.c.
 *
 * Placeholders, tags, line breaks and written escapes are items. For each
 * message the fewest and the most times are counted that a reader can meet an
 * item, over all choices of its plurals and selects; and again with one case
 * of one of them assumed, so that a placeholder lost in "few" alone is seen.
 */
#ifndef KANDIL_MESSAGE_COUNT_H
#define KANDIL_MESSAGE_COUNT_H

#include "common/message.h"

enum message_item_kind {
	MESSAGE_ITEM_PLACEHOLDER,
	MESSAGE_ITEM_OPEN,
	MESSAGE_ITEM_CLOSE,
	MESSAGE_ITEM_SELF,
	MESSAGE_ITEM_BREAK,
	MESSAGE_ITEM_ESCAPE
};

struct message_item {
	enum message_item_kind kind;
	struct slice name;
};

/* Item `item` is met `count` times in node `node` itself. */
struct message_occurrence {
	unsigned node, item, count;
};

struct message_side {
	struct message m;
	struct message_occurrence *v;
	size_t n;
	size_t *first; /* of each node: index in v; one more at the end */
};

enum { MESSAGE_ITEMS = 256 };

struct message_range {
	unsigned low, high;
};

struct message_comparison {
	struct arena *arena;
	struct message_faults *faults;
	struct message_side source, target;
	struct message_item items[MESSAGE_ITEMS];
	size_t nitems;
	bool too_many;
	struct slice locale;
	size_t budget; /* steps left, so that no message costs more than a moment */
	bool exhausted;
};

/* One plural or select, and the case of it that is looked at. */
struct message_assumption {
	struct slice argument, selector;
	bool select;
};

/* Counts what stands where in a side; its message was read. */
void message_prepare(struct message_comparison *, struct message_side *);
/*
 * The counts of all items, of the arena; a NULL assumes nothing. Where the
 * budget ends c->exhausted is set, and the counts are worth nothing.
 */
struct message_range *message_count(struct message_comparison *, const struct message_side *,
    const struct message_assumption *);
/* Takes steps off the budget; false when it has ended. */
bool message_spend(struct message_comparison *, size_t steps);

#endif
