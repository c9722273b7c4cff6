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

static struct slice
keep(struct changing *k, const struct buf *b)
{
	return (struct slice){arena_copy(&k->arena, b->len ? b->ptr : "", b->len), b->len};
}

/*
 * A record's text in the dialect of the ARB files; ptr NULL where the dialect
 * cannot say it (a brace that is text, without use-escaping).
 */
static struct slice
to_arb(struct changing *k, const struct incoming_message *m, struct slice text)
{
	int dialect = message_dialect_of(slice(m->format));
	struct message parsed;
	bool good;

	buf_reset(&k->text);
	if (dialect == MESSAGE_PLAIN) {
		good = message_quote(text, k->targets->dialect, false, false, &k->text);
		return good ? keep(k, &k->text) : (struct slice){NULL, 0};
	}
	if ((unsigned)dialect == k->targets->dialect || dialect < 0 || (dialect & 15) > MESSAGE_ARB)
		return text;
	if (message_parse(text, (unsigned)dialect, &k->arena, &parsed, NULL) < 0)
		return text; /* check will say what is wrong with it */
	good = message_convert(&parsed, k->targets->dialect, &k->text);
	return good ? keep(k, &k->text) : (struct slice){NULL, 0};
}

/* -- what the file and the template have -- */

static void
old_arb(struct changing *k, const struct target *t, const struct incoming_message *m,
    struct slice source, struct merge_old *old, struct catalog_change *change)
{
	const struct catalog *template = targets_template(k->targets);
	const struct catalog_entry *e = catalog_find(&t->old, m->key);
	const struct catalog_entry *was = template ? catalog_find(template, m->key) : NULL;

	*old = (struct merge_old){0};
	if (e) {
		*old = (struct merge_old){.there = e->nvalues && e->values[0].len,
		    .value = e->nvalues ? e->values[0] : S(""),
		    .state = e->state,
		    .stale = e->stale};
		change->was_hash = e->was_hash;
	}
	if (was && was->nvalues && source.ptr)
		old->source_changed = !slice_eq(was->values[0], source);
	if (!was || !was->nvalues || old->stale)
		return;
	/* A draft made from something else than the template says is stale, whoever changed that.
	 */
	buf_reset(&k->text);
	arb_hash(was->values[0], &k->text);
	if (change->was_hash.len && !slice_eq(change->was_hash, buf_slice(&k->text)))
		old->stale = true;
	else if (old->source_changed)
		change->was_hash = keep(k, &k->text);
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
	    .placeholders = m->placeholders};
}

static const char cannot_say[] = "ARB cannot say a brace that is text without use-escaping";

static void
withhold(struct target *t, const struct incoming_message *m, const char *why)
{
	json_put(&t->withheld, m->key);
	t->nwithheld++;
	warn("%s: '%.*s' is not written: %s", t->file, (int)(m->key.len < 80 ? m->key.len : 80),
	    m->key.ptr, why);
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

static enum merge_outcome
change_translation(struct changing *k, struct target *t, const struct incoming_message *m,
    struct catalog_change *change)
{
	bool arb = k->targets->format == CATALOG_ARB;
	struct incoming_translation offer;
	struct merge_old old;
	struct slice source = arb && m->value.ptr ? to_arb(k, m, m->value) : m->value;
	enum merge_outcome outcome;

	incoming_translation(m, t->locale, &k->arena, &offer);
	if (arb)
		old_arb(k, t, m, source, &old, change);
	else
		old_po(k, t, &old, change);
	struct slice text = offer.there && arb ? to_arb(k, m, offer.value) : offer.value;
	bool differs = offer.there && !(old.there && slice_eq(old.value, text));
	if (differs && !text.ptr)
		withhold(t, m, cannot_say);
	else if (differs && !merge_sound(m, &offer, t->locale, &k->text))
		withhold(t, m, k->text.ptr);
	else
		differs = false;
	offer.there &= !differs; /* what differs by now is withheld */
	offer.value = text;
	bool renamed = take_renames(k, source, &old, change);
	outcome = merge_decide(&old, &offer, k->settings->force, change);
	if (renamed && !change->write)
		outcome = rewrite(&old, change);
	if (arb && change->write && !change->stale && source.ptr &&
	    change->state < CATALOG_TRANSLATED) {
		buf_reset(&k->text);
		arb_hash(source, &k->text);
		change->was_hash = keep(k, &k->text);
	}
	return outcome;
}

/* The source's own text in the ARB template. */
static enum merge_outcome
change_template(struct changing *k, struct target *t, const struct incoming_message *m,
    struct catalog_change *change)
{
	const struct catalog_entry *e = catalog_find(&t->old, m->key);
	struct slice source = m->value.ptr ? to_arb(k, m, m->value) : m->value;

	change->state = CATALOG_TRANSLATED;
	if (m->value.ptr && !source.ptr)
		withhold(t, m, cannot_say);
	if (!source.ptr)
		return e ? MERGE_SAME : MERGE_MISSING;
	const char *wrong = e ? NULL : arb_key_fault(m->key);
	if (wrong)
		warn("%s: gen-l10n refuses the key '%.*s': it %s", t->file,
		    (int)(m->key.len < 80 ? m->key.len : 80), m->key.ptr, wrong);
	change->write = true;
	change->value = source;
	if (!e)
		return MERGE_ADDED;
	change->write = !slice_eq(e->values[0], source);
	struct catalog_rename *renames = NULL;
	change->nrenames =
	    rename_find(e->values[0], source, k->targets->dialect, &k->arena, &renames);
	change->renames = renames;
	return change->write ? MERGE_UPDATED : MERGE_SAME;
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
	if (!t->template)
		return change_translation(k, t, m, change);
	return k->targets->format == CATALOG_ARB ? change_template(k, t, m, change)
						 : change_pot(k, t, change);
}
