/*
 * roster: who is present on a channel, from presence_state and presence_diff.
 *
 * Who somebody is, is phx_ref, not the key: an update is the leave of the old
 * ref and the join of a new one in one diff, and two connections under one key are
 * two metas. Diffs that come before the state are held and applied after it.
 * After a rejoin what is known stays until the new state comes, and only differences are told.
 * Source: phoenix.js 1.8 (Presence.syncState, syncDiff), Phoenix.Presence.
 */
#ifndef KANDIL_COLLAB_ROSTER_H
#define KANDIL_COLLAB_ROSTER_H

#include "common/buf.h"

enum {
	ROSTER_METAS = 20000,		 /* connections: twice what a hosted plan has */
	ROSTER_BYTES = 32 * 1024 * 1024, /* of them, and of diffs that wait */
};

struct roster_meta;
struct roster_member;

/* Zero-initialised with member and state set is ready. */
struct roster {
	/*
	 * A key came or its meta changed (here), or it left (meta is then empty). meta: the newest
	 * one's raw object without phx_ref and phx_ref_prev. It must not change the roster.
	 */
	void (*member)(struct slice key, bool here, struct slice meta, void *state);
	void *state;
	struct roster_member **members; /* by key, in memcmp order */
	size_t n, cap, metas, bytes;
	bool settled;	   /* the state of this join has come */
	struct buf *held;  /* diffs before it */
	size_t nheld, held_cap;
	struct buf scratch, key, ref;
};

/* The channel was (re)joined: a state will come. */
void roster_joined(struct roster *);
/* Payloads as they came, JSON that json_check accepted; what is odd in them is passed over. */
void roster_state(struct roster *, struct slice payload);
void roster_diff(struct roster *, struct slice payload);
void roster_free(struct roster *);

#endif
