/* check: findings about catalogues, and --fix for those with one right answer. */
#include "tools/catalog/catalog.h"
#include "tools/catalog/fix.h"
#include "tools/catalog/rules.h"
#include "tools/catalog/used.h"

#include <stdlib.h>

struct checking {
	struct findings findings;
	struct fixes fixes;
};

static void
take(const struct finding *f, void *state)
{
	struct checking *k = state;

	if (k->findings.settings->fix && f->nedits && fixes_add(&k->fixes, f))
		return;
	finding_emit(&k->findings, f);
}

/* A file that is no catalogue is the gravest finding: the app does not build. */
static void
check_bad(struct checking *k, const struct family_bad *bad)
{
	struct finding f = {.rule = "unreadable",
	    .severity = SEVERITY_CRITICAL,
	    .file = bad->name,
	    .line = bad->err.line,
	    .column = bad->err.line ? bad->err.column : 0,
	    .subject = slice(bad->err.code),
	    .message = slice(bad->err.text)};

	take(&f, k);
}

static void
report_unused(struct checking *k, const struct family *f, const struct used *used)
{
	const struct catalog *t = f->template;
	struct buf message = {0};

	for (size_t i = 0; t && t->format == CATALOG_ARB && i < t->n; i++) {
		const struct catalog_entry *e = &t->entries[i];
		if (used_has(used, e->key))
			continue;
		buf_reset(&message);
		buf_addf(&message, "'%.*s' is used in no source",
		    (int)(e->key.len < 120 ? e->key.len : 120), e->key.ptr);
		struct finding finding = {.rule = "unused-key",
		    .severity = SEVERITY_LOW,
		    .file = t->name,
		    .line = e->line,
		    .column = e->column,
		    .span = e->span,
		    .key = e->key,
		    .locale = t->locale,
		    .message = buf_slice(&message),
		    .fix = S("remove it, or use it")};
		take(&finding, k);
	}
	buf_free(&message);
}

static void
look_for_unused(struct checking *k, const struct families *families, const struct settings *s,
    struct run *run)
{
	struct used used = {0};

	for (size_t i = 0; i < s->used_in.n; i++)
		used_add(&used, s->used_in.v[i]);
	if (used.unreadable)
		run_status(run, STATUS_FAILED);
	if (used.files == 0)
		warn("no Dart source in --used-in: unused keys are not looked for");
	for (size_t i = 0; used.files && i < families->n; i++)
		report_unused(k, &families->v[i], &used);
	used_free(&used);
}

void
check_run(struct run *run, void *settings)
{
	const struct settings *s = settings;
	struct checking k = {.findings = {.run = run, .settings = s, .table = wants_table(s)}};
	struct families families;

	gather(run, s, &families);
	for (size_t i = 0; i < families.nbad; i++)
		check_bad(&k, &families.bad[i]);
	for (size_t i = 0; i < families.n && !run_interrupted(); i++)
		rules_check(&families.v[i], take, &k);
	if (s->used_in.n)
		look_for_unused(&k, &families, s, run);
	if (s->fix && fixes_apply(&k.fixes, &families, s->dry_run) < 0)
		run_status(run, STATUS_FAILED);
	finding_summary(&k.findings);
	fixes_free(&k.fixes);
	families_free(&families);
	buf_free(&k.findings.out);
}
