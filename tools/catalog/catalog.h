/*
 * catalog: what the subcommands of kandil-catalog share: the settings, and
 * how the catalogues to work on are found.
 */
#ifndef KANDIL_CATALOG_CATALOG_H
#define KANDIL_CATALOG_CATALOG_H

#include "common/record.h"
#include "tools/catalog/family.h"

struct settings {
	struct common common;
	const char *source_locale, *template;
	/* check */
	int fail_on; /* enum severity; one above the last: never */
	struct opt_list used_in;
	bool fix, dry_run;
	/* write */
	const char *arb, *po, *xliff, *android, *i18next, *strings, *xcstrings, *tmx;
	const char *name; /* NULL: what is usual in the format */
	struct opt_list to;
	bool force, prune;
	/* check, stats */
	bool table;
};

/* The subcommands: struct opt_command's run. */
void read_run(struct run *, void *settings);
void write_run(struct run *, void *settings);
void check_run(struct run *, void *settings);
void stats_run(struct run *, void *settings);

/*
 * Fills families from the operands: files, folders. Without operands records
 * on stdin name the files ({"file":…}, kind file or none; all others pass
 * through), and where stdin is a terminal or empty the project's own folder
 * (l10n.yaml) is taken, which stderr says.
 */
void gather(struct run *, const struct settings *, struct families *);

/* Says on stderr which files are no catalogues; the status becomes 3. */
void report_bad(struct run *, const struct families *);

/* Whether a person reads: --table, or stdout is a terminal. */
bool wants_table(const struct settings *);

#endif
