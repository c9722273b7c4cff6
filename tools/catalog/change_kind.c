/*
 * The formats of catalog_kind.c: what is there, what is offered and what the
 * source was are compared as the format says them, so that it does not count
 * whether a file has names or positions.
 */
#include "tools/catalog/change.h"

#include "common/format/arb.h"
#include "common/json.h"
#include "common/message.h"
#include "tools/catalog/rename.h"
#include "tools/catalog/said.h"

#include <stdio.h>

static struct slice
hash_of(struct changing *k, struct slice text)
{
	struct buf b = {0};

	arb_hash(text, &b);
	struct slice hash = {arena_copy(&k->arena, b.ptr, b.len), b.len};
	buf_free(&b);
	return hash;
}

/* What the template had for the key: as said; ptr NULL: nothing. */
static struct slice
said_before(struct changing *k, const struct incoming_message *m)
{
	const struct catalog *template = targets_template(k->targets);
	const struct catalog_entry *e = template ? catalog_find(template, m->key) : NULL;

	return e ? said_entry(k->targets->kind, e, k->targets->source_locale, &k->arena)
		 : (struct slice){NULL, 0};
}

/*
 * Of a format with a template: what its mark remembers, or the template has,
 * against what the source is now. True where a stale mark is true no more.
 */
static bool
compare_keyed(struct changing *k, const struct incoming_message *m, struct slice now,
    const struct catalog_entry *e, struct merge_old *old, struct catalog_change *change)
{
	struct slice before = said_before(k, m);

	change->was_hash = e ? e->was_hash : S("");
	if (!now.ptr)
		return false;
	if (!change->was_hash.len) {
		old->source_changed = before.ptr && !slice_eq(before, now);
		if (old->source_changed && !old->stale)
			change->was_hash = hash_of(k, before);
		return false;
	}
	bool same = slice_eq(change->was_hash, hash_of(k, now));
	bool reverted = same && old->stale;
	old->stale = !same;
	/* The mark says so already, or is to say it now. */
	if (!same && e && !e->stale && before.ptr &&
	    slice_eq(change->was_hash, hash_of(k, before))) {
		old->stale = false;
		old->source_changed = true;
	}
	return reverted;
}

/* Of a format that keeps the source beside the translation. */
static void
compare_beside(struct changing *k, const struct incoming_message *m, struct slice now,
    const struct catalog_entry *e, struct merge_old *old, struct catalog_change *change)
{
	struct slice before;

	if (!e || !m->value.ptr || !now.ptr)
		return;
	before = said_source(k->targets->kind, e, k->targets->source_locale, &k->arena);
	if (before.ptr && !slice_eq(before, now)) {
		change->old_source = e->source;
		old->source_changed = true;
	}
}

/*
 * Where only names of placeholders changed in the source the old translation
 * gets the new names. The text; ptr NULL: more changed, or nothing did.
 */
static struct slice
renamed(struct changing *k, const struct incoming_message *m, const struct catalog_entry *e,
    const struct merge_old *old, struct slice was)
{
	struct catalog_rename *v;

	if (k->targets->format == CATALOG_TMX || !old->there || !old->source_changed ||
	    old->stale || !was.ptr || !m->value.ptr ||
	    strcmp(e->format, "icu") != 0 || strcmp(m->format, "icu") != 0)
		return (struct slice){NULL, 0};
	size_t n = rename_find(was, m->value, MESSAGE_ICU, &k->arena, &v);
	if (!n)
		return (struct slice){NULL, 0};
	return rename_apply(e->values[0], MESSAGE_ICU, v, n, &k->arena);
}

/* The offer as said; ptr NULL where it must not be written, which is said. */
static struct slice
judge(struct changing *k, struct target *t, const struct incoming_message *m,
    const struct catalog_change *change, const struct merge_old *old, struct slice text)
{
	struct err e = {0};
	struct slice said =
	    said_text(k->targets->kind, change, text, t->locale, &k->arena, &e);
	const char *why = NULL;

	if (!said.ptr)
		why = e.text;
	else if (old->there && slice_eq(old->value, said))
		return said; /* it says what is there */
	else if (!merge_sound(m->value, text, message_dialect_of(slice(m->format)), t->locale,
		     &k->text))
		why = k->text.ptr;
	if (!why)
		return said;
	change_withhold(t, m->key, why);
	return (struct slice){NULL, 0};
}

/* What merge_decide took, in what the format's merge takes. */
static void
put_text(struct catalog_change *change, const struct catalog_entry *e,
    const struct merge_old *old, struct slice offered)
{
	if (!change->write)
		return;
	change->keep_text = old->there && slice_eq(change->value, old->value);
	change->value = change->keep_text ? e->values[0] : offered;
}

