/*
 * provider: the wire protocols of language models, as pure functions.
 *
 * A protocol turns an ask into a body, a reply's bytes into a struct reply,
 * a stream's events into the same step by step, and a refusal into what is
 * to be done about it. Nothing here opens a socket, waits or keeps state, so
 * all of it is tested with bytes. Sources: man page of kandil-ai(1), STANDARDS.
 */
#ifndef KANDIL_AI_PROVIDER_H
#define KANDIL_AI_PROVIDER_H

#include "common/buf.h"
#include "common/die.h"
#include "tools/ai/ask.h"

enum finish {
	FINISH_NONE,	/* nothing said yet: a stream that ends so was cut */
	FINISH_STOP,	/* complete; only this is a result */
	FINISH_LENGTH,	/* cut at a token limit */
	FINISH_REFUSED, /* refused, filtered, blocked */
	FINISH_OTHER,	/* tool calls and whatever else is no answer */
};

/* Tokens; input includes what the provider's cache served, output includes reasoning. */
struct usage {
	bool known;
	long long input, cached, output, reasoning;
	long long written; /* of input, what went into the provider's cache, which may cost more */
};

/* One reply, whole or growing; bufs are reset, never freed, between uses. */
struct reply {
	enum finish finish;
	struct buf finish_word; /* the provider's own word */
	struct buf text;	/* decoded; of a refusal, what it says */
	struct buf model;	/* as the provider names it; may be empty */
	struct buf id;		/* the provider's request id; may be empty */
	struct usage usage;
};
void reply_reset(struct reply *);
void reply_free(struct reply *);

/* What to do about a request that gave no reply. */
enum action {
	ACTION_RETRY,	 /* again, after at least wait_ms */
	ACTION_FAIL,	 /* this record fails */
	ACTION_STOP,	 /* the run ends: money or authentication */
	ACTION_FALLBACK, /* again at once, without `lack` */
};
struct failure {
	enum action action;
	const char *code; /* of kandil-records(5), static: "rate_limited", "overloaded", "timeout",
			   * "server_error", "bad_reply" (retry), "bad_request", "no_model",
			   * "too_large", "refused" (fail), "quota", "authentication",
			   * "permission" (stop) */
	long wait_ms;	  /* the server's own minimum, of any length; 0: none */
	bool slow_down;	  /* lower the rate as well */
	unsigned lack;	  /* enum lack, with ACTION_FALLBACK */
	char text[400];	  /* the server's words, made visible, one line, no key in them */
};

/*
 * Hides the endpoint's keys in the text. What protocol->event says of a failure has passed no
 * endpoint, so whoever feeds a stream calls it; of protocol->failure's texts it is done.
 */
void failure_hide(const struct endpoint *, struct failure *);

/* What a lack means for the user, behind an endpoint's name: "takes no seed: asked without". */
const char *lack_says(enum lack);

/* What headers say of limits; -1: not said. resets in ms from now. */
struct rate {
	long long limit, remaining, reset_ms;
};
struct limits {
	struct rate requests, tokens, input, output;
};

/* A protocol: openai, responses, anthropic, gemini, interactions, ollama, llamacpp. */
struct protocol {
	const char *name;
	/*
	 * Appends the path behind the endpoint's base URL: "/chat/completions" and
	 * "/responses" where the base ends in /v1 (openai, responses);
	 * "/v1/chat/completions" (llamacpp), "/v1/messages", "/v1beta/models/…",
	 * "/v1beta/interactions", "/api/chat" for the others, whose base is bare.
	 */
	void (*path)(const struct ask *, struct buf *out);
	/* Appends the body: members in a fixed order, deterministic. lack: enum lack. */
	void (*body)(const struct ask *, unsigned lack, struct buf *out);
	/*
	 * Reads a 2xx body that json_check accepted: 0, or -1 with e
	 * ("bad_reply") when it is not the expected object. Some servers send
	 * errors with 200: give the refused body to failure.
	 */
	int (*reply)(struct slice body, struct reply *, struct err *e);
	/*
	 * One event of a stream (SSE: its name, which may be empty, and data;
	 * NDJSON: data alone). Appends to reply->text; finish tells the end.
	 * 0; 1: the protocol's last event; -1 with failure: the stream says it failed, or
	 * is none. A stream that ends with finish FINISH_NONE was cut. A server
	 * that ignores the wish answers with application/json: that is for reply.
	 */
	int (*event)(struct slice name, struct slice data, struct reply *, struct failure *);
	/*
	 * What a status outside 2xx means, or a 2xx that reply refused (or that is
	 * no JSON); body is any bytes, headers the raw block. ask NULL: nothing can be
	 * left out of it.
	 */
	void (*failure)(int status, struct slice headers, struct slice body, const struct ask *,
	    unsigned lack, struct failure *);
	void (*limits)(struct slice headers, struct limits *);
	bool ndjson; /* streams lines, not SSE */
	/*
	 * An ask that this protocol can tell beforehand it would refuse (sampling
	 * options under an API version without them, a seed where there is none …):
	 * -1 with e ("bad_value"), nothing is paid. May be NULL.
	 */
	int (*check)(const struct ask *, struct err *e);
};
/* NULL for an unknown name. */
const struct protocol *protocol_find(struct slice name);

/*
 * Reads share/kandil/ai/prompts/schema.txt, the words around a schema that
 * goes into the prompt; without it the schema stands there alone. Once, before
 * bodies are made: 0, or -1 with e ("cannot_read").
 */
int provider_load(struct err *e);

/*
 * Server-Sent Events (WHATWG HTML, 9.2): bytes in any portions, events out.
 * Bounded: a line or an event longer than max is a failure ("bad_reply").
 * With lines set it reads NDJSON instead: each line that is not blank is an event
 * without a name.
 */
struct sse {
	struct buf line, name, data;
	size_t max;   /* 0: 16 MiB */
	bool lines;   /* protocol->ndjson */
	bool cr, any; /* the last byte was CR; data has a line */
	bool started; /* a BOM may no longer come */
};
typedef int sse_event(struct slice name, struct slice data, void *state);
/* Calls fn for each event; its non-zero result ends and is returned; -1: too long. */
int sse_feed(struct sse *, struct slice bytes, sse_event *fn, void *state);
/* The stream has ended: the last line of NDJSON may lack its LF. As sse_feed. */
int sse_end(struct sse *, sse_event *fn, void *state);
/* For the next stream: max and lines stay. */
void sse_reset(struct sse *);
void sse_free(struct sse *);

#endif
