/*
 * xml_text: writing pieces of XML into files that are edited by splices.
 *
 * Source: Extensible Markup Language (XML) 1.0, 5th edition, sections 2.2 to 2.5.
 */
#ifndef KANDIL_FORMAT_XML_TEXT_H
#define KANDIL_FORMAT_XML_TEXT_H

#include "common/buf.h"
#include "common/die.h"
#include "common/format/edit.h"

/*
 * Whether the document can be edited in place as UTF-8: 0, or -1 with e
 * ("bad_charset") where it begins as UTF-16 or declares another encoding.
 */
int xml_text_check(struct slice document, struct err *e);

/*
 * Appends text as character data; in an attribute quotes, tabs and line
 * breaks are references. The text must hold what XML may hold.
 */
void xml_text_escape(struct slice text, bool attribute, struct buf *out);
/* Appends ` name="text"`. */
void xml_text_attribute(const char *name, struct slice text, struct buf *out);
/* Appends "<!--text-->"; two hyphens, which a comment must not hold, get a blank. */
void xml_text_comment(struct slice text, struct buf *out);

/* Where an attribute stands in a tag, "<a b='c'>", that is known to be well-formed. */
struct xml_text_place {
	size_t start; /* of the white space before it */
	size_t value, value_end; /* between its quotes */
};
bool xml_text_find(struct slice tag, const char *name, struct xml_text_place *);
/*
 * Adds the edit by which the tag that stands at `at` has that attribute with
 * that value; ptr NULL: has it not.
 */
void xml_text_set(struct edits *, struct slice tag, size_t at, const char *name,
    struct slice value);

/* The offset of the first character that XML cannot hold (controls, U+FFFE), or text.len. */
size_t xml_text_legal(struct slice text);

/* "\r\n" where the document's first line ends so, else "\n". */
struct slice xml_text_newline(struct slice document);
/* The white space that the line of that offset begins with, up to offset itself. */
struct slice xml_text_indent(struct slice document, size_t offset);

#endif
