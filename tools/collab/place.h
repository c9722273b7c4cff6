/*
 * place: where a client's state lies, who the client is, and what it has reached.
 *
 * $XDG_STATE_HOME/kandil/collab (~/.local/state/kandil/collab), or what --state-dir
 * gives in its stead, has a folder HOST_PORT/TOPIC/NAME for each, percent-encoded; a part
 * that gets longer than 100 bytes is its first 60, a plus sign and 32 digits of its
 * SHA-256. In it, all private to the user:
 *	lock	one process at a time
 *	out/	the outbox, a journal, with `node`: the identity that its lines are sent under
 *	in/	the inbox, a journal
 *	marks	what was reached: counters that survive kill -9 (marks.h)
 *
 * An identity is NAME.RANDOM, RANDOM 128 bits as 26 characters of RFC 4648's
 * base32 in small letters; made once and kept with the outbox, so that (identity, number)
 * names one line for ever. It is made anew (place_renew) whenever numbers might be used
 * twice: the outbox is gone, has lost lines, or is an old copy. All that is in
 * the old outbox and was not taken by the relay goes into the new one, under new numbers; the old
 * folder is set aside as out.damaged-TIME. An exchange that a crash has cut short
 * is taken back, or finished, by the next place_open.
 */
#ifndef KANDIL_COLLAB_PLACE_H
#define KANDIL_COLLAB_PLACE_H

#include "tools/collab/journal.h"
#include "tools/collab/marks.h"

enum {
	PLACE_NAME = 64,	/* bytes of a name */
	PLACE_IDENTITY = PLACE_NAME + 1 + 26,
};

/*
 * The marks. After a power failure each may be earlier than it was; DELIVERED may also be
 * later than the last place of the inbox, whose last messages are gone then:
 * place_inbox sets it back to that.
 */
enum place_mark {
	PLACE_NODE,	 /* a hash of the identity that the next one belongs to; place's own */
	PLACE_RELAYED,	 /* own lines up to this number were taken by the relay */
	PLACE_DELIVERED, /* of the inbox, up to this place all is on stdout */
	PLACE_BASELINE,	 /* whether baselines are set */
	PLACE_TAKING,	 /* of the inbox, this place was given to the taker: above DELIVERED it may be out */
	PLACE_OWNER,	 /* and the next: party_count */
	PLACE_OWNER_TWO,
	PLACE_SPARE,	 /* and up to MARKS */
};

struct place {
	char *folder, *out, *in;
	char from[PLACE_IDENTITY + 1]; /* the identity */
	struct marks marks;
	int lock;
	/* What happened, to be said: */
	bool marks_lost; /* marks were damaged: delivered messages may come again */
	bool renewed;	 /* there is a new identity in place of an old one */
	uint64_t moved;	 /* lines that it took over */
	char *aside;	 /* the old outbox; NULL: there was none, or it was not renewed */
};

struct place_settings {
	const char *url; /* of the relay: scheme, host and port of it count */
	struct slice topic, name; /* any bytes; name: 1 to PLACE_NAME bytes of UTF-8, no controls */
	const char *folder; /* of --state-dir, or NULL */
};

/*
 * Finds or makes it, locks it, knows the identity. 0, or -1 with e and nothing to close:
 * "bad_url", "bad_name", "no_home" (and no folder given), "in_use" (names the process),
 * "cannot_read", "cannot_write", "disk_full".
 */
int place_open(struct place *, const struct place_settings *, struct err *e);
void place_close(struct place *);

uint64_t place_mark(const struct place *, enum place_mark);
void place_set(struct place *, enum place_mark, uint64_t value);

/* Whether from is an identity of that name. */
bool place_is_identity(struct slice name, struct slice from);

/*
 * Opens the outbox; renews the identity where lines of it are lost, it does not reach
 * what the relay has taken, or it is another identity's. *report: of what was found
 * there first, filled also when it fails, with what was set aside as it is named now; the
 * caller's to free. -1 with e as of journal_open.
 */
int place_outbox(struct place *, size_t max_bytes, struct journal **, struct journal_report *,
    struct err *e);
/* Opens the inbox, likewise. What is lost of it others may have. */
int place_inbox(struct place *, size_t max_bytes, struct journal **, struct journal_report *,
    struct err *e);

/*
 * A new identity and a new outbox. The journal of the old one must be closed. 0, or
 * -1 with e: all is as it was, or will be done at the next place_open.
 */
int place_renew(struct place *, struct err *e);

#endif
