/*
 * collab: the settings that the subcommands of kandil-collab share. One struct,
 * since one option table may serve one base only (opt.h); each subcommand
 * reads its own part.
 */
#ifndef KANDIL_COLLAB_COLLAB_H
#define KANDIL_COLLAB_COLLAB_H

#include "common/opt.h"
#include "common/record.h"

struct settings {
	struct common common;

	/* join, sync, send: where */
	const char *url, *key_file, *token_file, *token_command, *ca_file;
	bool insecure, private_topic;
	long vsn; /* 1 or 2 */
	/* join, sync: who, and how */
	const char *as, *state_dir;
	double rate;
	size_t max_payload, keep;
	bool status;
	const char *for_length; /* "30s" */
	/* join */
	int since; /* now or all */
	const char *event, *log, *until, *meta;
	bool once, presence, self, only_listen;
	/* sync */
	const char *state;
	bool patches;

	/* serve */
	struct opt_list listen; /* HOST:PORT */
	const char *cert, *tls_key, *history, *history_dir;
	struct opt_list origin;
	long max_connections, max_topics, max_channels, max_joins;
	double max_rate, max_topic_rate, max_key_rate, max_presence_rate;
	size_t max_queue, max_memory;

	/* token */
	const char *alg, *kid, *role, *sub;
	struct opt_list read, write;
};

/* Each is one subcommand: what opt_command.run wants. */
void join_run(struct run *, void *settings);
void sync_run(struct run *, void *settings);
void send_run(struct run *, void *settings);
void serve_run(struct run *, void *settings);
void mint_run(struct run *, void *settings);

#endif
