/*
 * message: a text with placeholders, plurals, choices and tags, read as a
 * tree, checked, and compared with its translation.
 *
 * The tree is one array in reading order: a node is followed by what it
 * contains, and node + node->size is its next sibling. Every node knows its
 * bytes in the text, so writing a message back is copying it.
 * Sources: ICU MessageFormat (unicode-org/icu, MessagePattern), Flutter's
 * gen_l10n/message_parser.dart, POSIX printf and XSI positions, i18next v4.
 */
#ifndef KANDIL_MESSAGE_H
#define KANDIL_MESSAGE_H

#include "common/buf.h"
#include "common/die.h"
#include "common/mem.h"

enum message_dialect {
	MESSAGE_ICU,	/* ICU MessageFormat, whole: apostrophes quote braces, # is the number */
	MESSAGE_ARB,	/* gen-l10n, use-escaping off: apostrophes are text, # is text */
	MESSAGE_PRINTF, /* %s %1$d %(name)s %@ */
	MESSAGE_I18NEXT, /* {{name}}, $t(key) */
	MESSAGE_PLAIN,	/* text and tags */
};
/* May be or-ed to MESSAGE_ARB. */
enum {
	MESSAGE_ESCAPING = 16, /* use-escaping: '{' quotes, '' is one apostrophe */
	MESSAGE_RELAXED = 32,  /* relax-syntax: braces that hold no name are text */
};

/*
 * The dialect of a record's "format": icu, printf, i18next, plain, and arb,
 * arb-escaping, arb-relaxed, arb-escaping-relaxed; -1 for another word. An
 * empty word is icu, the record format's default.
 */
int message_dialect_of(struct slice format);

enum message_type {
	MESSAGE_TEXT,	     /* literal text, as escaped in the source */
	MESSAGE_PLACEHOLDER, /* {name}, {name, number, …}, %1$s, {{name}} */
	MESSAGE_POUND,	     /* # in a plural case: the number; name is the plural's */
	MESSAGE_PLURAL,	     /* {name, plural, …}: contains cases */
	MESSAGE_ORDINAL,     /* {name, selectordinal, …} */
	MESSAGE_SELECT,	     /* {name, select, …} */
	MESSAGE_CASE,	     /* one{…}: name is the selector ("one", "=1", "male") */
	MESSAGE_OPEN,	     /* <b>; name is the tag's. Tags do not contain */
	MESSAGE_CLOSE,	     /* </b> */
	MESSAGE_SELF,	     /* <br/> */
	MESSAGE_REST,	     /* the rest of a tag after a placeholder in it: ">; no name */
};

struct message_node {
	enum message_type type;
	unsigned size;	     /* nodes of this subtree, itself included */
	size_t start, end;   /* bytes of the text */
	struct slice name;   /* printf: the position in decimal, or the (name) */
	struct slice
	    style; /* "number", "date"; printf: the conversion, "d", "ld", "@"; else empty */
	unsigned long offset; /* plural: offset:N */
};

struct message {
	struct slice text; /* the caller's bytes */
	unsigned dialect;
	const struct message_node *nodes;
	size_t n;
};

enum {
	MESSAGE_NODES = 8192, /* of one message; more is an error */
	MESSAGE_DEPTH = 24,   /* plurals and selects within each other */
};

/*
 * Reads text, which must outlive the message; nodes are the arena's. 0, or
 * -1 with e: code "bad_message", column the 1-based byte, text what is wrong.
 * Time is linear in the text.
 */
int message_parse(struct slice text, unsigned dialect, struct arena *, struct message *,
    struct err *e);

/* The bytes of a node. */
static inline struct slice
message_bytes(const struct message *m, const struct message_node *node)
{
	return (struct slice){m->text.ptr + node->start, node->end - node->start};
}

/*
 * The case of a plural or select that a selector picks: exactly, then =1 for
 * one (=0 zero, =2 two) and the reverse, then other. NULL: not even other.
 */
const struct message_node *message_case(const struct message_node *branch, struct slice selector);
/* The case of exactly that name, or NULL. */
const struct message_node *message_case_named(const struct message_node *branch, const char *name);

/* Whether the message has plurals, ordinals or selects. */
bool message_branches(const struct message *);
/* Whether it is text alone: no placeholder, no branch (tags are text). */
bool message_is_plain(const struct message *);

