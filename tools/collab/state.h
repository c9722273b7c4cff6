/*
 * state: one JSON document that many nodes write and that converges: a
 * last-writer-wins map with hybrid logical clocks, spoken to in merge patches.
 *
 * Pure: no I/O, no clock. Per path there are two registers. REPLACE holds a
 * stamp and a leaf (scalar, array) or a tombstone; OBJECT holds a stamp. A
 * patch with stamp t writes OBJECT = t for every object that it passes
 * through, the root included, and REPLACE = t for every leaf of it (null: a
 * tombstone). Merging keeps the larger stamp of each register; among equal
 * stamps (two nodes with one id: a fault) the larger bytes, a tombstone being
 * the smallest. Reading: a path whose larger stamp is not above the largest
 * REPLACE of its ancestors is dead; else it is its leaf when REPLACE > OBJECT
 * (a tombstone: absent), else an object of its living children. This equals
 * all patches applied in the order of their stamps by RFC 7396, whatever the
 * order of arrival and however often. A document whose root is absent or null
 * reads {}. Registers that can never be read again are dropped.
 *
 * Names are compared decoded; the document is printed in the canonical form
 * of patch.h, so equal states are equal bytes. A number keeps its text, a
 * string its escapes.
 *
 * What a node does, in order:
 *
 *  own patch   clock_tick, clock_store; give the message (state_put_patch) to
 *              the outbox, which names its seq; state_merge with oneself as node
 *  a patch     state_get_patch; clock_receive (refused: leave it, try later);
 *              state_merge with the message's from and seq
 *  any other message of the session that has a seq: state_seen
 *  head        now and then, and on join, send state_head as a message; give
 *              those of others to state_heard, and do what it says one needs
 *  snapshot    asked for by whoever needs one: state_snapshot. The receiver
 *              loads the chunks into a fresh state (state_load), then
 *              clock_receive(state_newest), then state_join
 *  disk        the own snapshot is the state's file. On start: state_new,
 *              state_load, state_self, then state_merge of whatever outbox and
 *              inbox hold beyond state_vector, and clock_start
 *
 * The vector says of each node up to which seq its messages are merged. The
 * FLOOR is a stamp; tombstones at or below it are gone, therefore no patch at
 * or below it is merged any more (it would bring the dead back). It moves by
 * state_collect to what state_horizon says every known node has passed, and
 * then no patch that is refused is a new one, except of a node that was not
 * known: forgotten, new, or on the other side of a long cut. Such a node is
 * behind the floor: of what it holds, everything at or below the others'
 * floor gives way to their snapshot, and its own patches that they have not
 * seen are written anew:
 *
 *  1. state_merge of one of its patches at or below the floor says
 *     STATE_BEHIND, and the node is CLOSED at the seq before it: this
 *     identity cannot be believed complete any more. state_join closes a node
 *     too, when what gives way were writes of it that the side with the
 *     higher floor had not seen. Being closed travels in heads and snapshots;
 *     of two seqs the lower one counts. Later patches of a closed node are
 *     still merged when they are above the floor, but not counted.
 *  2. A node that finds itself closed (state_closed, after state_merge of its
 *     own, state_heard and state_join) takes a new identity (place_renew;
 *     state_self). Then every patch of its old outbox beyond the closed seq
 *     is sent again, in order, as the new identity's, each with a new stamp.
 *     It needs no care about what of it was known after all: a patch written
 *     again writes the same registers with larger stamps. The old outbox is
 *     kept; closed at a lower seq later, what lies between is sent too.
 */
#ifndef KANDIL_COLLAB_STATE_H
#define KANDIL_COLLAB_STATE_H

#include "common/buf.h"
#include "common/die.h"
#include "common/json.h"

#include "tools/collab/clock.h"

enum { STATE_DEPTH = JSON_DEPTH - 8 }; /* of path and leaf; the rest is for envelopes */

/*
 * Bounds; 0: the default. A patch that might take the state beyond them is
 * refused ("state_full"), but deletions have three times the room: who is
 * full can always delete. Above max_nodes a new node is refused ("state_full").
 */
