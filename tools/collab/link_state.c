/* The states of a link and its timers; the table of them is in link_part.h. */
#include "common/secret.h"
#include "common/time.h"
#include "common/url.h"
#include "tools/collab/link_part.h"
#include "tools/collab/where.h"

#include <stdio.h>

enum { MUTE_MAX = 3 };

static const struct socket_events socket_calls;

/* ---- losses ---- */

void
link_drop(struct link *l, bool politely)
{
	struct socket *s = l->socket;

	if (s == NULL)
		return;
	l->socket = NULL;
	if (!politely) {
		socket_cut(s);
		return;
	}
	/* It takes a while, so it is kept in sight: what outlives us would call us. */
	if (l->closing)
		socket_cut(l->closing);
	l->closing = s;
	socket_close(s, 1000, "");
}

static int64_t
wait_for(struct link *l, enum link_class class)
{
	unsigned n = l->attempt++;

	if (class == LINK_RATE || class == LINK_BUSY)
		return backoff_wait(&l->jitter, n, l->times.rate, l->times.cap - l->times.rate,
		    l->times.rate);
	if (n == 0)
		return backoff_wait(&l->jitter, 0, l->times.first, l->times.first, 0);
	return backoff_wait(&l->jitter, n - 1, l->times.base, l->times.cap, 0);
}

bool
link_was_told(const struct link *l)
{
	return l->said_text[0] && time_ms() - l->said_at < l->times.reply;
}

/* A refusal that asks for a new token: what becomes of it. */
static struct refusal
renew(struct link *l, struct refusal r, struct buf *text)
{
	bool fresh;
	struct err e;

	if (!link_can_renew(l)) {
		buf_adds(text, ": give --token-command, or a new key or token");
		return (struct refusal){LINK_NEVER, r.code};
	}
	if (l->renewed) {
		buf_adds(text, ", and what --token-command or --token-file gives is no better");
		return (struct refusal){LINK_NEVER, r.code};
	}
	if (link_renew(l, &fresh, &e) < 0) {
		/* Its reason may pass, too: the same network is down, or the disk away. */
		buf_addf(text, "; no new token: %s", e.text);
		return (struct refusal){LINK_BACKOFF, r.code};
	}
	l->renewed = true;
	return r;
}

static void
tell_end(struct link *l, struct refusal r, const char *text)
{
	link_drop(l, true);
	l->at = LINK_ENDED;
	if (l->events->ended)
		l->events->ended(STATUS_FAILED, r.code, text, l->owner);
}

static void
hide(const struct link *l, struct buf *text)
{
	secret_hide(text, buf_slice(&l->key));
	secret_hide(text, buf_slice(&l->token));
}

void
link_lost(struct link *l, struct refusal r, bool keep, int64_t wait_ms, const char *format, ...)
{
	struct buf text = {0};
	va_list args;
	int64_t now = time_ms();

	if (l->at == LINK_ENDED || l->at == LINK_LEAVING || l->at == LINK_WAITING)
		return;
	buf_room(&text, 600);
	va_start(args, format);
	text.len = (size_t)vsnprintf(text.ptr, 600, format, args);
	va_end(args);
	text.len = text.len < 600 ? text.len : 599;
	if (l->at == LINK_UP && now - l->up_at >= l->times.lasting) {
		l->attempt = 0;
		l->renewed = false;
	}
	link_forget(l);
	l->join_ref = l->track_ref = 0;
	l->token_at = LINK_NEVER_DUE;
	l->asking = false;
	l->at = keep && l->socket ? LINK_OFF : LINK_WAITING;
	hide(l, &text);
	if (r.class == LINK_REFRESH)
		r = renew(l, r, &text);
	hide(l, &text); /* it may be another token now, and what failed may have shown it */
	if (r.class == LINK_NEVER) {
		buf_adds(&text, refusal_remedy(r.code, text.ptr, l->key.len || l->token.len));
		tell_end(l, r, text.ptr);
	} else {
		if (l->at == LINK_WAITING)
			link_drop(l, strcmp(r.code, "closed") == 0);
		if (wait_ms < 0)
			wait_ms = r.class == LINK_REFRESH ? 0 : wait_for(l, r.class);
		l->due = time_ms() + wait_ms;
		if (l->events->down)
			l->events->down(r.class, r.code, text.ptr, wait_ms, l->owner);
	}
	buf_free(&text);
}

