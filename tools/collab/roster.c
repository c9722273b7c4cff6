#include "tools/collab/roster.h"

#include "common/json.h"
#include "common/mem.h"

#include <stdlib.h>

enum { HELD = sizeof(struct buf) + 64 }; /* what a diff that waits costs besides its bytes */

struct roster_meta {
	char *ref; /* then the text, in one piece */
	size_t ref_len;
	struct slice text; /* without the server's own members */
};

struct roster_member {
	char *key;
	size_t key_len;
	struct roster_meta *metas; /* in the order they came: the last is the newest */
	size_t n, cap;
	char *told; /* the meta that was last told; NULL: not told that it is here */
	size_t told_len;
};

/* ---- members ---- */

static size_t
position(const struct roster *r, struct slice key, bool *found)
{
	size_t low = 0, high = r->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct roster_member *m = r->members[middle];
		int order = slice_cmp((struct slice){m->key, m->key_len}, key);

		if (order == 0) {
			*found = true;
			return middle;
		}
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	*found = false;
	return low;
}

static struct roster_member *
member_of(struct roster *r, struct slice key, bool make)
{
	bool found;
	size_t at = position(r, key, &found);
	struct roster_member *m;

	if (found || !make)
		return found ? r->members[at] : NULL;
	r->members = xgrow(r->members, r->n, &r->cap, sizeof(*r->members));
	memmove(&r->members[at + 1], &r->members[at], (r->n - at) * sizeof(*r->members));
	m = xcalloc(1, sizeof(*m));
	m->key = xstrndup(key.ptr, key.len);
	m->key_len = key.len;
	r->members[at] = m;
	r->n++;
	r->bytes += key.len + sizeof(*m);
	return m;
}

static void
drop_meta(struct roster *r, struct roster_member *m, size_t i)
{
	r->metas--;
	r->bytes -= m->metas[i].ref_len + m->metas[i].text.len;
	free(m->metas[i].ref);
	m->n--;
	memmove(&m->metas[i], &m->metas[i + 1], (m->n - i) * sizeof(*m->metas));
}

static void
drop_metas(struct roster *r, struct roster_member *m)
{
	while (m->n)
		drop_meta(r, m, m->n - 1);
}

static void
member_free(struct roster *r, struct roster_member *m)
{
	drop_metas(r, m);
	r->bytes -= m->key_len + sizeof(*m) + m->told_len;
	free(m->metas);
	free(m->key);
	free(m->told);
	free(m);
}

/* Tells what has changed; true: nothing is left of it. */
static bool
settle(struct roster *r, struct roster_member *m)
{
	struct slice key = {m->key, m->key_len}, newest = {"", 0};

	if (m->n == 0) {
		if (m->told)
			r->member(key, false, newest, r->state);
		return true;
	}
	newest = m->metas[m->n - 1].text;
	if (m->told && slice_eq(newest, (struct slice){m->told, m->told_len}))
		return false;
	r->bytes += newest.len - m->told_len;
	free(m->told);
	m->told = xstrndup(newest.ptr, newest.len);
	m->told_len = newest.len;
	r->member(key, true, newest, r->state);
	return false;
}

static void
settle_key(struct roster *r, struct slice key)
{
	bool found;
	size_t at = position(r, key, &found);
	struct roster_member *m;

	if (!found || !settle(r, r->members[at]))
		return;
	m = r->members[at];
	r->n--;
	memmove(&r->members[at], &r->members[at + 1], (r->n - at) * sizeof(*r->members));
	member_free(r, m);
}

static void
settle_all(struct roster *r)
{
	size_t kept = 0;

	for (size_t i = 0; i < r->n; i++) {
		struct roster_member *m = r->members[i];

		if (settle(r, m))
			member_free(r, m);
		else
			r->members[kept++] = m;
	}
	r->n = kept;
}

/* ---- payloads ---- */

/* What identifies a meta: phx_ref, and where a server gives none, all of it. */
static struct slice
ref_of(struct roster *r, struct slice meta)
{
	return json_get_text(meta, "phx_ref", &r->ref) ? buf_slice(&r->ref) : meta;
}

static bool
room_for(const struct roster *r, size_t bytes)
{
	return r->metas < ROSTER_METAS && bytes < ROSTER_BYTES && r->bytes < ROSTER_BYTES - bytes;
}

