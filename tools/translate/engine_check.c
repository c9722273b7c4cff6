#include "tools/translate/engine_part.h"

#include "tools/translate/branch.h"
#include "tools/translate/fold.h"
#include "tools/translate/fuzzy.h"

/* One text's answers: checked, joined, compared. */

static bool
exceeds(struct slice text, size_t max_length)
{
	return utf8_count(text.ptr, text.len) > max_length;
}

bool
engine_too_long(struct slice text, unsigned dialect, size_t max_length)
{
	static struct arena arena;
	struct message m;
	const struct message_node *branch;
	struct buf shown = {0};
	bool longer = false;

	if (!max_length || text.len <= max_length)
		return false;
	arena_reset(&arena);
	if (message_parse(text, dialect, &arena, &m, NULL) < 0 || !message_branches(&m))
		return exceeds(text, max_length);
	/* Of a plural what is shown is one case; of several it depends on too much. */
	if (!(branch = branch_single(&m)))
		return false;
	for (const struct message_node *c = branch + 1; c < branch + branch->size; c += c->size) {
		buf_reset(&shown);
		branch_flatten(&m, branch, c, &shown);
		longer |= exceeds(buf_slice(&shown), max_length);
	}
	buf_free(&shown);
	return longer;
}

/* ---- what is wrong ---- */

static void
add_violation(struct buf *out, const char *text)
{
	if (out->len)
		buf_adds(out, "; ");
	buf_adds(out, text);
}

static bool
has_controls(struct slice text)
{
	for (size_t i = 0; i < text.len; i++)
		if ((unsigned char)text.ptr[i] < ' ' && text.ptr[i] != '\n' && text.ptr[i] != '\t')
			return true;
	return false;
}

/* No language needs eight times the room; a model that rambles is not read through. */
static bool
is_rambling(struct slice answer, struct slice text)
{
	return answer.len > 8 * text.len + 2000;
}

/* Why an answer is not even read; NULL: it may be. */
static const char *
unreadable(struct slice answer, struct slice text)
{
	if (!answer.ptr)
		return "no translation was given";
	if (is_rambling(answer, text))
		return "it is far too long for its text";
	return has_controls(answer) && !has_controls(text) ? "it has control characters" : NULL;
}

/* The pieces as messages, and all of it joined; false: what is wrong is added. */
static bool
read_answers(struct engine *e, struct work *w, struct buf *violations)
{
	struct slice *texts = arena_alloc(&e->arena, (w->n + 1) * sizeof(*texts));
	struct buf text = {0}, whole = {0};
	struct err err = {.text = ""};
	bool ok = true;

	for (size_t i = 0; ok && i < w->n; i++) {
		buf_reset(&text);
		const char *why = unreadable(w->answers[i], w->parts[i].text);
		if (why)
			ok = err_set(&err, "bad_reply", "%s", why) == 0;
		else
			ok = mask_take(&w->parts[i], e->service.form, w->answers[i], &text, &err) == 0;
		texts[i] = engine_keep(e, buf_slice(&text));
		ok = ok && message_parse(texts[i], w->m.dialect, &e->arena, &w->made[i], &err) == 0;
	}
	ok = ok && (cases_join(&w->m, slice(e->settings.targets[w->target].locale), &e->arena,
			texts, &whole) ||
		       err_set(&err, "bad_reply", "it cannot stand in a case of the plural") == 0);
	/* What is shown of a text that is withheld: the message, else what came. */
	if (ok)
		w->value = engine_keep(e, buf_slice(&whole));
	else if (w->answers[0].ptr && !is_rambling(w->answers[0], w->parts[0].text))
		w->value = w->answers[0];
	else
		w->value = (struct slice){"", 0};
	if (!ok)
		add_violation(violations, err.text);
	buf_free(&text);
	buf_free(&whole);
	return ok;
}

static bool
verify(struct engine *e, const struct work *w, struct buf *violations)
{
	struct message_faults faults = {0};

	message_verify(w->m.text, w->value, w->m.dialect,
	    slice(e->settings.targets[w->target].locale), &e->arena, &faults);
	for (size_t i = 0, said = 0; faults.serious && i < faults.n && said < 5; i++)
		if (!faults.v[i].warning) {
			add_violation(violations, faults.v[i].text);
			said++;
		}
	if (engine_too_long(w->value, w->m.dialect, w->gap->max_length)) {
		struct buf text = {0};
		buf_addf(&text, "longer than %zu characters", w->gap->max_length);
		add_violation(violations, text.ptr);
		buf_free(&text);
	}
	return violations->len == 0;
}

enum checked
engine_check(struct engine *e, struct work *w)
{
	struct buf violations = {0};
	struct slice term, wanted;
	enum checked result = CHECKED_GOOD;

	if (!read_answers(e, w, &violations) || !verify(e, w, &violations)) {
		result = CHECKED_BAD;
	} else {
		if (glossary_breach(e->settings.glossary, w->target, w->m.text, w->value, &term,
			&wanted)) {
			buf_addf(&violations, "the glossary has '%.*s' for '%.*s'", (int)wanted.len,
			    wanted.ptr, (int)term.len, term.ptr);
			result = CHECKED_DOUBTFUL;
		} else if (slice_eq(w->value, w->m.text)) {
			/* Right for names; a person tells. Asking again would not. */
			w->attempt = e->service.repairs;
			buf_adds(&violations, "the same as the source");
			result = CHECKED_DOUBTFUL;
		}
	}
	w->violations = engine_keep(e, buf_slice(&violations));
	buf_free(&violations);
	return result;
}

/* ---- translated back ---- */

static void
fold_message(const struct message *m, struct buf *out)
{
	struct buf skeleton = {0};

	fold_skeleton(m, &skeleton);
	fold_text(buf_slice(&skeleton), out);
	buf_free(&skeleton);
}

/* The likeness of one piece to what came back of it. */
static double
compare_piece(struct engine *e, const struct work *w, size_t i, struct buf *back)
{
	struct buf ours = {0}, theirs = {0};
	struct message m;
	double score = 0;

	fold_message(&w->parts[i], &ours);
	/* What lost its placeholders is compared as it is. */
	if (mask_take(&w->made[i], e->service.form, w->backs[i], back, NULL) < 0) {
		buf_reset(back);
		buf_addslice(back, w->backs[i]);
	}
	struct slice copy = engine_keep(e, buf_slice(back));
	if (message_parse(copy, w->m.dialect, &e->arena, &m, NULL) == 0)
		fold_message(&m, &theirs);
	else
		fold_text(copy, &theirs);
	score = fuzzy_likeness(buf_slice(&ours), buf_slice(&theirs));
	buf_free(&ours);
	buf_free(&theirs);
	return score;
}

double
engine_compare(struct engine *e, const struct work *w, struct buf *out)
{
	struct buf back = {0};
	double least = 2;

	for (size_t i = 0; i < w->n; i++) {
		buf_reset(&back);
		bool read = !unreadable(w->backs[i], w->parts[i].text);
		double score = read ? compare_piece(e, w, i, &back) : 0;

		if (score >= least)
			continue;
		least = score;
		buf_reset(out);
		buf_addslice(out, buf_slice(&back));
	}
	buf_free(&back);
	return least;
}
