/*
 * android_message: what a message of a record comes to: a string, or the
 * items of a <plurals>, as printf texts.
 */
#ifndef KANDIL_FORMAT_ANDROID_MESSAGE_H
#define KANDIL_FORMAT_ANDROID_MESSAGE_H

#include "common/format/android_text.h"
#include "common/format/catalog.h"
#include "common/format/printf_message.h"

struct android_message {
	struct printf_arguments args;
	struct forms forms;
	bool plural; /* as the source is: so is the resource in every language */
	enum android_markup markup; /* of the source's element */
};

/*
 * Two percent signs in a string that is not formatted are conversions to the
 * compiler all the same, which then asks for positions, or formatted="false".
 */
bool android_is_unformatted(const struct android_message *);

/*
 * Fills w for a text that translates change->source; had: a printf text that
 * the file has for it, or len 0. 0, or -1 with e, whose code was NULL before:
 * "bad_message", "cannot_say".
 */
int android_message_of(const struct catalog_change *, struct slice text, struct slice locale,
    struct slice had, struct arena *, struct android_message *w, struct err *e);

#endif
