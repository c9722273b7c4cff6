/* The access token of a link: replaced before it ends, by a command or a file. */
#include "common/json.h"
#include "common/secret.h"
#include "common/time.h"
#include "tools/collab/link_part.h"
#include "tools/collab/where.h"

bool
link_can_renew(const struct link *l)
{
	return l->token_command || l->token_file;
}

int
link_renew(struct link *l, bool *fresh, struct err *e)
{
	struct buf token = {0};

	l->tried_at = time_ms();
	if (where_token(l->token_command, l->token_file, &token, e) < 0)
		return -1;
	*fresh = !slice_eq(buf_slice(&token), buf_slice(&l->token));
	secret_wipe(&l->token);
	l->token = token;
	return 0;
}

void
link_token_plan(struct link *l, int64_t now)
{
	int64_t left, wait, end = link_can_renew(l) ? where_token_end(buf_slice(&l->token)) : 0;

	l->token_at = LINK_NEVER_DUE;
	if (end == 0)
		return;
	/* Halfway at the latest: some live for less than a minute. Never in a tight loop. */
	left = end - time_now();
	wait = left - l->times.early > left / 2 ? left - l->times.early : left / 2;
	if (wait < l->times.renew / 10)
		wait = left > 0 ? l->times.renew / 10 : l->times.renew;
	l->token_at = now + wait;
}

void
link_token_turn(struct link *l, int64_t now)
{
	bool fresh = false;
	struct err e;

	if (l->token_at == LINK_NEVER_DUE || l->token_at > now)
		return;
	if (link_renew(l, &fresh, &e) < 0)
		note("the token could not be replaced, it is tried again: %s", e.text);
	if (fresh && l->at == LINK_UP)
		link_say_token(l);
	now = time_ms();
	link_token_plan(l, now);
	if (!fresh && l->token_at < now + l->times.renew)
		l->token_at = now + l->times.renew;
}
