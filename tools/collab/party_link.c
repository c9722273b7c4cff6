#include "tools/collab/party_part.h"

#include "common/json.h"
#include "common/mem.h"
#include "common/time.h"

#include <stdlib.h>

enum {
	GUESTS = 20000,
	LARGE = 5000000, /* what the link takes by itself */
	ASK_MS = 1000,	 /* between two joins that ask: a hub counts joins, by key */
};

void
party_tell(struct party *p, const char *what, const char *code, const char *text, int64_t retry_ms)
{
	if (p->hooks->status)
		p->hooks->status(what, code, text, retry_ms, p->last, p->state);
}

/* ---- up and down ---- */

static void
on_up(struct slice response, void *state)
{
	struct party *p = state;
	struct slice kandil, history;
	bool kept = json_get(response, "kandil", &kandil) && json_get(kandil, "history", &history) &&
	    json_type(history) == JSON_TRUE;

	if (p->told_down)
		note("connected");
	p->up = p->been_up = true;
	p->told_down = false;
	p->history = kept;
	session_up(p->session, time_ms(), kept);
	party_tell(p, "up", NULL, NULL, -1);
	if (p->hooks->up)
		p->hooks->up(p->state);
}

static void
on_down(enum link_class class, const char *code, const char *text, int64_t retry_ms, void *state)
{
	struct party *p = state;

	/* One line for each outage. */
	if (!p->told_down)
		note("%s%s", text, class == LINK_RATE ?
		    ": slower from now on; --rate=N keeps below it "
		    "(N: deliveries a second, which are messages times members)" :
		    ": trying again");
	buf_reset(&p->why);
	buf_adds(&p->why, text);
	p->told_down = true;
	p->up = false;
	p->nasks = 0;
	if (class == LINK_RATE)
		session_slow(p->session, time_ms());
	session_down(p->session, time_ms());
	party_tell(p, "down", code, text, retry_ms);
}

static void
on_connecting(void *state)
{
	party_tell(state, "connecting", NULL, NULL, -1);
}

static void
on_ended(enum status status, const char *code, const char *text, void *state)
{
	struct party *p = state;

	if (p->up)
		session_down(p->session, time_ms());
	p->up = false;
	party_fail(p, status, code, text);
}

/* ---- what comes ---- */

static void
on_broadcast(struct slice event, struct slice payload, struct slice meta, void *state)
{
	struct party *p = state;

	(void)meta;
	session_heard(p->session, time_ms(), event, payload);
}

static void
on_acked(uint64_t number, bool ok, const char *reason, void *state)
{
	struct party *p = state;

	session_acked(p->session, time_ms(), number, ok, reason);
}

/* ---- who is there ---- */

static void
drop_guest(struct party *p, size_t i)
{
	struct guest *g = p->guests[i];
	struct guest *last = p->guests[p->nguests - 1];

	table_drop(&p->names, (struct slice){g->key, g->len});
	p->guests[i] = last;
	p->nguests--;
	if (last != g)
		*table_get(&p->names, (struct slice){last->key, last->len}) = i;
	free(g->key);
	free(g);
}

static bool
is_client(struct slice key)
{
	const char *dot = memrchr(key.ptr, '.', key.len);

	return dot && place_is_identity((struct slice){key.ptr, (size_t)(dot - key.ptr)}, key);
}

static void
add_guest(struct party *p, struct slice key)
{
	struct guest *g = xcalloc(1, sizeof(*g));

	g->key = xstrndup(key.ptr, key.len);
	g->len = key.len;
	g->ours = is_client(key) && !slice_eq(key, party_self(p));
	p->guests = xgrow(p->guests, p->nguests, &p->guests_cap, sizeof(struct guest *));
	*table_put(&p->names, (struct slice){g->key, g->len}, NULL) = p->nguests;
	p->guests[p->nguests++] = g;
}

static void
on_member(struct slice key, bool here, struct slice meta, void *state)
{
	struct party *p = state;
	uint64_t *at = table_get(&p->names, key);

	session_member(p->session, time_ms(), key, here);
	if (here ? at == NULL && p->nguests >= GUESTS : at == NULL)
		return;
	if (p->hooks->presence)
		p->hooks->presence(!here ? "leave" : at ? "update" : "join", key, meta, p->state);
	if (!here)
		drop_guest(p, *at);
	else if (at == NULL)
		add_guest(p, key);
}

void
party_forget_guests(struct party *p)
{
	while (p->nguests)
		drop_guest(p, p->nguests - 1);
	free(p->guests);
	table_free(&p->names);
	p->guests = NULL;
	p->guests_cap = 0;
}

bool
party_has_roster(const struct party *p)
{
	return p->up && table_get(&p->names, party_self(p)) != NULL;
}

bool
party_each(const struct party *p, size_t *at, struct slice *from)
{
	while (*at < p->nguests) {
		const struct guest *g = p->guests[(*at)++];

		if (!g->ours)
			continue;
		*from = (struct slice){g->key, g->len};
		return true;
	}
	return false;
}

/* ---- what a listener asks ---- */

bool
party_ask(struct party *p, struct slice payload)
{
	if (p->nasks == PARTY_ASKS)
		return false;
	if (p->nasks == 0)
		buf_reset(&p->asks);
	buf_addc(&p->asks, p->nasks++ ? ',' : '[');
	buf_addslice(&p->asks, payload);
	return true;
}

int64_t
party_ask_turn(struct party *p, int64_t now)
{
	if (p->nasks == 0 || !p->up)
		return -1;
	if (now < p->ask_at)
		return p->ask_at - now;
	buf_addc(&p->asks, ']');
	p->ask_at = now + ASK_MS;
	if (link_ask(p->link, buf_slice(&p->asks))) {
		p->nasks = 0;
		return -1;
	}
	/* The last is not answered yet. */
	buf_cut(&p->asks, p->asks.len - 1);
	return ASK_MS;
}

/* ---- the link ---- */

static const struct link_events events = {
    .up = on_up,
    .down = on_down,
    .connecting = on_connecting,
    .broadcast = on_broadcast,
    .acked = on_acked,
    .member = on_member,
    .ended = on_ended,
};

int
party_connect(struct party *p, struct err *e)
{
	const struct settings *set = p->set.settings;
	struct link_settings link = {
	    .url = p->where.url,
	    .insecure = set->insecure,
	    .key = buf_slice(&p->where.key),
	    .token = buf_slice(&p->where.token),
	    .token_command = set->token_command,
	    .token_file = set->token_file,
	    .topic = p->set.topic,
	    .private = set->private_topic,
	    .dialect = set->vsn == 1 ? FRAME_V1 : FRAME_V2,
	    .presence = true,
	    .presence_key = p->set.listen ? S("") : party_self(p),
	    .presence_meta = set->meta ? slice(set->meta) : S("{}"),
	    .ca_file = set->ca_file,
	    .listen = p->set.listen,
	    .ask = p->set.listen ? S("[{\"kandil\":1,\"type\":\"hello\"}]") : S(""),
	};

	/* Frames carry more than the payload: at most as much again in escapes of names. */
	if (2 * p->max_payload > LARGE)
		link.max_message = 2 * p->max_payload;
	p->link = link_open(p->loop, &link, &events, p, e);
	return p->link ? 0 : -1;
}
