/*
 * catalog: a message catalogue in memory, whatever its format.
 *
 * One struct serves all formats: a locale, and entries that say which text
 * they translate, into what, how sure that is, and where they lie in the
 * file. Text is UTF-8 whatever the file's charset. Everything read is
 * untrusted: sizes, counts and offsets are bounded and checked.
 */
#ifndef KANDIL_FORMAT_CATALOG_H
#define KANDIL_FORMAT_CATALOG_H

#include "common/buf.h"
#include "common/die.h"
#include "common/hash.h"
#include "common/mem.h"

enum catalog_format {
	CATALOG_AUTO,
	CATALOG_ARB,
	CATALOG_PO,
	CATALOG_MO,
	CATALOG_TMX,
	/* Of these the texts are messages as records have them, in entry.format. */
	CATALOG_XLIFF,
	CATALOG_ANDROID,
	CATALOG_I18NEXT,
	CATALOG_STRINGS,
	CATALOG_STRINGSDICT,
	CATALOG_XCSTRINGS,
	CATALOG_FORMATS
};

/* Ordered by trust: memory takes TRANSLATED and APPROVED as exact. */
enum catalog_state {
	CATALOG_MISSING,    /* no text, or withheld */
	CATALOG_DRAFT,	    /* a machine's, unseen by a person */
	CATALOG_FUZZY,	    /* needs review */
	CATALOG_TRANSLATED, /* the default of a text that is there */
	CATALOG_APPROVED,
};

enum {
	CATALOG_FORMS = 16,	      /* plural forms of one PO entry that are accepted */
	CATALOG_MAX_SIZE = 256 << 20, /* bytes of a file that is read whole */
};

/* Bytes [start, end) of the file; both 0 where there is no such place. */
struct catalog_span {
	size_t start, end;
};

/*
 * A slice with ptr NULL says that the file holds no such thing; an empty text
 * that is there has len 0 and a ptr.
 */
struct catalog_entry {
	/*
	 * What names the entry in its file. ARB: the member's name. PO, MO:
	 * the name in a "#. key: NAME" comment, else the msgid. TMX: the tuid.
	 * XLIFF: the unit's name, else its id. i18next: the path, "a.b.c".
	 */
	struct slice key;
	struct slice context; /* msgctxt; ARB: @key.context */
	/* The text in the source language: PO, MO, TMX, XLIFF. */
	struct slice source;
	struct slice source_plural; /* msgid_plural */
	/* The translations: one, or one for each plural form (PO, MO). */
	struct slice *values;
	size_t nvalues;
	/* How to read the texts, static: "icu", "printf", "plain", "i18next". */
	const char *format;
	enum catalog_state state;
	bool stale;		/* the source changed since it was translated */
	bool obsolete;		/* PO: #~ */
	bool edited; /* a person changed the text: its mark in the file counts no more */
	bool fixed;  /* translatable="false", shouldTranslate: nothing to be translated */
	/* What it holds no one message can say (values are NULL): never written. */
	bool opaque;
	/* XLIFF: a person translated some of its segments, and not all: written by force only. */
	bool partial;
	/*
	 * Android: the message without the names that the file gives to its
	 * arguments, for files that disagree about them; ptr NULL: the same.
	 */
	struct slice positional;
	const char *positional_format; /* "printf"; of a plural "icu", over {n}, {arg2} */
	/* The source it was translated from: PO #| msgid, msgid_plural, msgctxt. */
	struct slice previous, previous_plural, previous_context;
	/* ARB: the hash of that source, 16 hex digits; in a template: of what was written last. */
	struct slice was_hash;
	struct slice meta;	/* ARB: raw JSON of the @key member */
	/* Translator's (#) and extracted (#.) comments; @key.description; notes. */
	struct slice comment;
	struct slice flags;	/* "#," of PO: "fuzzy, c-format" */
	struct slice locale;	/* of the values; TMX and xcstrings have many in one file */
	size_t line, column;	/* 1-based; of the key (ARB), of msgid (PO) */
	struct catalog_span span;	/* the entry; ARB: key's quote to the value's end */
	/* ARB: the raw JSON value; PO: the msgstr lines; XLIFF: the unit; Android: the content. */
	struct catalog_span value_span;
	struct catalog_span meta_span;	/* ARB: the @key member */
};

/*
 * A place in a text that moves forward, so that the lines and columns of
 * growing offsets look at each byte once. Zero is the start.
 */
struct catalog_cursor {
	size_t offset, line;
	size_t before; /* code points of the line before the offset */
};

/* What is wrong with the file without making it unreadable. */
struct catalog_fault {
	const char *rule; /* "duplicate-key", "orphan-metadata", "not-text", "bad-state" … */
	size_t entry;	  /* index of the entry concerned, SIZE_MAX: none */
	size_t line, column;
	struct catalog_span span;
	char text[200];
};

