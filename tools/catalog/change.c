/*
 * What the file has, what is offered, and what the source was before, brought
 * into one form to be compared; merge_decide then says who wins.
 */
#include "tools/catalog/change.h"

#include "common/format/arb.h"
#include "common/format/po.h"
#include "common/format/po_message.h"
#include "common/message.h"
#include "tools/catalog/rename.h"

#include <ctype.h>

static struct slice
keep(struct changing *k, const struct buf *b)
{
	return (struct slice){arena_copy(&k->arena, b->len ? b->ptr : "", b->len), b->len};
}

static struct slice
hash_of(struct changing *k, struct slice text)
{
	buf_reset(&k->text);
	arb_hash(text, &k->text);
	return keep(k, &k->text);
}

static bool
is_name(struct slice name)
{
	for (size_t i = 0; i < name.len; i++)
		if (!isalnum((unsigned char)name.ptr[i]) && name.ptr[i] != '_')
			return false;
	return name.len > 0;
}

/*
 * A message of printf or i18next with {name} for its conversions: %s and %1$s
 * are {arg1}. False where ARB has no way to say it.
 */
static bool
add_named(const struct message *parsed, unsigned dialect, struct buf *out)
{
	struct buf text = {0};
	bool good = true;

	for (size_t i = 0; good && i < parsed->n; i++) {
		const struct message_node *node = &parsed->nodes[i];
		buf_reset(&text);
		if (node->type == MESSAGE_PLACEHOLDER) {
			good = is_name(node->name);
			bool number = good && isdigit((unsigned char)*node->name.ptr);
			buf_adds(out, number ? "{arg" : "{");
			buf_addslice(out, node->name);
			buf_addc(out, '}');
			continue;
		}
		if (node->type == MESSAGE_TEXT)
			message_literal(parsed, node, &text);
		else
			buf_addslice(&text, message_bytes(parsed, node));
		good = message_quote(buf_slice(&text), dialect, false, i + 1 < parsed->n, out);
	}
	buf_free(&text);
	return good;
}

/*
 * A record's text in the dialect of the ARB files; ptr NULL where the dialect
 * cannot say it (a brace that is text, without use-escaping).
 */
static struct slice
to_arb(struct changing *k, const struct incoming_message *m, struct slice text)
{
	int dialect = message_dialect_of(slice(m->format));
	bool named = dialect == MESSAGE_PRINTF || dialect == MESSAGE_I18NEXT;
	struct message parsed;
	bool good;

	buf_reset(&k->text);
	if ((unsigned)dialect == k->targets->dialect || dialect < 0)
		return text;
	if (dialect == MESSAGE_PLAIN)
		good = message_quote(text, k->targets->dialect, false, false, &k->text);
	else if (message_parse(text, (unsigned)dialect, &k->arena, &parsed, NULL) < 0)
		return named ? (struct slice){NULL, 0} : text; /* check will say what is wrong */
	else if (named)
		good = add_named(&parsed, k->targets->dialect, &k->text);
	else
		good = message_convert(&parsed, k->targets->dialect, &k->text);
	return good ? keep(k, &k->text) : (struct slice){NULL, 0};
}

/* -- which source text is in force -- */

/* Whether own is a plural or select over what the other, which has none, puts in. */
static bool
is_proposal(struct changing *k, struct slice own, struct slice other)
{
	struct message a, b;
	struct message_placeholder *x, *y;
	unsigned dialect = k->targets->dialect;

	if (message_parse(own, dialect, &k->arena, &a, NULL) < 0 ||
	    message_parse(other, dialect, &k->arena, &b, NULL) < 0 || !message_branches(&a) ||
	    message_branches(&b))
		return false;
	size_t n = message_placeholders(&a, &k->arena, &x);
	if (message_placeholders(&b, &k->arena, &y) != n)
		return false;
	for (size_t i = 0, found; i < n; i++) {
		for (found = 0; found < n && !slice_eq(x[i].name, y[found].name);)
			found++;
		if (found == n)
			return false;
	}
	return true;
}

struct source {
	struct slice text;    /* what the template will have; ptr NULL: nothing */
	struct slice offered; /* the record's, as ARB has it; ptr NULL: none, or no way to say it */
	bool kept;	      /* the template's own text stays: the same as a plural, taken by hand */
};

/*
 * A record's text is the truth about its key, but for a proposal that a
 * person took: a plural in the template where the program has a plain form.
 */
static struct source
source_in_force(struct changing *k, const struct incoming_message *m)
{
	const struct catalog *template = targets_template(k->targets);
	const struct catalog_entry *e = template ? catalog_find(template, m->key) : NULL;
	struct source s = {.offered = m->value.ptr ? to_arb(k, m, m->value) : m->value};

	s.text = s.offered;
	if (!e || !e->values[0].len)
		return s;
	if (!s.offered.ptr) {
		s.text = e->values[0];
		return s;
	}
	if (!k->settings->force && !slice_eq(e->values[0], s.offered) &&
	    is_proposal(k, e->values[0], s.offered)) {
		s.text = e->values[0];
		s.kept = true;
	}
	return s;
}

