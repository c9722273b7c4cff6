/*
 * tree_jv: what tree and query know of each other: that a tree is a jv.
 *
 * libjq's rule is that every function consumes its arguments, jv_copy and
 * jv_get_kind aside; the trees around it borrow, so a call mostly starts with
 * a copy.
 */
#ifndef KANDIL_TREE_JV_H
#define KANDIL_TREE_JV_H

#include "common/tree.h"

#include <jv.h>

_Static_assert(sizeof(struct tree) == sizeof(jv), "a tree holds a jv");

static inline jv
tree_jv(const struct tree *t)
{
	jv value;

	memcpy(&value, t, sizeof(value));
	return value;
}

static inline struct tree
tree_of(jv value)
{
	struct tree t;

	memcpy(&t, &value, sizeof(t));
	return t;
}

#endif
