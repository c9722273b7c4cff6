/*
 * hub: a Realtime server in one process: topics, members, broadcast,
 * presence, as Supabase Realtime and Phoenix speak them.
 *
 * Nobody joins without a key, unless the hub listens on loopback alone and has no
 * key file. Each topic's broadcast is framed once per dialect and shared by
 * all queues (socket.h). All memory is bounded by the settings.
 */
#ifndef KANDIL_COLLAB_HUB_H
#define KANDIL_COLLAB_HUB_H

#include "common/die.h"
#include "common/socket.h"
#include "tools/collab/keyring.h"

struct hub;

struct hub_settings {
	const struct keyring *keyring; /* NULL: everybody (loopback only: serve.c sees to it) */
	const char *const *origins;    /* n of them, or "*"; none: hub_admit.c */
	size_t norigins;
	size_t max_payload, max_queue, max_memory;
	long max_connections, max_topics, max_channels;
	double max_joins, max_rate, max_key_rate, max_topic_rate, max_presence_rate;
	/* history: as many messages, or for so long (0 both: none); folder NULL: in memory */
	size_t history_messages;
	int64_t history_ms;
	const char *history_dir;
};

struct hub *hub_open(struct sockets *, const struct hub_settings *, struct err *e);
/* May be called for several addresses; cert and key NULL: no TLS. */
int hub_listen(struct hub *, const char *host, int port, const char *cert, const char *key,
    struct err *e);
/* Timers, after each sockets_wait: milliseconds until the next is due, -1: none. */
int64_t hub_turn(struct hub *, int64_t now);
/*
 * SIGTERM: no new connections; each member is told "Server requested disconnect" (system,
 * status ok), queues are emptied, history is written. True when all have gone or wait_ms is over:
 * then close.
 */
void hub_drain(struct hub *, int64_t now, int64_t wait_ms);
bool hub_drained(struct hub *, int64_t now);
/* After sockets_close: it frees what the connections' callbacks would still want. */
void hub_close(struct hub *);
/* A new keyring (SIGHUP); members whose key is gone are closed at the next check. */
void hub_rekey(struct hub *, const struct keyring *);

#endif
