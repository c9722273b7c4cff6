/*
 * opt_table: the rows in force for one run, shared by the parts of opt.
 *
 * A row is an option with the text of its value and where that came from;
 * the rows of a run are the common ones, the tool's, and the command's.
 */
#ifndef KANDIL_OPT_TABLE_H
#define KANDIL_OPT_TABLE_H

#include "common/buf.h"
#include "common/die.h"
#include "common/opt.h"

enum { OPT_ROWS = 128 };

struct opt_row {
	const struct opt *opt;
	const char *value;  /* as text, NULL while unset */
	const char *source; /* "default", a file's name, "environment", "option" */
	const char *origin; /* what opt_origin says; NULL: the option itself */
};

struct opt_table {
	const struct tool *tool;
	const struct opt_command *command;
	void *settings;
	struct opt_row rows[OPT_ROWS];
	size_t n;
};

extern const struct opt opt_common[];

/* Fills the table and the settings with the defaults. */
void opt_table_init(struct opt_table *, const struct tool *, const struct opt_command *,
    void *settings);
struct opt_row *opt_table_name(struct opt_table *, struct slice name);
struct opt_row *opt_table_letter(struct opt_table *, char letter);
/* The nearest option name, or NULL. */
const char *opt_table_nearest(const struct opt_table *, const char *name);
/*
 * Parses text into the settings. From another source than before a list
 * starts anew; from the same one it grows. text and source must live on.
 */
int opt_set(struct opt_table *, struct opt_row *, const char *text, const char *source,
    struct err *e);

/* A copy of text that lives as long as the program. */
char *opt_keep(const char *text, size_t len);

/*
 * User's configuration, project's configuration, environment, in this order. whole: sections
 * of programs that there are not are said, as whoever runs a program should hear once.
 */
void opt_configure(struct opt_table *, bool whole);

_Noreturn void opt_help(const struct tool *, const struct opt_command *);
/* All tables of the tool as NDJSON, with what is in force. */
_Noreturn void opt_dump(const struct tool *, void *settings);

#endif
