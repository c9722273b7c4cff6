/*
 * incoming: the string records that are to be written, kept until all are
 * there: a catalogue is written once, in the order of the stream.
 */
#ifndef KANDIL_CATALOG_INCOMING_H
#define KANDIL_CATALOG_INCOMING_H

#include "common/format/catalog.h"
#include "common/record.h"

struct incoming_message {
	struct slice key, value; /* value.ptr NULL: the source is not known */
	const char *format;	 /* static: a name of message_dialect_of's */
	struct slice context, description;
	struct slice file;	   /* where it was found */
	struct slice placeholders; /* raw JSON array, len 0: none */
	struct slice translations; /* raw JSON object, len 0: none */
};

struct incoming {
	struct incoming_message *v;
	size_t n, cap;
	struct table by_key;
	char **locales; /* canonical, sorted, each once */
	size_t nlocales, locales_cap;
	struct arena arena;
	struct buf text;
};

/*
 * Takes a string record, or fails it: without a key, with a key that another
 * text has already, with the name of a locale that is none.
 */
void incoming_add(struct incoming *, struct record *);
/* Sorts the locales. */
void incoming_settle(struct incoming *);
void incoming_free(struct incoming *);

/* One translation of a message as it was offered. */
struct incoming_translation {
	bool there; /* it has a text, and is not missing */
	struct slice value; /* the arena's */
	enum catalog_state state;
	bool stale;
	struct slice replaces; /* the text whose place it takes, a person's too; ptr NULL: none */
};
/* That of the locale, in any spelling. */
void incoming_translation(const struct incoming_message *, const char *locale, struct arena *,
    struct incoming_translation *);

#endif