/* ---- the socket ---- */

static void
on_opened(struct socket *s, void *state)
{
	struct link *l = state;

	if (s != l->socket || l->at != LINK_CONNECTING)
		return;
	l->given = l->gone = l->last = l->beat_end = 0;
	l->beat_open = false;
	l->beat_at = time_ms() + l->heartbeat_ms;
	link_join(l);
}

static void
on_message(struct socket *s, struct slice bytes, bool binary, void *state)
{
	struct link *l = state;

	if (s == l->socket && l->at != LINK_ENDED)
		link_hear(l, bytes, binary);
}

static struct refusal
judge_end(const struct link *l, const struct socket_end *end)
{
	struct refusal r = {LINK_BACKOFF, socket_code(end->fault)};

	if (end->fault == SOCKET_REFUSED)
		r = refusal_http(end->status, slice(end->text));
	/* A wrong certificate at the start is a wrong setting; later it is a hotel's network. */
	if (end->fault == SOCKET_TLS && !l->been_up)
		r.class = LINK_NEVER;
	if (r.class == LINK_NEVER && l->been_up && strcmp(r.code, "no_realtime") == 0)
		r.class = LINK_BACKOFF;
	return r;
}

static void
on_closed(struct socket *s, const struct socket_end *end, void *state)
{
	struct link *l = state;
	struct refusal r = judge_end(l, end);

	l->sockets--;
	if (s == l->closing)
		l->closing = NULL;
	if (s != l->socket)
		return;
	l->socket = NULL;
	if (l->at == LINK_OFF)
		l->at = LINK_WAITING;
	else if (link_was_told(l) && (l->at == LINK_UP || l->at == LINK_JOINING))
		link_lost(l, l->said, false, -1, "the relay closed the connection: %s",
		    l->said_text);
	else if (end->fault == SOCKET_REFUSED)
		link_lost(l, r, false, -1, "the relay refuses the connection (HTTP %d)%s%s",
		    end->status, end->text[0] ? ": " : "", end->text);
	else if (end->fault == SOCKET_CLOSED)
		link_lost(l, r, false, -1, "the relay closed the connection (%d)%s%s", end->code,
		    end->text[0] ? ": " : "", end->text);
	else
		/* Who has been up there has the right scheme. */
		link_lost(l, r, false, -1, "%s%s",
		    end->text[0] ? end->text : "the connection broke",
		    end->mismatch && !l->been_up ? where_scheme_hint(l->base) : "");
}

static const struct socket_events socket_calls = {
	.opened = on_opened, .message = on_message, .closed = on_closed};

static void
connect_now(struct link *l)
{
	struct buf url = {0};
	struct socket_request request = {.ca_file = l->ca_file, .max_message = l->max_message,
	    .events = &socket_calls, .state = l};
	struct err e;

	/* One that is over by our own clock need not be refused first. */
	if (link_can_renew(l) && where_token_end(buf_slice(&l->token)) &&
	    where_token_end(buf_slice(&l->token)) < time_now() &&
	    time_ms() - l->tried_at >= l->times.renew) {
		bool fresh;

		if (link_renew(l, &fresh, &e) < 0)
			note("the token has expired, and could not be replaced: %s", e.text);
	}
	if (l->events->connecting)
		l->events->connecting(l->owner);
	buf_adds(&url, l->base);
	buf_adds(&url, "/websocket?apikey=");
	url_escape(&url, buf_slice(l->key.len ? &l->key : &l->token));
	buf_adds(&url, l->dialect == FRAME_V1 ? "&vsn=1.0.0" : "&vsn=2.0.0");
	request.url = url.ptr;
	l->at = LINK_CONNECTING;
	l->socket = socket_connect(l->loop, &request, &e);
	secret_wipe(&url);
	if (l->socket)
		l->sockets++;
	else
		link_lost(l, (struct refusal){LINK_NEVER, e.code}, false, -1, "%s", e.text);
}

/* ---- timers ---- */

