/*
 * message_parse: what the readers of the dialects share. Private to message*.c.
 */
#ifndef KANDIL_MESSAGE_PARSE_H
#define KANDIL_MESSAGE_PARSE_H

#include "common/message.h"

struct message_reader {
	struct slice text;
	unsigned dialect;
	struct arena *arena;
	struct message_node *nodes;
	size_t n, cap;
	size_t at; /* byte to be read next */
	unsigned depth;
	bool in_tag; /* an attribute's placeholder was read: its tag is not closed yet */
	struct err *e;
};

static inline unsigned
message_base(unsigned dialect)
{
	return dialect & 15U;
}

/* Always -1: the message is wrong at that byte. */
int message_wrong(struct message_reader *, size_t at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The index of a new node, or -1 when there are too many. */
long message_add(struct message_reader *, enum message_type, size_t start, size_t end,
    struct slice name);
/*
 * Adds [start, end) as text, with the HTML tags in it as nodes of their own.
 * before_placeholder: an attribute may go on in what follows.
 */
int message_add_text(struct message_reader *, size_t start, size_t end, bool before_placeholder);

int message_read_icu(struct message_reader *);
int message_read_printf(struct message_reader *);
int message_read_i18next(struct message_reader *);

/*
 * The byte after the quoted run that starts at the apostrophe at, or at + 1
 * where it quotes nothing. SIZE_MAX: ARB escaping, and the apostrophe is
 * alone. pound: # may be quoted too.
 */
size_t message_quoted_end(struct slice text, size_t at, unsigned dialect, bool pound);

/* {name} or {name, …} starts here: what relaxed ARB takes for a placeholder. */
bool message_name_follows(struct slice text, size_t brace);

#endif
