/*
 * po_message: a record's message as gettext has it: msgid and msgid_plural,
 * and the forms of a translation.
 *
 * An ICU message without branches becomes text with {name}; one whose only
 * branch is a plural of one and other becomes a gettext plural, each form the
 * whole sentence. All else ICU can say (select, =0, {n, number}) has no
 * counterpart in gettext and is kept as one ICU text.
 */
#ifndef KANDIL_FORMAT_PO_MESSAGE_H
#define KANDIL_FORMAT_PO_MESSAGE_H

#include "common/buf.h"
#include "common/die.h"
#include "common/mem.h"
#include "common/plural.h"

struct po_source {
	struct slice id, plural; /* plural.ptr NULL: no plural */
	const char *flag;	 /* "python-brace-format" …; NULL: none */
};

/* format: of the text, as in records. Slices are the text's or the arena's. */
void po_source_of(struct slice text, const char *format, struct arena *, struct po_source *);

/* How the file counts: from its Plural-Forms, or the locale's where it has none. */
struct po_forms {
	struct plural_expr expr;
	size_t n;
	enum plural_category category[PLURAL_FORMS_MAX];
	int single[PLURAL_FORMS_MAX]; /* the only number of the form, 0 … 2; -1: more or others */
};
int po_forms_of(struct slice plural_forms, struct slice locale, struct po_forms *, struct err *e);

/*
 * The translation of a plural source as values[0 … forms->n). conversion: what
 * stands for the number in an existing printf entry ("%d"), else empty. False
 * where the text cannot be told in forms.
 */
bool po_values_of(struct slice text, const char *format, const struct po_forms *,
    struct slice conversion, struct arena *, struct slice *values);
/* A translation of a source without plural. */
struct slice po_value_of(struct slice text, const char *format, struct arena *);

#endif
