/*
 * pack_rule: what a rule pack consists of, between the files that read, compile and apply it.
 *
 * Everything here is pack.h's inside; its users see only struct pack.
 */
#ifndef KANDIL_EXTRACT_PACK_RULE_H
#define KANDIL_EXTRACT_PACK_RULE_H

#include "common/glob.h"
#include "common/hash.h"
#include "common/mem.h"
#include "common/regex.h"
#include "tools/extract/pack.h"
#include "tools/extract/pack_text.h"

enum {
	PACK_FILE = 256 << 10, /* bytes of a pack file */
	PACK_RULES = 500,
	PACK_MODES = 32,
	PACK_SYNTAXES = 16,
	PACK_LETS = 64,
	PACK_WORDS = 4000,    /* of one rule's `at` */
	PACK_UNLESS = 16,     /* of one rule */
	PACK_PATTERN = 16 << 10, /* bytes of a pattern with its definitions put in */
	PACK_STACK = 4096,    /* modes entered and not left */
};

/* A pattern as it was written (definitions put in) and, once it is needed, compiled. */
struct pack_pattern {
	struct slice text; /* ptr is NULL when there is none */
	size_t line;
	struct regex *regex;
};

/* The captures that mean something to us; those of notes mean what they are called. */
enum pack_capture {
	CAPTURE_TEXT,
	CAPTURE_KEY,
	CAPTURE_CONTEXT,
	CAPTURE_PLURAL,
	CAPTURE_NAME,
	CAPTURES
};

struct pack_rule {
	const char *name;
	size_t line;
	bool reports; /* a [rule]; else a [skip] */
	const char *file; /* the included file that it stands in, or NULL: the pack's own */

	/* Where it begins: any of the words or literals; none means wherever match can. */
	struct slice *at;
	size_t nat, at_cap;
	struct pack_pattern match;
	struct slice until; /* text that ends it; ptr is NULL when there is none */

	uint32_t in;	/* modes, a bit each */
	int enter;	/* mode, or -1 */
	size_t leave;	/* how many modes: none, 1, or SIZE_MAX for all */

	enum level level;
	const char *reason, *widget, *format;
	const struct pack_syntax *syntax[PACK_SYNTAXES + 1]; /* NULL ends them */
	struct pack_pattern unless[PACK_UNLESS];
	size_t nunless;

	/* Numbers of the captures of each meaning; a name may be used more than once. */
	struct {
		size_t *v, n, cap;
	} captures[CAPTURES];
};

/* The rules to try at one place, in the pack's order. */
struct pack_try {
	struct pack_rule *rule;
	struct slice literal; /* to compare first; empty for a word, which was compared, or no `at` */
};
struct pack_tries {
	struct pack_try *v;
	size_t n, cap;
};

/* Words by their end. */
struct pack_suffix {
	struct slice text;
	struct pack_tries tries;
};

/* What a byte means in a mode. */
enum pack_byte {
	BYTE_PLAIN, /* nothing begins with it */
	BYTE_WORD,  /* a word may, and it is read whole */
	BYTE_RULES, /* rules may: bytes[byte] */
	BYTE_BOTH,
};

struct pack_mode {
	const char *name;
	bool word[256]; /* bytes that words consist of */
	unsigned char kind[256];
	struct pack_tries bytes[256]; /* by first byte */
	struct table words;	      /* a word to its index in lists */
	struct pack_tries *lists;
	struct slice *names; /* the words, beside lists */
	size_t nlists, lists_cap, names_cap;
	uint64_t lengths[256]; /* by first byte, a bit for each length of a word, up to 63 */
	struct pack_suffix *suffixes;
	size_t nsuffixes, suffixes_cap;
	bool last[256]; /* bytes that suffixes end in */
};

struct pack_let {
	struct slice name, value;
};

struct pack {
	char *name, *file;
	struct arena arena; /* all texts of the pack */
	struct glob_list files;
	bool notes;
	const char *format;
	struct pack_let lets[PACK_LETS];
	size_t nlets;
	struct pack_syntax *syntaxes[PACK_SYNTAXES];
	size_t nsyntaxes;
	struct pack_mode *modes[PACK_MODES];
	size_t nmodes;
	struct pack_rule **rules;
	size_t nrules, rules_cap;
	struct pack_pattern unless[PACK_UNLESS]; /* of every rule */
	size_t nunless;

	bool compiled;
	struct err failed; /* code is set once the pack ran out of time: it is not run again */
	struct pack_text *text;
};


#endif
