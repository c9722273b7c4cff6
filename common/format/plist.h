/*
 * plist: an XML property list as pairs of keys and values, with their places,
 * for reading it and for splicing it.
 *
 * Source: Apple, Property List Programming Guide (PropertyList-1.0.dtd).
 */
#ifndef KANDIL_FORMAT_PLIST_H
#define KANDIL_FORMAT_PLIST_H

#include "common/die.h"
#include "common/mem.h"
#include "common/xml.h"

#define PLIST_NONE SIZE_MAX

/* A key and its value; offsets are those of the text. Node 0 is the outermost dict. */
struct plist_node {
	struct slice key;
	struct slice kind; /* the value's element: "dict", "string", "array" … */
	struct slice text; /* of a string, decoded */
	size_t start;	   /* of <key> */
	size_t value, end; /* [value, end): the value's element */
	size_t inside; /* where what lies in it starts; its end, where it is <dict/> */
	size_t line, column;	   /* of <key> */
	struct slice comment;	   /* directly before <key>, the last that is no mark; len 0: none */
	struct slice mark;	   /* the text of the comment that is its mark; len 0: none */
	size_t mark_start, mark_end;
	size_t parent, first, last, next;
};

struct plist {
	struct plist_node *v;
	size_t n, cap;
	struct arena arena;
};

/*
 * 0, or -1 with e: those of xml.h, "bad_charset", or "bad_catalog" where it is
 * no property list whose outermost value is a dict. To be freed in both cases.
 */
int plist_scan(struct slice text, struct plist *, struct err *e);
void plist_free(struct plist *);

/* The pair of that key in a dict (the last), or PLIST_NONE. */
size_t plist_child(const struct plist *, size_t dict, const char *key);
bool plist_is_string(const struct plist *, size_t node);

#endif