static void
add_meta(struct roster *r, struct slice key, struct slice meta)
{
	struct slice ref = ref_of(r, meta);
	struct roster_member *m = member_of(r, key, false);
	struct roster_meta *made;

	/* Its own ref again (a diff from before the state): it is the newest, and as it now is. */
	for (size_t i = m ? m->n : 0; i-- > 0;)
		if (slice_eq(ref, (struct slice){m->metas[i].ref, m->metas[i].ref_len}))
			drop_meta(r, m, i);
	if (!room_for(r, key.len + ref.len + meta.len))
		return;
	buf_reset(&r->scratch);
	buf_addslice(&r->scratch, ref);
	buf_addslice(&r->scratch, meta);
	if (ref.ptr == r->ref.ptr) {
		struct buf own = {0};

		buf_addslice(&own, meta);
		while (json_drop(&own, "phx_ref") || json_drop(&own, "phx_ref_prev"))
			continue;
		buf_cut(&r->scratch, ref.len);
		buf_addslice(&r->scratch, buf_slice(&own));
		buf_free(&own);
	}
	m = member_of(r, key, true);
	m->metas = xgrow(m->metas, m->n, &m->cap, sizeof(*m->metas));
	made = &m->metas[m->n++];
	made->ref = xstrndup(r->scratch.ptr, r->scratch.len);
	made->ref_len = ref.len;
	made->text = (struct slice){made->ref + ref.len, r->scratch.len - ref.len};
	r->metas++;
	r->bytes += r->scratch.len;
}

static void
remove_meta(struct roster *r, struct slice key, struct slice meta)
{
	struct roster_member *m = member_of(r, key, false);
	struct slice ref = ref_of(r, meta);

	for (size_t i = m ? m->n : 0; i-- > 0;)
		if (slice_eq(ref, (struct slice){m->metas[i].ref, m->metas[i].ref_len}))
			drop_meta(r, m, i);
}

/* {KEY: {"metas": [META, …]}, …}: each meta to what; NULL: settles each key instead. */
static void
each(struct roster *r, struct slice keys,
    void (*what)(struct roster *, struct slice key, struct slice meta))
{
	struct json_walk w = json_walk(keys), list;
	struct slice name, value, metas, meta;

	while (json_member(&w, &name, &value)) {
		buf_reset(&r->key);
		buf_adds(&r->key, "");
		json_text(name, &r->key);
		if (what == NULL) {
			settle_key(r, buf_slice(&r->key));
			continue;
		}
		if (!json_get(value, "metas", &metas))
			continue;
		list = json_walk(metas);
		while (json_element(&list, &meta))
			if (json_type(meta) == JSON_OBJECT)
				what(r, buf_slice(&r->key), meta);
	}
}

static void
apply(struct roster *r, struct slice payload)
{
	struct slice joins = S("{}"), leaves = S("{}");

	json_get(payload, "joins", &joins);
	json_get(payload, "leaves", &leaves);
	each(r, joins, add_meta);
	each(r, leaves, remove_meta);
	each(r, joins, NULL);
	each(r, leaves, NULL);
}

static void
drop_held(struct roster *r)
{
	while (r->nheld) {
		struct buf *b = &r->held[--r->nheld];

		r->bytes -= b->len + HELD;
		buf_free(b);
	}
}

void
roster_joined(struct roster *r)
{
	r->settled = false;
	drop_held(r);
}

void
roster_state(struct roster *r, struct slice payload)
{
	for (size_t i = 0; i < r->n; i++)
		drop_metas(r, r->members[i]);
	each(r, payload, add_meta);
	r->settled = true;
	/* What was held belongs to it: nobody is to be told of what is over already. */
	for (size_t i = 0; i < r->nheld; i++) {
		struct slice diff = buf_slice(&r->held[i]), part = S("{}");

		json_get(diff, "joins", &part);
		each(r, part, add_meta);
		part = S("{}");
		json_get(diff, "leaves", &part);
		each(r, part, remove_meta);
	}
	drop_held(r);
	settle_all(r);
}

void
roster_diff(struct roster *r, struct slice payload)
{
	if (r->settled) {
		apply(r, payload);
		return;
	}
	/* Half of the room is the state's. */
	if (!room_for(r, ROSTER_BYTES / 2 + payload.len + HELD))
		return;
	r->held = xgrow(r->held, r->nheld, &r->held_cap, sizeof(*r->held));
	r->held[r->nheld] = (struct buf){0};
	buf_addslice(&r->held[r->nheld++], payload);
	r->bytes += payload.len + HELD;
}

void
roster_free(struct roster *r)
{
	drop_held(r);
	while (r->n)
		member_free(r, r->members[--r->n]);
	free(r->members);
	free(r->held);
	buf_free(&r->scratch);
	buf_free(&r->key);
	buf_free(&r->ref);
	*r = (struct roster){.member = r->member, .state = r->state};
}
