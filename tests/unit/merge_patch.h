/*
 * merge_patch: what RFC 7396 says that a merge patch makes of a document, for tests of what
 * makes patches and of what takes them.
 */
#ifndef KANDIL_TEST_MERGE_PATCH_H
#define KANDIL_TEST_MERGE_PATCH_H

#include "common/json.h"
#include "tools/collab/patch.h"

/* Section 2, member by member; of an object both lists are in the order of their names. */
static inline void
merge_members(struct members *m, struct slice target, struct slice patch, struct buf *out)
{
	size_t base = m->n, a = target.len ? members_push(m, target) : base, a_end = m->n;
	size_t b = members_push(m, patch), b_end = m->n;

	if (json_type(patch) != JSON_OBJECT) {
		json_compact(patch, out);
		return;
	}
	buf_addc(out, '{');
	while (a < a_end || b < b_end) {
		int order = a == a_end ? 1
			  : b == b_end ? -1
				       : slice_cmp(m->v[a].name, m->v[b].name);
		struct slice name = m->v[order > 0 ? b : a].name;
		struct slice old = order > 0 ? (struct slice){NULL, 0} : m->v[a++].value;
		struct slice new = order < 0 ? (struct slice){NULL, 0} : m->v[b++].value;

		if (new.len && json_type(new) == JSON_NULL)
			continue;
		json_name_slice(out, name);
		if (new.len)
			merge_members(m, old, new, out);
		else
			patch_canonical(old, out);
	}
	buf_addc(out, '}');
	m->n = base;
}

/*
 * Appends MergePatch(target, patch) in canonical form; target.len 0: there is none. A patch
 * that is null gives null.
 */
static inline void
merge_patch(struct slice target, struct slice patch, struct buf *out)
{
	struct members m = {0};

	merge_members(&m, target, patch, out);
	members_free(&m);
}

#endif
