/*
 * names: what a project says of its own names: which constants, fields and
 * functions it shows, and which helpers show what they are given.
 *
 * The first pass over a project collects facts, one a line, fields parted by
 * tabs; they can be cached and come from any worker in any order:
 *	shown	kGreeting	Text
 *	helper	showOops	1
 *	edge	showOops	0	_snack	message
 * An edge says that a helper hands its parameter on: it shows text if the
 * other one does. Memory is bounded by NAMES_BYTES of names; facts beyond
 * are dropped (names_full says so).
 */
#ifndef KANDIL_EXTRACT_NAMES_H
#define KANDIL_EXTRACT_NAMES_H

#include "common/buf.h"

enum { NAMES_BYTES = 4 << 20, NAMES_LENGTH = 80 };

struct names;

struct names *names_new(void);
void names_free(struct names *);

/* Appends a fact in its written form; names longer than NAMES_LENGTH are left out. */
void names_fact_shown(struct buf *facts, struct slice name, struct slice by);
void names_fact_helper(struct buf *facts, struct slice call, struct slice argument);
void names_fact_edge(struct buf *facts, struct slice call, struct slice argument,
    struct slice to_call, struct slice to_argument);

/* Takes facts in; lines of another form are skipped. */
void names_add(struct names *, struct slice facts);
/* Follows the edges; call once, after the last names_add. */
void names_resolve(struct names *);
bool names_full(const struct names *);

/* What shows the name (a widget); len 0 when nothing is known to. names may be NULL. */
struct slice names_shown(const struct names *, struct slice name);
/* Whether that argument (a name or a number) of a call is shown. names may be NULL. */
bool names_helper(const struct names *, struct slice call, struct slice argument);

#endif