/*
 * Appends a text node's text as a reader sees it: quotes resolved, %% is %.
 */
void message_literal(const struct message *, const struct message_node *, struct buf *out);
/*
 * The reverse: appends text so that it reads as literal text in the dialect.
 * in_plural: # is special there (ICU). more: something other than text
 * follows directly (an apostrophe at the end must not quote it). False, and
 * nothing is added, where the dialect has no way to say it (a brace in ARB
 * without escaping).
 */
bool message_quote(struct slice text, unsigned dialect, bool in_plural, bool more,
    struct buf *out);
/*
 * Appends m in another dialect (icu, arb and its variants into each other):
 * the same bytes wherever both read them alike. False where the other cannot
 * say it.
 */
bool message_convert(const struct message *, unsigned dialect, struct buf *out);

/*
 * Appends m with every text node (its literal text) replaced by what fn
 * appends to out, quoted again; all else is copied byte for byte.
 */
typedef void message_text_fn(struct slice text, const struct message_node *, void *state,
    struct buf *out);
void message_map(const struct message *, message_text_fn *fn, void *state, struct buf *out);

/* A placeholder by name: {name} and every plural or select over it. */
struct message_placeholder {
	struct slice name;
	struct slice style;	/* of its first plain occurrence; "plural", "select" … where none */
	enum message_type type; /* of its first occurrence */
	size_t count;		/* occurrences */
};
/* In order of first occurrence; the array is the arena's. */
size_t message_placeholders(const struct message *, struct arena *,
    struct message_placeholder **out);

/* ---- checking ---- */

enum message_fault_kind {
	/* of one message */
	MESSAGE_BAD_SYNTAX,	  /* what message_parse refused */
	MESSAGE_DUPLICATE_CASE,	  /* one{…} one{…}; ARB: also =1 and one */
	MESSAGE_UNKNOWN_CATEGORY, /* a plural case that is no CLDR category */
	MESSAGE_MISSING_CATEGORY, /* the locale needs it */
	MESSAGE_UNUSED_CATEGORY,  /* the locale never takes it: a warning */
	/* of a translation against its source */
	MESSAGE_LOST,		/* a placeholder */
	MESSAGE_ADDED,		/* a placeholder that the source does not have */
	MESSAGE_DUPLICATED,	/* a placeholder, more often than in the source */
	MESSAGE_RETYPED,	/* {n, number} against {n, date}, %s against %d */
	MESSAGE_STRUCTURE,	/* a plural or select lost or added, a select case lost */
	MESSAGE_LOST_TAG,
	MESSAGE_ADDED_TAG,
	MESSAGE_TAG_ORDER,	/* tags that were nested no longer are */
	MESSAGE_NEWLINES,	/* another number of line breaks */
	MESSAGE_ESCAPES,	/* written escapes (\n, \t as two characters) differ */
	MESSAGE_SPACE,		/* leading or trailing white space differs */
	MESSAGE_EMPTY,		/* the translation is blank, the source is not */
	MESSAGE_FAULTS
};

struct message_fault {
	enum message_fault_kind kind;
	bool warning; /* worth saying, no reason to withhold a translation */
	size_t at;    /* byte of the text (the translation's) */
	struct slice subject; /* the placeholder, category or tag; may be empty */
	char text[200]; /* one line: "placeholder {name} is lost" */
};

struct message_faults {
	struct message_fault *v; /* at most 50 are kept */
	size_t n;
	bool serious; /* one of them is no warning */
};

/* "bad-syntax", "lost-placeholder", "missing-category" …: static. */
const char *message_fault_code(enum message_fault_kind);

/*
 * Checks one message of that locale: faults found are added (the array is
 * the arena's). locale empty: no categories are asked for.
 */
void message_check(const struct message *, struct slice locale, struct arena *,
    struct message_faults *);
/*
 * Compares a translation with its source, and checks it as message_check
 * does. Both are texts in the dialect; one that does not parse is a fault
 * (a source that does not parse is compared as plain text). A case for one
 * single number (=N, or a category that is one number in that locale) may
 * drop the number; another that says one in digits instead of the
 * placeholder is a fault, whatever the source's case says. Time is bounded
 * whatever the text.
 */
void message_verify(struct slice source, struct slice translation, unsigned dialect,
    struct slice locale, struct arena *, struct message_faults *);

#endif
