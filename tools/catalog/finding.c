/* Findings as records and as lines. */
#include "tools/catalog/finding.h"

#include "common/progress.h"

#include <stdio.h>
#include <unistd.h>

static const char *const severities[] = {"info", "low", "medium", "high", "critical"};

/* The same finding has the same fingerprint when lines move: rule, file, key, subject. */
static void
put_fingerprint(struct buf *b, const struct finding *f)
{
	struct buf name = {0};

	buf_addf(&name, "%s\n%s\n", f->rule, f->file);
	buf_addslice(&name, f->key);
	buf_addc(&name, '\n');
	buf_addslice(&name, f->subject);
	json_name(b, "fingerprint");
	buf_addf(b, "\"%016llx\"", (unsigned long long)hash_stable(buf_slice(&name)));
	buf_free(&name);
}

static void
put_span(struct buf *b, struct catalog_span span)
{
	json_name(b, "span");
	json_open(b, '[');
	json_put_long(b, (long long)span.start);
	json_put_long(b, (long long)span.end);
	json_close(b, ']');
}

static void
put_edits(struct buf *b, const struct finding *f)
{
	json_name(b, "edits");
	json_open(b, '[');
	for (size_t i = 0; i < f->nedits; i++) {
		json_open(b, '{');
		put_span(b, f->edits[i].span);
		json_add(b, "text", f->edits[i].text);
		json_close(b, '}');
	}
	json_close(b, ']');
}

static void
put_record(struct buf *b, const struct finding *f)
{
	json_open(b, '{');
	json_add(b, "kind", S("finding"));
	json_name(b, "rule");
	buf_addf(b, "\"catalog/%s\"", f->rule);
	json_add(b, "severity", slice(severities[f->severity]));
	json_add(b, "message", f->message);
	json_add(b, "file", slice(f->file));
	if (f->line) {
		json_add_long(b, "line", (long long)f->line);
		json_add_long(b, "column", (long long)f->column);
	}
	if (f->span.end)
		put_span(b, f->span);
	if (f->key.ptr)
		json_add(b, "key", f->key);
	if (f->locale.len)
		family_put_locale(b, "locale", f->locale);
	if (f->fix.ptr)
		json_add(b, "fix", f->fix);
	if (f->nedits)
		put_edits(b, f);
	json_add(b, "address", f->key.ptr ? f->key : slice(f->file));
	put_fingerprint(b, f);
	json_add(b, "engine", S("rules"));
	json_close(b, '}');
}

/* On a terminal no line is wider; elsewhere a finding is a line. */
static void
put_line(struct buf *out, const struct finding *f)
{
	struct buf line = {0}, *b = &line;

	buf_add_visible(b, slice(f->file));
	if (f->line)
		buf_addf(b, ":%zu:%zu", f->line, f->column);
	buf_addf(b, ": %s: ", severities[f->severity]);
	buf_add_visible(b, f->message);
	buf_addf(b, " [catalog/%s]", f->rule);
	if (isatty(STDOUT_FILENO))
		buf_add_wrapped(out, buf_slice(b), 0, 4, progress_columns(STDOUT_FILENO) - 1);
	else
		buf_addslice(out, buf_slice(b));
	buf_free(b);
}

void
finding_emit(struct findings *all, const struct finding *f)
{
	buf_reset(&all->out);
	if (all->table)
		put_line(&all->out, f);
	else
		put_record(&all->out, f);
	record_emit(all->run, buf_slice(&all->out));
	all->count[f->severity]++;
	if ((int)f->severity >= all->settings->fail_on)
		run_status(all->run, STATUS_PARTIAL);
}

void
finding_summary(struct findings *all)
{
	struct buf b = {0};

	for (int i = SEVERITY_CRITICAL; i >= 0; i--)
		if (all->count[i])
			buf_addf(&b, "%s%zu %s", b.len ? ", " : "", all->count[i], severities[i]);
	if (all->table)
		note("%s", b.len ? b.ptr : "nothing found");
	buf_free(&b);
}