/* Where merge_decide leaves the old text: its new names, and a mark that is true no more. */
static enum merge_outcome
keep_names(struct catalog_change *change, const struct catalog_entry *e,
    const struct merge_old *old, struct slice new_names, bool reverted,
    enum merge_outcome outcome)
{
	if ((new_names.ptr || reverted) && !change->write) {
		change->write = true;
		change->keep_text = !new_names.ptr;
		change->value = new_names.ptr ? new_names : e->values[0];
		change->state = old->state;
		change->stale = old->stale;
		outcome = MERGE_UPDATED;
	} else if (new_names.ptr && change->keep_text) {
		change->keep_text = false;
		change->value = new_names;
	}
	return outcome;
}

/* What the file says in more than one message stays; that is said once, and listed for each. */
static void
withhold_opaque(struct changing *k, struct target *t, const struct incoming_message *m,
    const struct catalog_entry *e)
{
	bool added;

	table_put(&k->opaque, m->key, &added);
	if (added) {
		change_withhold(t, m->key, family_opaque_reason(&t->old, e));
		return;
	}
	json_put(&t->withheld, m->key);
	t->nwithheld++;
}

static enum merge_outcome
change_translation(struct changing *k, struct target *t, const struct incoming_message *m,
    struct catalog_change *change)
{
	const struct catalog_kind *kind = k->targets->kind;
	const struct catalog_entry *e = catalog_find(t->now, m->key);
	struct incoming_translation offer;
	struct merge_old old = {0};
	struct slice now = {NULL, 0}, offered, new_names;
	bool reverted = false;

	incoming_translation(m, t->locale, &k->arena, &offer);
	if (e && e->opaque) {
		if (offer.there && !k->no_offers)
			withhold_opaque(k, t, m, e);
		return MERGE_SAME; /* the file has it, in a way of its own */
	}
	offer.there &= !k->no_offers && !(e && e->fixed);
	if (e && e->partial && !k->settings->force) {
		if (offer.there)
			change_withhold(t, m->key,
			    "a person translated some of its segments: translate the others in "
			    "the file, or use --force");
		return MERGE_MISSING;
	}
	offered = offer.value;
	if (m->value.ptr)
		now = said_text(kind, change, m->value, k->targets->source_locale, &k->arena, NULL);
	if (e) {
		old.value = said_entry(kind, e, t->locale, &k->arena);
		old.there = old.value.ptr != NULL;
		old.state = e->state;
		old.stale = e->stale;
		old.unmarked = kind->format == CATALOG_XCSTRINGS;
	}
	if (kind->bilingual)
		/* Another language of the memory may have the unit. */
		compare_beside(k, m, now,
		    e || !kind->many ? e : catalog_find(&k->targets->original, m->key), &old,
		    change);
	else
		reverted = compare_keyed(k, m, now, e, &old, change);
	new_names = e ? renamed(k, m, e, &old, change->old_source) : (struct slice){NULL, 0};
	if (new_names.ptr)
		old.source_changed = false;
	if (offer.there) {
		offer.value = judge(k, t, m, change, &old, offered);
		offer.there = offer.value.ptr != NULL;
	}
	if (offer.replaces.ptr)
		offer.replaces = said_text(kind, change, offer.replaces, t->locale, &k->arena, NULL);
	enum merge_outcome outcome = merge_decide(&old, &offer, k->settings->force, change);
	put_text(change, e, &old, offered);
	outcome = keep_names(change, e, &old, new_names, reverted, outcome);
	if (!kind->bilingual && change->write && !change->stale && now.ptr)
		change->was_hash = hash_of(k, now);
	else if (change->stale && change->write && change->value.ptr == offered.ptr)
		change->was_hash = S(""); /* of another source than the one that is known */
	return outcome;
}

/* The source's own text, in the template. */
static enum merge_outcome
change_source(struct changing *k, struct target *t, const struct incoming_message *m,
    struct catalog_change *change)
{
	const struct catalog_kind *kind = k->targets->kind;
	const struct catalog_entry *e = catalog_find(t->now, m->key);
	struct err why = {0};
	struct slice now;

	change->state = CATALOG_TRANSLATED;
	if (m->value.ptr && e && e->opaque)
		withhold_opaque(k, t, m, e);
	if (!m->value.ptr || (e && (e->opaque || e->fixed)))
		return e ? MERGE_SAME : MERGE_MISSING;
	now = said_text(kind, change, m->value, t->locale, &k->arena, &why);
	if (!now.ptr) {
		change_withhold(t, m->key, why.text);
		return e ? MERGE_SAME : MERGE_MISSING;
	}
	if (e && slice_eq(said_entry(kind, e, t->locale, &k->arena), now))
		return MERGE_SAME;
	change->write = true;
	change->value = m->value;
	return e ? MERGE_UPDATED : MERGE_ADDED;
}

enum merge_outcome
change_kind(struct changing *k, struct target *t, const struct incoming_message *m,
    struct catalog_change *change)
{
	/* What the format calls a text by is known here, not to the record. */
	change->placeholders = m->placeholders;
	return t->template ? change_source(k, t, m, change) : change_translation(k, t, m, change);
}
