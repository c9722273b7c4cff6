/* Which catalogues to work on: operands, records, or the project's own. */
#include "tools/catalog/catalog.h"
#include "common/format/l10n.h"

#include <errno.h>
#include <unistd.h>

struct naming {
	struct families *families;
	size_t records;
	struct buf name;
};

static void
take_record(struct record *r, void *state)
{
	struct naming *n = state;

	n->records++;
	if ((r->kind.len && !record_kind(r, "file")) || !record_get_text(r, "file", &n->name))
		record_pass(r);
	else if (access(n->name.ptr, R_OK) != 0)
		record_fail(r, "cannot_read", true, "cannot read '%.200s': %s", n->name.ptr,
		    strerror(errno));
	else
		families_add(n->families, n->name.ptr);
}

/* False where the folder is no Flutter project with catalogues. */
static bool
add_project(struct families *families)
{
	struct l10n l;
	struct err e = {0};
	bool there = false;

	if (l10n_read("", &l, &e) < 0) {
		warn("%s", e.text);
	} else if ((l.found || access("pubspec.yaml", F_OK) == 0) && access(l.arb_dir, R_OK) == 0) {
		note("reading the project's catalogues in '%s'", l.arb_dir);
		families_add(families, l.arb_dir);
		there = true;
	}
	l10n_free(&l);
	return there;
}

void
gather(struct run *run, const struct settings *s, struct families *families)
{
	struct naming n = {.families = families};
	bool terminal = isatty(STDIN_FILENO), named = false;

	*families = (struct families){.source_locale = s->source_locale, .template = s->template};
	for (int i = 0; i < run->noperands; i++) {
		if (strcmp(run->operands[i], "-") == 0) {
			record_read(run, STDIN_FILENO, "<stdin>", take_record, &n);
		} else {
			families_add(families, run->operands[i]);
			named = true;
		}
	}
	if (run->noperands == 0) {
		if (!terminal)
			record_read(run, STDIN_FILENO, "<stdin>", take_record, &n);
		named = n.records == 0 && add_project(families);
		if (n.records == 0 && !named && terminal)
			opt_usage(run->tool, run->command);
	}
	buf_free(&n.name);
	/* An empty stream is nothing to do; a folder that was named is a mistake. */
	if (named && families->n == 0 && families->nbad == 0 && !families->unreadable) {
		warn("no catalogue is there%s%s%s: name a folder of catalogues, or a file",
		    run->noperands ? ", '" : "", run->noperands ? run->operands[0] : "",
		    run->noperands ? "'" : "");
		run_status(run, STATUS_USAGE);
	}
	families_settle(families);
	if (families->unreadable)
		run_status(run, STATUS_FAILED);
}

void
report_bad(struct run *run, const struct families *families)
{
	for (size_t i = 0; i < families->nbad; i++) {
		const struct err *e = &families->bad[i].err;
		if (e->line)
			warn("%s:%zu:%zu: %s", families->bad[i].name, e->line, e->column, e->text);
		else
			warn("%s: %s", families->bad[i].name, e->text);
		run_status(run, STATUS_FAILED);
	}
}

bool
wants_table(const struct settings *s)
{
	return s->table || (isatty(STDOUT_FILENO) && !s->common.output);
}