struct state_settings {
	size_t max_registers; /* 500,000 */
	size_t max_bytes;     /* names, leaves and their nodes in memory: 128 MiB */
	size_t max_nodes;     /* 4,096: they stand in each head, about 60 bytes each */
};

/*
 * Places among max_nodes are for those whose messages, heads or stamps are here: of whom others'
 * heads tell takes none. Who has written nothing may have to give its place to another, when
 * there is none left: first who is forgotten, or has sent no head. It is unknown then, nobody
 * waits for it, and it is as good as new when it writes. Who wrote a patch, or is closed, keeps its
 * place for good, for that is how what others missed of it is found out; so a document has
 * max_nodes writers in its life.
 */

struct state;

struct state *state_new(const struct state_settings *);
void state_free(struct state *);

/* Which node this is: 0, or -1 with e ("bad_stamp", no valid id; "state_full"). */
int state_self(struct state *, struct slice node, struct err *);

/* ---- patches ---- */

enum state_result {
	STATE_REFUSED = -1, /* e says why; the vector has not moved */
	STATE_MERGED,
	STATE_KNOWN,  /* its seq was merged before */
	STATE_GAP,    /* a message between is missing: heal it, or take a snapshot */
	STATE_BEHIND, /* at or below the floor, or of a closed node: see above */
};

/*
 * Merges a node's patch (any checked JSON value): s->node is who wrote it, seq
 * its number (from 1). Refused: "too_deep"; "state_full"; "bad_stamp" for a
 * node that is none, or a stamp not above the node's last one.
 */
enum state_result state_merge(struct state *, const struct stamp *s, uint64_t seq,
    struct slice patch, struct err *);
/* The same without a vector, in any order, as often as you like: registers alone. */
enum state_result state_apply(struct state *, const struct stamp *s, struct slice patch,
    struct err *);
/*
 * A message of that node that was no patch is counted; results as above. STATE_KNOWN: also when
 * it would need a place, and no node that sent no head gives one.
 */
enum state_result state_seen(struct state *, struct slice node, uint64_t seq, struct err *);

/* {"stamp":[l,c],"patch":{…}}: a message's payload; the node is its from. */
void state_put_patch(struct buf *, const struct stamp *, struct slice patch);
/* Taken apart; s->node stays. -1 with e ("bad_stamp", "bad_patch"): checked JSON, but none. */
int state_get_patch(struct slice payload, struct stamp *s, struct slice *patch, struct err *);

/* ---- reading ---- */

/* Appends the document in canonical form, one line. */
void state_read(const struct state *, struct buf *out);
size_t state_registers(const struct state *);
size_t state_bytes(const struct state *);
/* Up to which seq of that node all is merged; 0: nothing. */
uint64_t state_vector(const struct state *, struct slice node);
/* Whether that node is closed; at state_vector. */
bool state_closed(const struct state *, struct slice node);
/*
 * Whether a head that says "NODE":[seq,l,c] has merged what is missing here; wrote: l is not 0. Who
 * wrote nothing, and has no place here, is not missed.
 */
bool state_lacks(const struct state *, struct slice node, uint64_t seq, bool wrote);
/* Each node in turn: at = 0; while (state_each(s, &at, &node, &seq, &closed)) … */
bool state_each(const struct state *, size_t *at, struct slice *node, uint64_t *seq,
    bool *closed);
/* The largest stamp anywhere in it (registers, vector, floor): lent. */
struct stamp state_newest(const struct state *);
/*
 * A number of the living registers and their stamps: equal states, equal
 * numbers, in every process. Kept until something changes; else it costs a walk.
 */
uint64_t state_digest(struct state *);

/* ---- snapshots ---- */