struct catalog {
	const char *name; /* as given; its own copy */
	enum catalog_format format;
	struct slice locale;	    /* @@locale, Language:, else from the name; may be empty */
	struct slice locale_member; /* what the file itself says; len 0: nothing */
	struct slice name_locale;   /* what its name tells; len 0: nothing */
	struct slice name_part;	    /* where in name that stands; Android: "-fr-rCA" */
	struct slice source_locale; /* TMX, XLIFF srcLang, xcstrings; else empty */
	/*
	 * The file, without a BOM (bom says whether one was there; spans count
	 * it). Where charset is not UTF-8 the text is converted, and spans are
	 * 0: lines and columns still hold.
	 */
	struct slice text;
	bool bom, converted;
	struct slice charset;
	/* PO, MO: the header, and the expression and count of Plural-Forms. */
	struct catalog_entry head; /* the entry with the empty msgid; values NULL: none */
	struct slice plural_forms; /* "nplurals=2; plural=(n != 1);", len 0: not said */
	size_t nplurals;	   /* 0: not said */
	struct catalog_forms *forms; /* what plural_forms comes to, once it was asked for */
	struct slice states; /* ARB, i18next: the raw object of @@x-kandil, len 0: none */
	struct catalog_entry *entries;
	size_t n, cap;
	struct catalog_fault *faults;
	size_t nfaults, faults_cap;
	struct catalog_cursor fault_cursor;
	struct table by_key;	/* key → index of its last entry */
	struct table by_source; /* context EOT source → index; PO */
	struct arena arena;
	struct buf content;
};

/* "arb", "po", "mo", "tmx": static. */
const char *catalog_format_name(enum catalog_format);
const char *catalog_state_name(enum catalog_state);
/* False for an unknown word. "needs-review" and "reviewed" are understood too. */
bool catalog_state_of(struct slice word, enum catalog_state *);

/*
 * Reads a file. AUTO decides by the name's ending, then by the first bytes.
 * 0, or -1 with e: "cannot_read", "too_large", "not_json", "bad_utf8",
 * "too_deep", "bad_catalog" (not the format's grammar, a bad offset),
 * "bad_charset", and for TMX those of xml.h; e->line and column where they are known. The
 * catalogue is to be freed in both cases; entries of TMX are one a
 * translation (their locale says which).
 */
int catalog_read(const char *name, enum catalog_format, struct catalog *, struct err *e);
/* The same from bytes, which are copied; name serves messages and the locale. */
int catalog_parse(const char *name, enum catalog_format, struct slice text, struct catalog *,
    struct err *e);
void catalog_free(struct catalog *);

/*
 * The entry of that key (the last, where it is there twice), or NULL. In PO
 * this is the key comment's or the bare msgid's.
 */
struct catalog_entry *catalog_find(const struct catalog *, struct slice key);
/* PO, MO: the entry of that source text in that context, or NULL. */
struct catalog_entry *catalog_find_source(const struct catalog *, struct slice context,
    struct slice source);

/*
 * For big memories: calls fn for each entry of the file, in order, without
 * holding them all: MO is mapped, TMX streamed. The catalogue (its locale,
 * head, Plural-Forms) and the entry live until fn returns; a fn that
 * returns non-zero ends the visit with that number. Otherwise as catalog_read.
 * Entries of MO point into the map where the charset is UTF-8.
 */
typedef int catalog_visit_fn(const struct catalog *, const struct catalog_entry *, void *state);
int catalog_visit(const char *name, enum catalog_format, catalog_visit_fn *fn, void *state,
    struct err *e);

/*
 * Appends the entry's translation, or its source, as one message in the
 * dialect that catalog_message_format names: the text itself, or for PO
 * plurals an ICU plural {n, plural, …} whose categories come from the locale
 * and the file's own plural expression; a printf plural over one number
 * becomes ICU too, its %d the {n}. False when there is no text (missing, a
 * form is empty) or no way to say it (a printf plural over more arguments).
 */
bool catalog_message(const struct catalog *, const struct catalog_entry *, struct buf *out);
bool catalog_source_message(const struct catalog *, const struct catalog_entry *,
    struct buf *out);
/* The dialect of both: "icu", "printf", "plain", or for ARB "arb": static. */
const char *catalog_message_format(const struct catalog *, const struct catalog_entry *);
/*
 * How a text without a flag reads best: "printf" where it has conversions,
 * "icu" where braces parse as placeholders or nothing in it is special, else
 * "plain". Texts of PO, MO and TMX that are "icu" are stored as Python's brace
 * format and gen-l10n have it, an apostrophe being text: the dialect "arb".
 */
const char *catalog_guess_format(struct slice text);

