/*
 * rules_message: what is wrong inside one message, and against its source.
 */
#ifndef KANDIL_CATALOG_RULES_MESSAGE_H
#define KANDIL_CATALOG_RULES_MESSAGE_H

#include "tools/catalog/rules.h"

/*
 * Reports the faults of one entry's text, with the place in the file of each
 * where the format allows it, and the edit where there is one right answer
 * (a single renamed placeholder, space at the ends). cursor goes through the
 * file once.
 */
void rules_message(const struct family *, const struct catalog *, const struct catalog_entry *,
    struct catalog_cursor *, rules_report *, void *state);

#endif
