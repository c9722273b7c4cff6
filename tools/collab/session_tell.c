/* What is waited for, told to whoever wonders why nothing comes. */
#include "tools/collab/session_part.h"

/* Whether despair (session_want.c) calls it a gap by itself, however long the sender is away. */
static bool
ends(const struct peer *p, uint64_t held)
{
	return held || p->gone > p->delivered || p->gone_self > p->delivered;
}

bool
session_hole(const struct session *s, int64_t now, size_t *at, struct session_hole *hole)
{
	/* What is held for want of room here is not missing, nor asked for. */
	while (s->up && !s->holding && *at < s->wanting.n) {
		const struct peer *p = s->wanting.v[(*at)++];
		uint64_t tail = order_tail(s, p), held = 0;
		struct slice event, payload;
		int64_t left;
		bool asked;

		if (!p->known || tail <= p->delivered)
			continue;
		asked = s->set.listener && p->lost != p->delivered + 1;
		if (asked && want_streams(s, now))
			continue;
		if (!held_back_first(&p->held, &held, &event, &payload))
			held = 0;
		left = want_left(s, now, p);
		*hole = (struct session_hole){.from = peer_name(p), .first = p->delivered + 1,
		    .last = held ? held - 1 : tail, .left_ms = -1};
		hole->here = !s->set.listener && peer_here(s, p);
		if (s->set.listener ? !asked : !hole->here && ends(p, held))
			hole->left_ms = left > 0 ? left : 0;
		return true;
	}
	return false;
}

size_t
session_behind(const struct session *s, struct slice *from)
{
	size_t n = 0;

	for (size_t i = 0; s->up && i < s->near.n; i++) {
		const struct peer *p = s->near.v[i];

		if (!p->ours || !peer_expected(s, p) || p->acked >= s->relayed)
			continue;
		if (n++ == 0)
			*from = peer_name(p);
	}
	return n;
}
