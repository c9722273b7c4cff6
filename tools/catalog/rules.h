/*
 * rules: what can be wrong with the catalogues of one family.
 *
 * Sources: flutter_tools gen_l10n.dart (keys, metadata), CLDR (plural
 * categories), and common/message for everything inside a message.
 */
#ifndef KANDIL_CATALOG_RULES_H
#define KANDIL_CATALOG_RULES_H

#include "tools/catalog/family.h"
#include "tools/catalog/finding.h"

typedef void rules_report(const struct finding *, void *state);

/* Calls report for all that is wrong, file by file in the family's order. */
void rules_check(const struct family *, rules_report *, void *state);

#endif