bool
link_slept(struct link_clock *c, int64_t mono, int64_t wall, int64_t limit)
{
	bool slept = c->mono && (wall - c->wall) - (mono - c->mono) > limit;

	*c = (struct link_clock){mono, wall};
	return slept;
}

/* The relay takes nothing: once it may be its trouble; a write that is not allowed is silent. */
static void
mute(struct link *l)
{
	struct refusal broken = {LINK_BACKOFF, "timeout"}, barred = {LINK_NEVER, "permission"};

	if (l->private && !l->heard_ack && ++l->mute >= MUTE_MAX)
		link_lost(l, barred, false, -1,
		    "the relay takes no message: this token may not write to the private topic "
		    "'%s': " LINK_MAY_LISTEN, l->topic + strlen("realtime:"));
	else
		link_lost(l, broken, false, -1, "the relay acknowledges nothing any more");
}

/*
 * Whether the open heartbeat may be answered yet: bytes that still leave are a slow network, not
 * a dead one, and one that stood behind them has its time from when it left.
 */
static bool
beat_is_young(struct link *l, int64_t now)
{
	int64_t most = l->heartbeat_ms < l->times.reply ? l->heartbeat_ms : l->times.reply;

	if (link_moved(l) > 0 && now - l->moved_at < l->times.reply)
		return true;
	return now - l->beat_left_at < most;
}

/* Of a socket that stands. */
static void
watch(struct link *l, int64_t now)
{
	struct refusal timeout = {LINK_BACKOFF, "timeout"};
	bool young = beat_is_young(l, now);
	const struct link_pending *oldest = link_oldest(l);
	int64_t last = oldest ? oldest->sent : now;

	last = last > l->acked_at ? last : l->acked_at;
	last = last > l->moved_at ? last : l->moved_at;
	if ((l->at == LINK_JOINING || l->asking) && l->due <= now) {
		link_lost(l, timeout, false, -1, "the relay does not answer the join");
		return;
	}
	if (l->at == LINK_UP && oldest && now - last >= l->times.reply) {
		mute(l);
		return;
	}
	if (l->beat_at > now)
		return;
	if (l->beat_open && !young)
		link_lost(l, timeout, false, -1, "the relay does not answer the heartbeat");
	else
		link_beat(l);
}

static int64_t
sooner(int64_t a, int64_t b)
{
	return b != LINK_NEVER_DUE && b < a ? b : a;
}

static int64_t
next_due(const struct link *l)
{
	const struct link_pending *oldest = link_oldest(l);
	int64_t next = INT64_MAX;

	if (l->at == LINK_WAITING || l->at == LINK_JOINING || l->at == LINK_OFF)
		next = l->due;
	if (l->at != LINK_WAITING && l->at != LINK_CONNECTING)
		next = sooner(next, l->beat_at);
	if (l->at == LINK_UP) {
		next = sooner(next, l->token_at);
		if (l->asking)
			next = sooner(next, l->due);
		if (oldest) {
			int64_t last = oldest->sent > l->acked_at ? oldest->sent : l->acked_at;

			last = last > l->moved_at ? last : l->moved_at;
			next = sooner(next, last + l->times.reply);
		}
	}
	return next;
}

int64_t
link_turn(struct link *l)
{
	int64_t now = time_ms(), next;
	bool slept = link_slept(&l->clock, now, time_now(), 2 * l->heartbeat_ms);

	if (l->at == LINK_ENDED)
		return -1;
	if (slept && l->at != LINK_WAITING)
		link_lost(l, (struct refusal){LINK_BACKOFF, "cut_off"}, false, 0,
		    "this machine slept");
	else if (slept)
		l->due = now;
	if (l->at == LINK_JOINING || l->at == LINK_UP || l->at == LINK_OFF)
		watch(l, now);
	if (l->at == LINK_UP)
		link_token_turn(l, now);
	if (l->at == LINK_WAITING && l->due <= now)
		connect_now(l);
	else if (l->at == LINK_OFF && l->due <= now)
		link_join(l);
	if (l->at == LINK_ENDED)
		return -1;
	next = next_due(l);
	now = time_ms();
	return next == INT64_MAX ? l->heartbeat_ms : next > now ? next - now : 0;
}