/*
 * All registers, the vector, floor and passed, as JSON objects of at most
 * limit bytes each, to be sent or stored in any order:
 *	{"snapshot":[l,c,"node"],"part":0,"last":false,"nodes":["a.X",…],"rows":[…]}
 * id tells snapshots apart: a tick of the own clock. nodes: what the numbers N
 * in rows mean. Rows: ["r",POINTER,l,c,N,LEAF], ["d",POINTER,l,c,N]
 * (tombstone), ["o",POINTER,l,c,N] (object); ["v",N,seq,l,c] and
 * ["c",N,seq,l,c] (vector; closed; the stamp of its last patch); ["t",l,c,N]
 * (N's newest collected tombstone); ["f",l,c,N], ["p",l,c,N] (floor, passed).
 * A row of its own may be larger than limit: it has at most 2 × the bytes of
 * the patch that wrote it + 1300, so set limit and the largest patch accordingly. chunk gets each when it is ready.
 */
void state_snapshot(struct state *, const struct stamp *id, size_t limit,
    void (*chunk)(struct slice json, void *closure), void *closure);
/*
 * Loads one into a state that is fresh or has loaded others of the same
 * snapshot: 1 when this was the last one missing, 0 when some are, -1 with e:
 * "bad_snapshot" (checked JSON but no chunk), "other_snapshot", "state_full". After -1
 * the fresh state is to be freed. A chunk that comes twice is skipped.
 */
int state_load(struct state *, struct slice chunk, struct err *);
/*
 * Merges a complete other state, which stays as it is. Where the floors
 * differ, the state with the higher one is right about all stamps at or below
 * it, see above; the higher floor is the result's. -1 with e: other is not
 * complete ("bad_snapshot"), or too many nodes that wrote ("state_full"); nothing is done then.
 */
int state_join(struct state *, const struct state *other, struct err *);

/* ---- heads, and when tombstones may go ---- */

enum state_need {
	STATE_NOTHING,
	STATE_MESSAGES, /* the other has merged messages that are missing here */
	STATE_SNAPSHOT, /* take a snapshot of the other: we are behind, new, or differ */
};

/*
 * Recomputes what we have passed (from the heads heard and what was merged since; kept in the
 * snapshot with what it is true of) and appends the head of this state, a message's payload:
 *	{"head":1,"clock":[l,c],"floor":[l,c,N],"passed":[l,c,N],"digest":"16 hex",
 *	 "vector":{"a.X":[seq,l,c],"b.Y":[seq,l,c,"closed"],…}}
 * clock: a promise that all later patches of this node are above it, hence a
 * fresh clock_tick, stored. passed: up to that stamp we have everything of
 * all known nodes, now and ever.
 */
void state_head(struct state *, const struct stamp *clock, struct buf *out);
/*
 * Takes note of another's head: -1 with e ("bad_head", "bad_stamp", "state_full") and
 * nothing noted. The clock in it (state_head_clock) must have passed
 * clock_receive first. Messages of from itself that are missing here are none when it has
 * written no patch since the last one of it that is: the vector goes on behind them, but
 * not to seq, the number of the head's own message.
 */
int state_heard(struct state *, struct slice from, uint64_t seq, struct slice head,
    enum state_need *, struct err *);
int state_head_clock(struct slice head, struct stamp *clock, struct err *);
/*
 * A node is known when it is in the vector and open, or has sent a head,
 * until it is forgotten: gone for so long (the caller's rule; days) that
 * nobody waits for it any more; or, having written nothing, gave its place to
 * another. A head of it makes it known again.
 */
void state_forget(struct state *, struct slice node);
/*
 * The stamp that every known node has passed, or the floor of one of them
 * if that is higher and we have passed it; lent. False when it is not above
 * the own floor, when a known node has not been heard since this state exists
 * in memory, and when no other node is known: who is alone keeps its
 * tombstones, for it may be new, and whoever is behind its floor gives way.
 */
bool state_horizon(const struct state *, struct stamp *);
/*
 * Drops tombstones at or below the horizon, which is the floor from then on;
 * a horizon below the floor does nothing.
 */
int state_collect(struct state *, const struct stamp *horizon, struct err *);

#endif