/*
 * The locale that a file name tells: app_fr_CA.arb → fr_CA, fr/LC_MESSAGES/x.mo
 * → fr, po/fr.po → fr, x.fr.po → fr; len 0 where it tells none. A slice of name.
 * A .pot has none.
 */
struct slice catalog_name_locale(const char *name);
/*
 * For a catalogue that was found below a folder, whose name is the first
 * `below` bytes of its own: where neither the file nor its name says a locale
 * the folder it lies in does (fr/app.po).
 */
void catalog_take_folder(struct catalog *, size_t below);

/* ---- writing ---- */

/* A placeholder that has another name by now. */
struct catalog_rename {
	struct slice from, to;
};

/*
 * What is to become of one message in one file. The writers (arb_merge,
 * po_merge) take all messages of the stream in its order, changed or not, so
 * that a new one finds its place beside its neighbours.
 */
struct catalog_change {
	struct slice key;
	bool write; /* value, state and stale are to be written, else the entry stays */
	/* Only state and stale are to be written: value is what the reader gave of the file. */
	bool keep_text;
	/* ARB: in the file's dialect; else as an ICU, printf, plain or i18next message. */
	struct slice value;
	enum catalog_state state;
	bool stale;
	/*
	 * Formats without sources: hash of the one it was translated from, to go
	 * into the mark; ARB in a template: of the text written.
	 */
	struct slice was_hash;
	/* Template: what is told about the message. Others than ARB: also what names it. */
	struct slice source;	   /* the source message, as value */
	/* PO, XLIFF, TMX: the source before it changed; ptr NULL: it did not. */
	struct slice old_source;
	const char *format;	   /* of source and value, as in records */
	struct slice context;	   /* ptr NULL: none */
	struct slice description;  /* len 0: none */
	struct slice reference;	   /* PO: "file:line"; len 0: none */
	struct slice placeholders; /* raw JSON array of a record; len 0: none */
	/* ARB template: what its metadata declares under an old name. */
	const struct catalog_rename *renames;
	size_t nrenames;
};

/* One file of one language that is to be merged into. */
struct catalog_merge {
	struct slice locale; /* canonical, fr-CA */
	struct slice source_locale;
	bool template; /* the file (the language) of the source texts: value is the source */
	/* The language as it was before anything was merged; of a file of one language old. */
	const struct catalog *now;
	const struct catalog *source; /* the template, before this too; NULL: none is there */
	const struct catalog_change *changes;
	size_t n;
};

/*
 * What a format that arb.h and po.h do not cover brings; one table in
 * catalog_kind.c.
 */
struct catalog_kind {
	enum catalog_format format;
	/* Sources stand beside their translations: there is no template. */
	bool bilingual;
	bool many; /* one file holds all languages; entries say their own */
	/* Parses c->text. 0, or -1 with e as catalog_read says. */
	int (*parse)(struct catalog *, struct err *e);
	/*
	 * Appends the file with the changes made by splices: what does not change
	 * stays byte for byte. old was parsed whole, or is the skeleton. -1 with e.
	 */
	int (*merge)(const struct catalog *old, const struct catalog_merge *, struct buf *out,
	    struct err *e);
	/*
	 * Appends the form by which texts are compared: what the format makes of
	 * text, a message in change->format that translates change->source (its
	 * arguments are numbered in that one's order), without what does not make
	 * it another text (names and types of conversions, markup around them,
	 * escapes). -1 with e ("cannot_say", one line: "Android has no select") where
	 * the format cannot say it: it is then withheld and never reaches merge.
	 */
	int (*say)(const struct catalog_change *change, struct slice text, struct slice locale,
	    struct buf *out, struct err *e);
	/* Appends the file to start from. */
	void (*skeleton)(struct slice locale, struct slice source_locale, struct buf *out);
};
/* NULL for ARB, PO and MO. */
const struct catalog_kind *catalog_kind(enum catalog_format);

/*
 * The part of whole, a catalogue of many languages, that is in one: its
 * entries are copies, their texts whole's, which must outlive it. To be freed.
 */
void catalog_view(const struct catalog *whole, struct slice locale, struct catalog *view);

/* For readers: */
struct catalog_entry *catalog_add(struct catalog *);
/* Enters the entry's names in the tables; a key that is there already is a fault. */
void catalog_index(struct catalog *, size_t entry);
/* At most 1000 faults are kept; place and span are those of offsets in c->text. */
void catalog_fault(struct catalog *, const char *rule, size_t entry, size_t start, size_t end,
    const char *format, ...) __attribute__((format(printf, 6, 7)));
/* The file's span of the offsets [start, end) of c->text. */
struct catalog_span catalog_span(const struct catalog *, size_t start, size_t end);
/* Line and column (1-based, in code points) of an offset. */
void catalog_seek(struct catalog_cursor *, struct slice text, size_t offset, size_t *line,
    size_t *column);

#endif
