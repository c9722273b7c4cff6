/*
 * forms: a message as one text, or as one text for each plural category: what
 * i18next's suffixes, Android's <plurals>, .stringsdict and .xcstrings hold.
 *
 * Going there, the plural of an ICU message is resolved into whole sentences
 * (or kept apart from what surrounds it), its placeholders spelled as the
 * format has them; coming back, the texts make one ICU message again. What a
 * format has no way to say is an error, never a text that says less.
 */
#ifndef KANDIL_FORMAT_FORMS_H
#define KANDIL_FORMAT_FORMS_H

#include "common/message.h"
#include "common/plural.h"

struct forms {
	bool plural, ordinal;
	struct slice number; /* plural: the name of the argument that is counted */
	/* ptr NULL: no such form. Without plural there is [PLURAL_OTHER] alone. */
	struct slice text[PLURAL_CATEGORIES];
	/* What stands around the plural, where the speller keeps it apart; else len 0. */
	struct slice before, after;
};

/* How a format spells what is put in, and what its plurals can do. */
struct forms_speller {
	unsigned dialect;      /* of its texts: MESSAGE_PRINTF, MESSAGE_I18NEXT */
	const char *what;      /* its name in messages: "Android" */
	bool ordinals;	       /* it has forms for {n, selectordinal, …} */
	bool zero_is_0;	       /* its zero serves the number 0 in every language */
	bool no_fallback;      /* a category without form does not fall back to other: all are filled */
	bool apart;	       /* text around a plural stays out of the forms */
	/* Appends a placeholder of a message (any dialect) as this format has it; -1 with e. */
	int (*spell)(const struct message *, const struct message_node *, void *state,
	    struct buf *out, struct err *e);
	/* Appends one of this format's placeholders in ICU; false: ICU cannot say it. */
	bool (*name)(const struct message *, const struct message_node *, void *state,
	    struct buf *out);
	void *state;
};

/*
 * Splits a message; format: of the text, as in records. A text in the
 * speller's own dialect has no plural. Slices are the arena's. 0, or -1 with e:
 * "bad_message" (it does not parse), "cannot_say" (a select, plurals in
 * plurals, offset:, =3, a number that no category stands for alone).
 */
int forms_split(struct slice text, const char *format, struct slice locale,
    const struct forms_speller *, struct arena *, struct forms *, struct err *e);

/*
 * Appends the forms as one ICU message. False, and nothing is added, where
 * other is not there or ICU cannot say it. Forms that forms_split filled in
 * are left out again.
 */
bool forms_join(const struct forms *, struct slice locale, const struct forms_speller *,
    struct buf *out);

/* The categories of the locale's rules, en's where it has none. */
const struct plural_rules *forms_rules(struct slice locale, bool ordinal);

#endif