/* -- what the file and the template have -- */

/* True where the file's mark says stale and the source is again what it was. */
static bool
old_arb(struct changing *k, const struct target *t, const struct incoming_message *m,
    struct slice source, struct merge_old *old, struct catalog_change *change)
{
	const struct catalog *template = targets_template(k->targets);
	const struct catalog_entry *e = catalog_find(&t->old, m->key);
	const struct catalog_entry *was = template ? catalog_find(template, m->key) : NULL;

	*old = (struct merge_old){0};
	if (e) {
		*old = (struct merge_old){.there = e->values[0].len > 0,
		    .value = e->values[0],
		    .state = e->state,
		    .stale = e->stale};
		change->was_hash = e->was_hash;
	}
	if (!source.ptr)
		return false;
	if (!change->was_hash.len) {
		old->source_changed = was && !slice_eq(was->values[0], source);
		if (old->source_changed && !old->stale)
			change->was_hash = hash_of(k, was->values[0]);
		return false;
	}
	/* A mark that remembers its source is true or not, whoever changed that. */
	bool same = slice_eq(change->was_hash, hash_of(k, source));
	bool reverted = same && old->stale;
	old->stale = !same;
	if (!same && was && !e->stale && slice_eq(change->was_hash, hash_of(k, was->values[0]))) {
		old->stale = false;
		old->source_changed = true;
	}
	return reverted;
}

/*
 * Fills change->old_source where the entry's source is another by now. They
 * are compared as gettext has them, where the spelling of the ICU around the
 * forms does not count, and as ICU, where %d or {n} does not.
 */
static void
compare_source(struct changing *k, const struct target *t, const struct catalog_entry *e,
    struct catalog_change *change)
{
	struct po_source now;
	struct slice was;

	buf_reset(&k->text);
	if (!catalog_source_message(&t->old, e, &k->text))
		return;
	was = keep(k, &k->text);
	po_source_of(change->source, change->format, &k->arena, &now);
	bool same = slice_eq(now.id, e->source) &&
	    (now.plural.ptr != NULL) == (e->source_plural.ptr != NULL) &&
	    (!now.plural.ptr || slice_eq(now.plural, e->source_plural));
	if (!same && !slice_eq(was, change->source))
		change->old_source = was;
}

static void
old_po(struct changing *k, const struct target *t, struct merge_old *old,
    struct catalog_change *change)
{
	const struct catalog_entry *e = po_find(&t->old, change);

	*old = (struct merge_old){0};
	if (!e)
		return;
	buf_reset(&k->text);
	if (catalog_message(&t->old, e, &k->text)) {
		old->there = true;
		old->value = keep(k, &k->text);
	}
	old->state = e->state;
	old->stale = e->stale;
	compare_source(k, t, e, change);
	old->source_changed = change->old_source.ptr != NULL;
}

/* -- one message in one file -- */

static struct catalog_change
describe(const struct incoming_message *m)
{
	return (struct catalog_change){.key = m->key,
	    .source = m->value.ptr ? m->value : m->key,
	    .format = m->format,
	    .context = m->context,
	    .description = m->description,
	    .reference = m->file,
	    /* Those of printf go by other names in ARB, and it needs no declaration. */
	    .placeholders = strcmp(m->format, "printf") ? m->placeholders : S("")};
}

static const char *
cannot_say(const struct incoming_message *m)
{
	if (strcmp(m->format, "printf") == 0 || strcmp(m->format, "i18next") == 0)
		return "ARB cannot say what it puts in";
	return "ARB cannot say a brace that is text without use-escaping";
}

void
change_withhold(struct target *t, struct slice key, const char *why)
{
	json_put(&t->withheld, key);
	t->nwithheld++;
	warn("%s: '%.*s' is not written: %s", t->file, (int)(key.len < 80 ? key.len : 80), key.ptr,
	    why);
}

/*
 * Where only names of placeholders changed in the source, the old translation
 * gets the new names and is as good as it was. False where more changed.
 */
static bool
take_renames(struct changing *k, struct slice source, struct merge_old *old,
    const struct catalog_change *change)
{
	const struct catalog *template = targets_template(k->targets);
	bool arb = k->targets->format == CATALOG_ARB;
	unsigned dialect = arb ? k->targets->dialect : MESSAGE_ICU;
	struct slice was = change->old_source, text;
	struct catalog_rename *v;

	if (!old->there || !old->source_changed || old->stale)
		return false;
	if (arb)
		was = catalog_find(template, change->key)->values[0];
	size_t n = rename_find(was, source, dialect, &k->arena, &v);
	if (!n || !(text = rename_apply(old->value, dialect, v, n, &k->arena)).ptr)
		return false;
	old->value = text;
	old->source_changed = false;
	return true;
}

