/*
 * ai: what the parts of kandil-ai share: the settings.
 */
#ifndef KANDIL_AI_AI_H
#define KANDIL_AI_AI_H

#include "common/record.h"
#include "tools/ai/endpoint.h"

struct settings {
	struct common common;
	/* what is asked */
	const char *prompt, *prompt_file, *system, *request; /* jq programs */
	const char *schema; /* a file, or a schema itself when it starts with { */
	long repairs;
	const char *into;
	bool force; /* whatever into holds is replaced */
	struct opt_list kind; /* others pass as they are; empty: all are asked about */
	const char *max_tokens, *temperature, *top_p, *top_k, *seed, *effort, *body; /* raw JSON */
	struct opt_list stop;
	/* whom */
	const char *model, *base_url, *path, *api, *api_version, *key_file, *key_command;
	int api_choice; /* api is the word of that number; 0: the provider's own, NULL */
	struct opt_list header;
	bool models; /* --models */
	/* how fast */
	long jobs, window;
	bool unordered;
	long rpm, tpm, output_tpm; /* per minute, 0: what the provider says */
	long retries;
	double timeout; /* seconds without a byte */
	/* what is kept */
	const char *cache, *cassette;
	size_t cache_size;
	bool no_cache, replay;
	/* money */
	const char *prices;
	const char *max_cost; /* decimal, in the price file's currency */
	bool dry_run;
	/* another way out */
	bool stream;
	bool plain; /* the text alone, no records: what kandil chat prints */
	bool batch;
	const char *state; /* --batch: its file */
	long batch_size; /* --batch: requests in one batch at most, 0: as many as it takes */
};

#endif
