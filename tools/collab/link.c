#include "tools/collab/link_part.h"

#include "common/mem.h"
#include "common/secret.h"
#include "common/time.h"
#include "tools/collab/where.h"

#include <stdlib.h>

enum { CLOSE_MS = 1000 };

static const struct link_times usual = {.first = 100, .base = 200, .cap = 10000, .rate = 2000,
    .lasting = 10000, .reply = 10000, .early = 60000, .renew = 10000};

static void
on_member(struct slice key, bool here, struct slice meta, void *state)
{
	struct link *l = state;

	if (l->events->member)
		l->events->member(key, here, meta, l->owner);
}

static int
check_settings(const struct link_settings *s, struct buf *base, struct err *e)
{
	if (where_base(s->url, s->insecure, base, e) < 0)
		return -1;
	if (s->topic[0] == '\0' || strlen(s->topic) + strlen("realtime:") > LINK_NAME)
		return err_set(e, "bad_topic", "a topic has 1 to %zu bytes",
		    LINK_NAME - strlen("realtime:"));
	if (utf8_valid(s->topic, strlen(s->topic)) != strlen(s->topic))
		return err_set(e, "bad_topic", "the topic is not UTF-8");
	if (s->key.len == 0 && s->token.len == 0 && !s->token_command && !s->token_file &&
	    !where_is_here(s->url))
		return err_set(e, "no_key", "no key for '%s'", base->ptr);
	return 0;
}

static char *
copy(const char *text)
{
	return text ? xstrdup(text) : NULL;
}

struct link *
link_open(struct sockets *loop, const struct link_settings *s, const struct link_events *events,
    void *state, struct err *e)
{
	struct link *l = xcalloc(1, sizeof(*l));
	struct buf base = {0}, topic = {0};

	l->events = events;
	l->owner = state;
	l->loop = loop;
	buf_adds(&topic, "realtime:");
	buf_adds(&topic, s->topic);
	l->topic = buf_detach(&topic);
	l->token_command = copy(s->token_command);
	l->token_file = copy(s->token_file);
	l->ca_file = copy(s->ca_file);
	buf_addslice(&l->key, s->key);
	buf_addslice(&l->token, s->token);
	buf_addslice(&l->presence_key, s->presence_key);
	buf_addslice(&l->meta, s->presence_meta);
	buf_addslice(&l->ask, s->ask);
	l->listen = s->listen;
	l->private = s->private;
	l->presence = s->presence;
	l->dialect = s->dialect == FRAME_V1 ? FRAME_V1 : FRAME_V2;
	l->max_message = s->max_message;
	l->heartbeat_ms = s->heartbeat_ms > 0 ? s->heartbeat_ms : 25000;
	l->times = usual;
	l->roster = (struct roster){.member = on_member, .state = l};
	if (s->seed)
		backoff_seed(&l->jitter, s->seed);
	l->at = LINK_WAITING;
	l->due = time_ms();
	if (check_settings(s, &base, e) < 0 ||
	    (link_can_renew(l) && link_renew(l, &(bool){false}, e) < 0)) {
		buf_free(&base);
		link_close(l, 0);
		return NULL;
	}
	l->base = buf_detach(&base);
	return l;
}

/* Leaves, as far as there is time: the reply says that all before it has been dealt with. */
static void
leave(struct link *l, int64_t end)
{
	l->at = LINK_LEAVING;
	l->left = false;
	link_say_leave(l);
	for (int64_t now = time_ms(); l->socket && !l->left && now < end; now = time_ms())
		sockets_wait(l->loop, end - now);
	link_drop(l, true);
	end = time_ms() + CLOSE_MS;
	for (int64_t now = time_ms(); l->closing && now < end; now = time_ms())
		sockets_wait(l->loop, end - now);
}

void
link_close(struct link *l, int64_t wait_ms)
{
	if (l->at == LINK_UP && wait_ms > 0)
		leave(l, time_ms() + wait_ms);
	l->at = LINK_ENDED;
	link_drop(l, false);
	if (l->closing)
		socket_cut(l->closing);
	while (l->sockets)
		sockets_wait(l->loop, 0);
	secret_wipe(&l->key);
	secret_wipe(&l->token);
	secret_wipe(&l->out);
	secret_wipe(&l->payload);
	buf_free(&l->text);
	buf_free(&l->presence_key);
	buf_free(&l->meta);
	buf_free(&l->ask);
	frame_reader_free(&l->reader);
	roster_free(&l->roster);
	free(l->pending);
	free(l->base);
	free(l->topic);
	free(l->token_command);
	free(l->token_file);
	free(l->ca_file);
	free(l);
}
