/*
 * xml: events of an XML document, with the bytes they came from.
 *
 * For reading catalogues (TMX, XLIFF, Android) and for editing them by splices: every event and
 * every attribute says where in the file it stands. Untrusted input: a document type that
 * declares entities is refused, nothing external is ever loaded, depth and the length of one text
 * are bounded, so memory stays flat however large the document is. Built on expat, which is
 * included nowhere else.
 * Source: Extensible Markup Language (XML) 1.0, 5th edition.
 */
#ifndef KANDIL_XML_H
#define KANDIL_XML_H

#include "common/buf.h"
#include "common/die.h"

enum {
	XML_DEPTH = 256,       /* elements within elements */
	XML_LONGEST = 16 << 20, /* bytes of one text */
	XML_TAG = 1 << 20,     /* bytes of one tag, comment or instruction */
};

enum xml_type {
	XML_OPEN,    /* <name …>, or the first half of <name … /> */
	XML_CLOSE,   /* </name>, or the second half of <name … />: then start == end */
	XML_TEXT,    /* character data up to the next markup; references and CDATA are decoded */
	XML_COMMENT,
	XML_INSTRUCTION, /* <?name text?> */
};

struct xml_attribute {
	struct slice name, value; /* value decoded and normalised */
	/* [start,end) of the value's bytes between its quotes; both 0 in UTF-16 documents. */
	size_t start, end;
};

struct xml_event {
	enum xml_type type;
	struct slice name; /* as written, with its prefix: "xliff:g" */
	struct slice text; /* decoded, UTF-8 */
	const struct xml_attribute *attributes;
	size_t nattributes;
	size_t start, end; /* [start,end) in bytes of the document: the tag, or the raw text */
	size_t line, column; /* of start, 1-based; column in code points */
	size_t depth;	   /* 1 for the root element's own events, 2 for what lies in it */
};

/* Gets each event; its slices are lent until it returns. Anything but 0 ends the reading. */
typedef int xml_handler(const struct xml_event *, void *state);

/*
 * Reads a whole document: 0, or what the handler returned, or -1 with e: line, column and code
 * "bad_xml", "entities_refused" (declared entities, or a reference to an unknown one), "too_deep"
 * or "too_large".
 */
int xml_read(struct slice document, xml_handler *, void *state, struct err *);

/*
 * The same in pieces, for files that are larger than one likes to hold:
 *	struct xml *x = xml_open(handler, state);
 *	while (read…) if (xml_feed(x, piece, last, e) != 0) …
 *	xml_close(x);
 * After anything but 0 only xml_close may follow.
 */
struct xml;
struct xml *xml_open(xml_handler *, void *state);
int xml_feed(struct xml *, struct slice piece, bool last, struct err *);
void xml_close(struct xml *);

/* The value of an attribute of an XML_OPEN event; false when there is none of that name. */
bool xml_attribute(const struct xml_event *, const char *name, struct slice *value);

#endif
