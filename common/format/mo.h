/*
 * mo: gettext's compiled catalogues, of either byte order, mapped and never
 * trusted: each offset and length is checked against the file before use.
 *
 * Source: GNU gettext manual, "The Format of GNU MO Files". The hash table
 * and the system-dependent strings of revision 0.1 are not read.
 */
#ifndef KANDIL_FORMAT_MO_H
#define KANDIL_FORMAT_MO_H

#include "common/format/catalog.h"

/* Parses c->text, whose entries then point into it; called by catalog_read. */
int mo_parse(struct catalog *, struct err *);
/* catalog_visit for the file c->name, mapped. */
int mo_visit(struct catalog *, catalog_visit_fn *fn, void *state, struct err *);

#endif
