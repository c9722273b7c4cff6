/*
 * find: which programs and manuals there are, and what programs say of themselves.
 *
 * Nothing is registered: a program is an executable named kandil-* in one of
 * the folders, asked each time. Everything found lives until the front door
 * ends, which is soon.
 */
#ifndef KANDIL_FIND_H
#define KANDIL_FIND_H

#include "common/buf.h"

enum { MAX_FOLDERS = 64 };

/* The folders that are searched, first wins. */
struct folders {
	char *v[MAX_FOLDERS];
	size_t n;
	size_t own; /* how many are ours; behind them comes PATH */
};

/* A program as `kandil help` lists it. */
struct program {
	char *words; /* "i18n extract" */
	char *file;
	char *summary;
	bool own;    /* not only in PATH */
	bool script; /* a pipeline */
};

struct programs {
	struct program *v;
	size_t n, cap;
};

/* $KANDIL_EXEC_PATH, libexec/kandil, the program's own folder, then PATH. */
struct folders find_folders(void);
/* The executable of that name, or NULL. */
char *find_program(const struct folders *, const char *name);
/* Every kandil-* of the first n folders, by name; an earlier folder wins. */
struct programs find_programs(const struct folders *, size_t n);
/*
 * Fills summary and script: a script's `# summary:`, a program's --help. What
 * is only in PATH is not run: it has no summary.
 */
void find_summary(struct program *);
/*
 * Appends the words of the programs of ours that a pipeline says it needs, in its line
 * `# needs: kandil-ai, jq`, with a blank between them.
 */
void find_needs(const struct program *, struct buf *words);
/* The folder of the manuals, built or installed. */
char *find_manuals(void);
/* The section of a page there, in the first of those sections ("751"); 0 where none has it. */
int find_page(const char *man, const char *name, const char *sections);
/*
 * The pages of sections 5 and 7 below a folder of manuals, by name; their words are what follows
 * `kandil help`: "records" for man5/kandil-records.5, "kandil" for man7/kandil.7.
 */
struct programs find_topics(const char *man);
/*
 * Runs file with one option and an empty stdin, appends what it writes to
 * stdout (of which at most 4 MiB) and returns its exit status. One that takes
 * longer than five seconds is killed.
 */
int find_ask(const char *file, const char *option, struct buf *answer);
/* The next line of text, taken off its start, without its line feed. */
bool find_line(struct slice *text, struct slice *line);

#endif
