/*
 * android_text: the content of one <string> or <item>: its escapes, quotes,
 * white space and named arguments, read and written.
 */
#ifndef KANDIL_FORMAT_ANDROID_TEXT_H
#define KANDIL_FORMAT_ANDROID_TEXT_H

#include "common/format/printf_message.h"
#include "common/xml.h"

/* An xliff:g with an id: the bytes of the text that stand in it. */
struct android_named {
	size_t start, end;
	struct slice name;
};

/* What is being read; zero-initialised is ready for the first. */
struct android_text {
	struct buf text;   /* as the app gets it, markup within it as tags */
	struct slice *names; /* once it ended: by position, from 1; ptr NULL: without a name */
	size_t nnames;	     /* PRINTF_ARGUMENTS + 1, or 0: none was named */
	struct arena *arena; /* of the names */
	/* The first thing that aapt2 refuses, or NULL. */
	const char *fault;
	bool reference; /* @string/other */
	/* Within. */
	bool quoted, space, started;
	unsigned depth;
	size_t named_from; /* where the text of an open xliff:g starts */
	struct slice named;
	unsigned named_depth;
	struct android_named *named_parts; /* in order, none within another */
	size_t nnamed, named_cap;
};

void android_text_begin(struct android_text *, struct arena *);
/* Takes an event between the element's own open and close. */
void android_text_event(struct android_text *, const struct xml_event *);
void android_text_end(struct android_text *);
void android_text_free(struct android_text *);

/* How an element holds the tags of its text. */
enum android_markup {
	ANDROID_NO_MARKUP, /* it has none */
	ANDROID_ELEMENTS,  /* <b>: getText() styles it */
	ANDROID_ESCAPED,   /* &lt;b>: text, for fromHtml() */
	ANDROID_CDATA,	   /* the same, in a CDATA section */
};

/* raw: the element's content, as the file has it. */
enum android_markup android_markup_of(struct slice raw);

/*
 * Appends one text of printf_split as content of an element: escaped, its
 * arguments that have names within xliff:g. *named says whether there is one.
 * like: how the source's element has its tags; where it has none they are
 * elements in a text without arguments, and escaped in one that is formatted,
 * which would lose them.
 */
void android_text_write(struct slice text, const struct printf_arguments *, bool plural,
    enum android_markup like, struct buf *out, bool *named);

#endif
