/*
 * jsonfile: a JSON document that is edited member by member, so that the bytes
 * of all that does not change stay: order, indentation, spacing, escapes.
 *
 * A tree of nodes over the text; changes are noted in it and written by
 * splices. What is added looks like the rest of the file (arb_style).
 */
#ifndef KANDIL_FORMAT_JSONFILE_H
#define KANDIL_FORMAT_JSONFILE_H

#include "common/die.h"
#include "common/format/arb_style.h"
#include "common/format/edit.h"
#include "common/hash.h"
#include "common/json.h"
#include "common/mem.h"

enum { JSONFILE_NODES = 2 << 20 }; /* values of one document; more is an error */
#define JSONFILE_NONE SIZE_MAX

/* Nodes are known by index; the root is 0. They stay where they are. */
struct jsonfile_node {
	struct slice name;    /* decoded; of an array's element: empty */
	struct slice raw;     /* the name's bytes in the text; ptr NULL: none, or new */
	struct slice value;   /* the value's bytes in the text; ptr NULL: new */
	struct slice written; /* what the value is to become, raw; ptr NULL: as it is */
	enum json_type type;
	unsigned members; /* of an object, removed ones too */
	unsigned near_number; /* of near in an array, from 0 */
	size_t parent, first, last, next, previous;
	size_t near; /* of an array: the element that was looked up last, or JSONFILE_NONE */
	size_t same; /* in the table: the one of its name before it, or JSONFILE_NONE */
	bool renamed, removed;
	bool indexed; /* its members are in the table */
	bool touched; /* it, or something in it, changes */
};

struct jsonfile {
	struct slice text;
	struct jsonfile_node *v;
	size_t n, cap;
	struct table names; /* of objects with many members: parent and name → node, the last */
	/* The members that were in the text of the object that was searched last. */
	size_t *order, norder, order_cap, order_of;
	size_t apart; /* a member that has no place in the order, or JSONFILE_NONE */
	struct arb_style style;
	struct arena arena;
	struct buf scratch;
};

/*
 * Opens a text, which must outlive it. 0, or -1 with e: what json_check says
 * (line and column are set), "too_large", or "bad_catalog" where it is no
 * object. To be freed in both cases.
 */
int jsonfile_open(struct jsonfile *, struct slice text, struct err *e);
void jsonfile_free(struct jsonfile *);

/* The child of that name that is not removed, or JSONFILE_NONE. */
size_t jsonfile_child(const struct jsonfile *, size_t parent, struct slice name);
/* The decoded text of a string in the file: the text's own bytes, or the arena's. */
struct slice jsonfile_text(struct jsonfile *, size_t node);
/* Offsets of a node that stands in the text: of its name (else its value), and its end. */
size_t jsonfile_start(const struct jsonfile *, size_t node);
size_t jsonfile_end(const struct jsonfile *, size_t node);

/*
 * The last child whose name is smaller, of an object whose names are sorted;
 * JSONFILE_NONE: all are greater. hint: the child that was added last, or NONE.
 */
size_t jsonfile_sorted_place(struct jsonfile *, size_t object, struct slice name, size_t hint);
/* Adds a member (name, or empty in an array) behind a sibling; after NONE: as the first one. */
size_t jsonfile_add(
    struct jsonfile *, size_t parent, size_t after, struct slice name, enum json_type);
/* As the last one. */
size_t jsonfile_append(struct jsonfile *, size_t parent, struct slice name, enum json_type);
/* Makes it a string of that text; nothing changes where it says it already. */
void jsonfile_set(struct jsonfile *, size_t node, struct slice text);
/* Makes it raw JSON. */
void jsonfile_set_raw(struct jsonfile *, size_t node, struct slice raw);
void jsonfile_rename(struct jsonfile *, size_t node, struct slice name);
void jsonfile_remove(struct jsonfile *, size_t node);
/* Removes all members of that name: without the last, the one before it would count. */
void jsonfile_remove_named(struct jsonfile *, size_t object, struct slice name);

/*
 * Appends the text with all changes made; more: further edits inside of values
 * that no change above touches, or NULL.
 */
void jsonfile_write(struct jsonfile *, struct edits *more, struct buf *out);

#endif
