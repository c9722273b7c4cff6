/*
 * What a record has where its answer goes: an answer, which was paid for and
 * stays; nothing, or an estimate of a dry run, which makes room; or what
 * somebody else wrote, which is not ours to replace.
 */
#include "common/record_io.h"
#include "tools/ai/engine_part.h"

/* An object with one of the first two members and with the third. */
static bool
has(struct slice object, const char *either, const char *or, const char *and)
{
	struct slice value;

	return json_type(object) == JSON_OBJECT && json_get(object, and, &value) &&
	    (json_get(object, either, &value) || json_get(object, or, &value));
}

/* Whether the failure that --retry took off was one of asking: another's is no reason to ask. */
static bool
failed_here(const struct engine *e, const struct record *r)
{
	struct slice error;

	return r->retried && json_get(slice_trim(r->original), "error", &error) &&
	    error_is_ours(error, e->run->tool->name);
}

bool
engine_has(struct engine *e, struct slot *s, const struct record *r)
{
	const struct settings *set = e->settings;
	struct slice value;

	if (set->force || set->plain || !json_get(r->text, set->into, &value) ||
	    json_type(value) == JSON_NULL || has(value, "request", "request", "estimate"))
		return false;
	if (!has(value, "text", "json", "finish")) {
		engine_error(e, s, "member_taken", false, "the record has a member '%s' that is no "
		    "answer: --into=ANOTHER, or --force to replace it", set->into);
		return true;
	}
	if (failed_here(e, r))
		return false;
	s->had = true;
	engine_leaves(e, s);
	return true;
}

void
engine_pass(struct engine *e, struct slot *s, struct record *r)
{
	e->counts.had++;
	if (!s->retried) {
		record_pass(r);
		return;
	}
	/* As it came, with the other's error. */
	e->counts.before++;
	record_emit(e->run, slice_trim(r->original));
	run_status(e->run, STATUS_PARTIAL);
}
