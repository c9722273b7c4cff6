/*
 * printf_message: messages as printf has them, %1$s and %2$d, for Android and
 * Apple, which know arguments by position.
 *
 * The positions are those of the source message, in the order of first
 * appearance, so that all languages agree; a name argN is position N, and the
 * others take what is free. Read back, %N$s is {argN}, and a plural's number {n}.
 * A plural whose number stands in no form takes no position on Android, where
 * the number that chooses is no argument; Apple's is always one.
 * A message without arguments is no format: its % stands alone. But a source of
 * format printf that has a %% is one, as it was written for a formatter: there
 * and in all its translations each % stays doubled.
 * Sources: java.util.Formatter; Apple, String Format Specifiers.
 */
#ifndef KANDIL_FORMAT_PRINTF_MESSAGE_H
#define KANDIL_FORMAT_PRINTF_MESSAGE_H

#include "common/format/catalog.h"
#include "common/format/forms.h"

enum printf_flavour {
	PRINTF_ANDROID, /* %s %d %.2f, positions wherever there are two */
	PRINTF_APPLE,	/* %@ %lld */
};

enum { PRINTF_ARGUMENTS = 32 };

struct printf_argument {
	struct slice name; /* of the source's placeholder; in printf its position */
	struct slice spec; /* what follows % and the position: "s", "lld", ".2f"; len 0: unused */
};

struct printf_arguments {
	enum printf_flavour flavour;
	struct printf_argument v[PRINTF_ARGUMENTS]; /* v[i]: position i + 1 */
	size_t n;				    /* the greatest position */
	bool formatted; /* the source is a format, even without arguments */
	const struct message_node *counted; /* the message that repeated is about */
	bool repeated;
	struct arena *arena;
	struct forms_speller speller; /* for forms_split */
};

/*
 * The arguments of a source message (of format, as in records; ptr NULL where
 * it is not known: take the translation). placeholders: a record's raw JSON
 * array, whose "type" int is %d, or len 0. had: a printf text that the file
 * has for it already, or len 0: its specs are kept ("%lld", "%.1f"). The
 * struct is not to be moved. -1 with e: "bad_message", "cannot_say" (too
 * many, a star for a width).
 */
int printf_arguments_of(struct slice source, const char *format, struct slice placeholders,
    struct slice had, enum printf_flavour, struct arena *, struct printf_arguments *,
    struct err *e);

/* The position of the argument of that name, from 1; 0: there is none. */
size_t printf_position(const struct printf_arguments *, struct slice name);

/*
 * Splits a message into printf texts: forms_split with the arguments above.
 * A printf text is taken as it is, but for what the flavour has no words for
 * (Android: %@ → %s, %lld → %d, positions); one without arguments is plain text.
 */
int printf_split(struct slice text, const char *format, struct slice locale,
    struct printf_arguments *, struct arena *, struct forms *, struct err *e);

/* Whether a spec is one that puts in a number: "d", "lld", ".1f". */
bool printf_is_number(struct slice spec);

/*
 * Appends a printf text with all its positions written; those that have none
 * take the next one (*next is moved on), or number, where that is not 0 (a
 * plural's forms, whose %d is what is counted). What does not parse is
 * appended as it is, and false returned.
 */
bool printf_number(struct slice text, size_t *next, size_t number, struct buf *out);

/*
 * Appends printf forms of a plural as one ICU message; number: the name that
 * the file has for what is counted, len 0: none (it is n then). position: of
 * that number, 0: the first %d of other, or of another form. False where ICU
 * cannot say it. (A text without plural is a message of format "printf".)
 */
bool printf_join(const struct forms *, struct slice number, size_t position, struct slice locale,
    enum printf_flavour, struct buf *out);

/*
 * How a text that stands in a file without plural is to be read: "printf" where
 * it has a conversion or a %%, else "plain". Static.
 */
const char *printf_format_of(struct slice text);

/*
 * Appends the form by which texts are compared (catalog_kind.say): literal
 * text and positions; of a plural each form behind its category. -1 with e as
 * printf_split.
 */
int printf_say(const struct catalog_change *, struct slice text, struct slice locale,
    enum printf_flavour, struct buf *out, struct err *e);

#endif
