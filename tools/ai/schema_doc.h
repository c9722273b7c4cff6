/*
 * schema_doc: one JSON text as an array of nodes, read once and asked many times.
 *
 * A validator looks at the same value under many keywords. Walking raw slices would scan nested
 * values again on every level, so a text is indexed in one pass: nodes in the order of the text,
 * each knowing where its subtree ends, names and strings decoded, an object's members sorted by
 * name. Of duplicate names the last is read; the others are out of every count and look-up.
 * A doc is read again and again without allocating once it has grown to the largest text.
 * Lone surrogates in strings are read as U+FFFD.
 * Equality and order: JSON Schema 2020-12 core §4.2.2 (numbers by value, objects without order).
 */
#ifndef KANDIL_AI_SCHEMA_DOC_H
#define KANDIL_AI_SCHEMA_DOC_H

#include "common/json.h"

enum {
	DOC_NODES = 1 << 20, /* values in one text */
	DOC_NONE = UINT32_MAX,
};

struct doc_node {
	struct slice value; /* strings decoded, anything else the raw text */
	struct slice name;  /* decoded; of a member of an object */
	uint32_t parent;    /* DOC_NONE: the root */
	uint32_t after;	    /* the first node behind this subtree */
	uint32_t count;	    /* elements, or members that are read */
	uint32_t sorted;    /* of an object: its members are doc.order[sorted … sorted + count) */
	uint32_t place;	    /* of an element: its index; of a member: its rank by name */
	uint8_t type;	    /* enum json_type */
	bool hidden;	    /* a duplicate name follows */
};

/* Zero-initialised is empty and ready. Node 0 is the root. */
struct doc {
	struct doc_node *nodes;
	uint32_t *order;
	struct buf decoded;
	size_t n, cap, ordered, order_cap;
};

/*
 * Reads text, which must outlive the doc's use: 0, or -1 with json_check's codes, or e->code
 * "schema_limit" when it has more than DOC_NODES values or bytes beyond 4 GiB.
 */
int doc_read(struct doc *, struct slice text, struct err *e);
void doc_free(struct doc *);

/*
 * Children in the order of the text, hidden ones left out:
 *	for (uint32_t i = doc_first(d, at); i != DOC_NONE; i = doc_next(d, at, i)) …
 */
uint32_t doc_first(const struct doc *, uint32_t at);
uint32_t doc_next(const struct doc *, uint32_t at, uint32_t child);
/* The member of that name of the object at, or DOC_NONE. Logarithmic. */
uint32_t doc_find(const struct doc *, uint32_t at, struct slice name);
/* A member's name as a value of its own, until the next doc_name or doc_read. */
uint32_t doc_name(struct doc *, uint32_t member);
/* The node's place as a JSON pointer (RFC 6901); nothing for the root. */
void doc_pointer(const struct doc *, uint32_t at, struct buf *out);

/*
 * A total order over values in which 1 and 1.0 are equal, and objects whose members are. *steps
 * is lowered by what the comparison took (a value, 64 bytes of text); below 0 the result is
 * worthless and the caller must stop.
 */
int doc_cmp(const struct doc *, uint32_t a, const struct doc *, uint32_t b, long *steps);

/*
 * Sorts indices so that cmp(state, a, b) ≤ 0 for neighbours. In place, O(n log n) whatever the
 * input, since the values are a stranger's.
 */
void doc_sort(uint32_t *v, size_t n, int (*cmp)(void *state, uint32_t a, uint32_t b), void *state);

#endif