/* The old translation under new names is to be written. */
static enum merge_outcome
rewrite(const struct merge_old *old, struct catalog_change *change)
{
	change->write = true;
	change->value = old->value;
	change->state = old->state;
	change->stale = old->stale;
	return MERGE_UPDATED;
}

/*
 * Where the template keeps a text that the program does not have, offers are
 * translations of another text: good for a start, and stale.
 */
static void
distrust(const struct merge_old *old, struct incoming_translation *offer)
{
	offer->there &= !old->there;
	offer->stale = true;
}

/* Takes away an offer that differs from what is there and must not be written. */
static void
judge(struct changing *k, struct target *t, const struct incoming_message *m,
    const struct source *source, const struct merge_old *old, struct incoming_translation *offer)
{
	bool arb = k->targets->format == CATALOG_ARB;
	struct slice text = offer->there && arb ? to_arb(k, m, offer->value) : offer->value;
	const char *why = NULL;

	if (!offer->there || (old->there && slice_eq(old->value, text)))
		; /* it says what is there */
	else if (!text.ptr)
		why = cannot_say(m);
	else if (!merge_sound(source->kept ? source->text : m->value,
		     source->kept ? text : offer->value,
		     source->kept ? (int)k->targets->dialect : message_dialect_of(slice(m->format)),
		     t->locale, &k->text))
		why = k->text.ptr;
	if (why)
		change_withhold(t, m->key, why);
	offer->there &= why == NULL;
	offer->value = text;
	if (offer->replaces.ptr && arb)
		offer->replaces = to_arb(k, m, offer->replaces);
}

static enum merge_outcome
change_translation(struct changing *k, struct target *t, const struct incoming_message *m,
    struct catalog_change *change)
{
	bool arb = k->targets->format == CATALOG_ARB, reverted = false;
	struct incoming_translation offer;
	struct merge_old old;
	struct source source = {.text = m->value, .offered = m->value};
	enum merge_outcome outcome;

	incoming_translation(m, t->locale, &k->arena, &offer);
	offer.there &= !k->no_offers;
	if (arb) {
		source = source_in_force(k, m);
		reverted = old_arb(k, t, m, source.text, &old, change);
	} else {
		old_po(k, t, &old, change);
	}
	if (source.kept)
		distrust(&old, &offer);
	judge(k, t, m, &source, &old, &offer);
	bool renamed = take_renames(k, source.text, &old, change);
	outcome = merge_decide(&old, &offer, k->settings->force, change);
	if ((renamed || reverted) && !change->write)
		outcome = rewrite(&old, change);
	if (!arb || !change->write || !source.offered.ptr)
		return outcome;
	if (source.kept && offer.there)
		change->was_hash = hash_of(k, source.offered);
	else if (!change->stale && change->state < CATALOG_TRANSLATED)
		change->was_hash = hash_of(k, source.text);
	return outcome;
}

/* The source's own text in the ARB template. */
static enum merge_outcome
change_template(struct changing *k, struct target *t, const struct incoming_message *m,
    struct catalog_change *change)
{
	const struct catalog_entry *e = catalog_find(&t->old, m->key);
	struct source source = source_in_force(k, m);

	change->state = CATALOG_TRANSLATED;
	if (m->value.ptr && !source.offered.ptr)
		change_withhold(t, m->key, cannot_say(m));
	if (!source.offered.ptr)
		return e ? MERGE_SAME : MERGE_MISSING;
	if (source.kept)
		return MERGE_SAME;
	const char *wrong = e ? NULL : arb_key_fault(m->key);
	if (wrong)
		warn("%s: gen-l10n refuses the key '%.*s': it %s", t->file,
		    (int)(m->key.len < 80 ? m->key.len : 80), m->key.ptr, wrong);
	bool same = e && slice_eq(e->values[0], source.text);
	change->write = !same;
	change->value = source.text;
	if (!e)
		return MERGE_ADDED;
	struct catalog_rename *renames = NULL;
	change->nrenames =
	    rename_find(e->values[0], source.text, k->targets->dialect, &k->arena, &renames);
	change->renames = renames;
	return same ? MERGE_SAME : MERGE_UPDATED;
}

/* A .pot has no translations; only its source texts can change. */
static enum merge_outcome
change_pot(struct changing *k, struct target *t, struct catalog_change *change)
{
	const struct catalog_entry *e = po_find(&t->old, change);

	if (!e)
		return MERGE_ADDED;
	compare_source(k, t, e, change);
	return change->old_source.ptr ? MERGE_UPDATED : MERGE_SAME;
}

enum merge_outcome
change_message(struct changing *k, struct target *t, const struct incoming_message *m,
    struct catalog_change *change)
{
	*change = describe(m);
	if (k->targets->kind)
		return change_kind(k, t, m, change);
	if (!t->template)
		return change_translation(k, t, m, change);
	return k->targets->format == CATALOG_ARB ? change_template(k, t, m, change)
						 : change_pot(k, t, change);
}
