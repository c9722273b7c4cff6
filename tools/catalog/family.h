/*
 * family: the catalogues that say the same in several languages, found among
 * the operands, with the one that the others are translations of.
 *
 * Files belong together when their names differ in the locale only
 * (app_en.arb, app_ar.arb; po/ar.po, po/fr.po with po/app.pot; ar/LC_MESSAGES/
 * app.po). The template is the one that l10n.yaml or --template names, a .pot,
 * or the catalogue of the source locale. Of a file of many languages each is a
 * catalogue of the family.
 */
#ifndef KANDIL_CATALOG_FAMILY_H
#define KANDIL_CATALOG_FAMILY_H

#include "common/format/catalog.h"

struct family {
	char *name;		/* the file names with "*" for the locale */
	struct catalog **files; /* in order of locale; the template first */
	size_t n, cap;
	struct catalog *template; /* NULL: none is there */
	struct catalog *whole;	  /* a file of many languages, of which files are views */
	unsigned dialect;	  /* how ARB texts are read: MESSAGE_ARB and its flags */
	const char *source_locale;
};

/* A file that is no catalogue. */
struct family_bad {
	char *name;
	struct err err;
};

struct families {
	struct family *v;
	size_t n, cap;
	struct family_bad *bad;
	size_t nbad, bad_cap;
	bool unreadable; /* an operand could not be opened: it was said on stderr */
	/* To be set before the first addition. */
	const char *source_locale; /* "en" */
	const char *template;	   /* a file name, or NULL */
	size_t below; /* bytes of the operand that is being added */
};

/* Adds a file, or all catalogues below a folder. */
void families_add(struct families *, const char *operand);
/* When all are added: finds the templates, sorts. */
void families_settle(struct families *);
void families_free(struct families *);

/* Whether the source texts stand in a file (a language) of their own: the template. */
bool family_is_keyed(const struct catalog *);

/*
 * The entry of c that says the same as e, an entry of another file of the
 * family: by key, or by context and source in PO. NULL: none.
 */
const struct catalog_entry *family_twin(const struct catalog *c, const struct catalog_entry *e);

/*
 * Why an opaque entry is no one message: what the reader of its file said, a
 * line, c's. c: the file, of many languages the whole.
 */
const char *family_opaque_reason(const struct catalog *c, const struct catalog_entry *e);

/*
 * Adds a member whose value is the locale as records have it (fr-CA for
 * fr_CA); what has no locale's shape stays as it is.
 */
void family_put_locale(struct buf *, const char *name, struct slice locale);

/* The same as a member's name, whose value follows. */
void family_put_name(struct buf *, struct slice locale);

/* Whether two spellings name one locale: fr_CA and fr-CA. */
bool family_same_locale(struct slice, struct slice);

#endif
