/*
 * opt: one option table a tool, from which everything else is derived.
 *
 * Parsing, --help, completions, the manual's check, the environment and the
 * configuration files all read the same rows. Long names must be whole; an
 * unknown word is answered with the nearest. First wins: option,
 * KANDIL_<TOOL>_<OPTION>, ./.kandil/config, $XDG_CONFIG_HOME/kandil/config,
 * the row's default.
 */
#ifndef KANDIL_OPT_H
#define KANDIL_OPT_H

#include <stdbool.h>
#include <stddef.h>

enum opt_type {
	OPT_FLAG,   /* bool */
	OPT_TEXT,   /* const char *, NULL when unset */
	OPT_LIST,   /* struct opt_list: --to=ar,es and --to ar --to es */
	OPT_WORDS,  /* struct opt_list, one whole value an option, never split */
	OPT_NUMBER, /* long, ≥ 0 */
	OPT_SIZE,   /* size_t bytes; K, M, G (binary) understood */
	OPT_REAL,   /* double, ≥ 0 */
	OPT_CHOICE, /* int: the index in arg, which spells the words: "slug|hash|line" */
};

enum {
	OPT_PROJECT = 1, /* the project's own .kandil/config may set it */
	OPT_INSIDE = 2,	 /* and then only to paths below its own folder */
	OPT_TYPED = 4,	 /* the command line alone sets it: another command has one of that name */
};

struct opt_list {
	const char **v;
	size_t n;
};

struct opt {
	const char *name;
	char letter; /* 0: none */
	enum opt_type type;
	const char *arg;  /* the argument's name in help; choices for OPT_CHOICE */
	const char *help; /* one line, no full stop */
	unsigned flags;
	const char *fallback; /* the default as a user would write it, or NULL */
	size_t at;	      /* offsetof the value in the tool's settings */
};

struct run;

struct opt_command {
	const char *name, *summary;
	const char *operands; /* for the usage line: "[FILE ...]" */
	const struct opt *opts; /* ends in a row without name; may be NULL */
	/* Does the work; the status is what run_finish gives. */
	void (*run)(struct run *, void *settings);
};

struct tool {
	const char *name;    /* kandil-x */
	const char *summary; /* one line */
	const char *operands;
	const struct opt *opts;		    /* ends in a row without name */
	const struct opt_command *commands; /* likewise; NULL: no subcommands */
	const char *epilogue; /* an example or two for the end of --help, may be NULL */
};

/*
 * What every tool understands, the first member of every tool's settings, so
 * that one base serves all offsets.
 */
struct common {
	bool quiet, verbose;
	bool retry, strict;
	const char *output;  /* -o */
	const char *rejects; /* --rejects */
	size_t max_record;   /* bytes */
};

/*
 * Fills settings and returns the index in argv of the first operand (argv is
 * reordered: operands last). *command is the subcommand, NULL when the tool
 * has none. --help, --version and --dump-options print and exit; bad usage
 * dies with status 2.
 */
int opt_parse(const struct tool *, void *settings, int argc, char **argv,
    const struct opt_command **command);

/*
 * Where the value of an option came from, for the head of a message about it:
 * "--jobs", "FILE:3: 'jobs'", "environment variable 'KANDIL_AI_JOBS'". Lives
 * as long as the program.
 */
const char *opt_origin(const char *name);

/*
 * Which of the places that it may be set in has set an option, the weakest first: for what
 * another variable of the environment may say as well.
 */
enum opt_source { OPT_DEFAULT, OPT_CONFIG, OPT_ENVIRONMENT, OPT_ARGUMENT };
enum opt_source opt_source(const char *name);

/* Prints the short usage on stderr and exits with 2. */
_Noreturn void opt_usage(const struct tool *, const struct opt_command *);

/*
 * The word of the table nearest to word (Damerau-Levenshtein ≤ 2, and less
 * than half its length), or NULL. next(i, state) yields words until NULL.
 */
const char *opt_nearest(const char *word, const char *(*next)(size_t i, const void *state),
    const void *state);

#endif
