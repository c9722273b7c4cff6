/*
 * endpoint: where a model is reached, and with which key.
 *
 * Providers are lines of a data file (providers.tsv, the shipped one and the
 * user's own $XDG_CONFIG_HOME/kandil/ai/providers.tsv, never a project's:
 * a cloned repository must not say where keys are sent):
 *	name  protocol  base  key-env  auth  base-env  model
 * `openai/gpt-x` is a provider and a model; `exec:COMMAND` and
 * `llama:FILE.gguf` are programs of this machine and come from options or
 * the user's configuration alone, never from a record.
 *
 * Keys come from the environment, --key-file, or a command that the user's
 * configuration names; they live in memory only and are wiped at the end.
 */
#ifndef KANDIL_AI_ENDPOINT_H
#define KANDIL_AI_ENDPOINT_H

#include "common/opt.h"
#include "tools/ai/provider.h"

#include <poll.h>

struct endpoint {
	const char *provider;		 /* the name in records: "openai" */
	const struct protocol *protocol; /* NULL: exec */
	char *base;			 /* URL without a slash at its end, no account in it */
	char *path; /* --path: replaces what the protocol has behind base; NULL: does not */
	struct slice *headers; /* "Name: value", the key's among them: never to be shown or kept */
	size_t nheaders;
	char *key_from;	  /* where its key was found, which may be told; NULL: it has none */
	char *command;	  /* exec: */
	char *model;	  /* what is asked where --model names none; NULL: none */
	bool listed;	  /* model is what the server listed first */
	bool local;	  /* on this machine: costs nothing, may need no key */
	unsigned lack;	  /* enum lack, learnt in this run */
	bool version_new; /* Anthropic: API version 2026-10-21 */
	struct buf wiped; /* the headers' bytes */
};

struct endpoints; /* all of a run */

struct endpoint_settings {
	const char *model;	 /* --model: provider/name, name, exec:…, llama:…, or NULL */
	const char *base_url;	 /* --base-url: for the provider of --model */
	const char *key_file;	 /* --key-file */
	const char *key_command; /* --key-command: prints the key; never a project's */
	const struct opt_list *headers; /* --header "Name: value", --header @FILE */
	const char *path;		/* --path: replaces the protocol's path (Azure) */
	const char *api;		/* --api: another protocol of the same provider */
	const char *api_version;	/* Anthropic's */
	bool offline; /* nothing will be sent: no key is needed, nobody is looked for */
};

/* Whether the name of a model means a program of this machine: exec:…, llama:…. */
bool endpoint_is_program(struct slice model);
/* Reads the tables; 0, or -1 with e ("bad_providers" with its line, "cannot_read"). */
int endpoints_open(struct endpoints **, const struct endpoint_settings *, struct err *e);
/*
 * The endpoint of a model's name, made when first asked for, and the model's
 * own name. trusted: exec: and llama: may be named. NULL with e:
 * "no_provider" (unknown, with the nearest), "no_key" (what to set),
 * "not_trusted", "no_model", "cannot_start", "interrupted" (by a signal, while a server starts).
 */
struct endpoint *endpoint_find(
    struct endpoints *, struct slice model, bool trusted, struct slice *name, struct err *e);
/*
 * The endpoint that the settings name, else the first of: a key that is set (order of the table),
 * a local Ollama or llama-server that answers. NULL with e "no_model":
 * three lines how to configure one; or why the server of --base-url does not say which it has.
 */
struct endpoint *endpoint_default(struct endpoints *, struct slice *name, struct err *e);
/*
 * --models: a record for each that is configured or answers, asked of the endpoint itself;
 * shown: lines for a person in place of records.
 */
struct run;
void endpoints_list(struct endpoints *, struct run *, bool shown);
/*
 * For every turn of a loop, or started servers wait for us to read what they say: what to poll,
 * at most ENDPOINTS_FDS (how many is returned), and taking it.
 */
enum { ENDPOINTS_FDS = 8 };
size_t endpoints_fds(const struct endpoints *, struct pollfd *);
void endpoints_turn(struct endpoints *);
/* Appends the URL that an ask goes to. */
struct ask;
void endpoint_url(const struct endpoint *, const struct ask *, struct buf *out);
/* Wipes keys, stops what was started. */
void endpoints_close(struct endpoints *);

#endif
