/*
 * wire: what the protocols share: writing bodies, reading objects.
 *
 * Bodies are written in one pass from raw JSON slices: a prompt is escaped
 * once, by who made it, and copied here. Objects are read in one walk.
 */
#ifndef KANDIL_AI_WIRE_H
#define KANDIL_AI_WIRE_H

#include "common/json.h"
#include "tools/ai/provider.h"

enum { BODY_KEEPS = 6 };

/*
 * An object of a body: our members in order, then those of `extra` (the
 * user's own) that we did not write. Of a name in both the user's wins; an
 * object in both is merged one level down.
 */
struct body {
	struct buf *out; /* NULL: the user's own value stands for the whole object */
	struct slice extra;
	const char *keeps[BODY_KEEPS]; /* names that extra does not write */
	size_t kept;
};
void body_start(struct body *, struct buf *out, struct slice extra);
/* Writes the name and returns true where the value is ours to write next. */
bool body_name(struct body *, const char *name);
/* A raw value; nothing where its ptr is NULL. */
void body_raw(struct body *, const char *name, struct slice value);
void body_text(struct body *, const char *name, struct slice text);
/* A member that extra cannot change: how the reply will be read depends on it. */
void body_fixed(struct body *, const char *name, struct slice value);
/* A member that is not there, whatever extra says. */
void body_without(struct body *, const char *name);
/* An object inside; at most BODY_KEEPS of these, of body_fixed and of body_without. */
void body_open(struct body *, const char *name, struct body *inner);
void body_close(struct body *);

/* Whether the schema is asked for in the prompt, be it also in the body. */
bool ask_prompts_schema(const struct ask *, unsigned lack);

/*
 * The system turns' texts, and the schema's prompt where one is due, as the inside of
 * one JSON string: without its quotes, a blank line between two. Parts of an
 * array give their "text". whole: all of them; else only those in front that are strings.
 * Returns how many turns it took.
 */
size_t system_text(const struct ask *, bool schema, bool whole, struct buf *out);
/* The same as a member: none where there is no text, and 0 where extra has the name. */
size_t body_system(struct body *, const char *name, const struct ask *, bool schema, bool whole);
/* The same as a message in the array that is open in out; none where there is no text. */
size_t system_message(struct buf *out, const struct ask *, bool schema, bool whole);
bool ask_has_system(const struct ask *);

/* A message in the array that is open in out: its role and its content. */
void wire_message(struct buf *out, const char *role, struct slice content);
/* The turns that are not the system's, into the array that is open in out; or as a member. */
typedef void write_turn(struct buf *out, const struct turn *);
void wire_turns(struct buf *out, const struct ask *, write_turn *);
void body_turns(struct body *, const char *name, const struct ask *, write_turn *);

/* What an API calls the sampling options; NULL: it has none such. */
struct sampling {
	const char *top_p, *top_k, *seed, *stop;
};
void body_sampling(struct body *, const struct ask *, unsigned lack, const struct sampling *);
/* The member stream: true, or none; extra cannot change it. */
void body_stream(struct body *, const struct ask *);

/*
 * What the ask has to lose of what lacks names, and lack has left, as lacks: of a
 * schema's steps in it the next one alone. 0 for no ask.
 */
unsigned ask_can(const struct ask *, unsigned lack, unsigned lacks);

/* Appends the elements of an array to the array that is open in out. */
void wire_splice(struct buf *out, struct slice array);

/* The schema's prompt, as system_text; schema_prompt_set: its words around "{schema}". */
void schema_prompt(struct slice schema, struct buf *out);
void schema_prompt_set(struct slice text);

/* Whether the schema is to be asked for strictly: OpenAI's strict mode can take it. */
bool ask_strict(const struct ask *, unsigned lack);
/* The member "name" of a schema, with its value. */
void ask_schema_name(const struct ask *, struct buf *out);
/* The schema with its objects closed, as Anthropic wants it; bare: see schema_bare. */
void ask_schema_closed(const struct ask *, bool bare, struct buf *out);
/*
 * Appends the schema without the keywords that bound numbers, lengths and
 * counts, which Anthropic refuses (the local check holds the reply to them all the same).
 */
void schema_bare(struct slice schema, struct buf *out);

/*
 * The members of an object in one walk: values[i] is that of names[i], the
 * last of duplicates, ptr NULL where there is none.
 */
void wire_pick(struct slice object, const struct slice *names, struct slice *values, size_t n);
/* One of them. */
struct slice wire_member(struct slice object, const char *name);
/* The first element of an array. */
struct slice wire_first(struct slice array);
/* A count: 0 for what is missing, null, negative or no whole number; at most 1e15. */
long long wire_count(struct slice value);
/*
 * wire_pick of a usage, which is known then. False: it is none, or has neither of the
 * first two names, what went in and what came out.
 */
bool wire_counts(struct slice usage, const struct slice *names, struct slice *values, size_t n,
    struct usage *);
/* Makes a usage that makes no sense make some: parts are no more than their whole. */
void wire_usage(struct usage *);
/* Whether it is there and not null. */
bool wire_given(struct slice value);
/* Appends a text: a string, or the "text" of an array's parts that are text. False: neither. */
bool wire_text(struct slice value, struct buf *out);
/* Replaces the buf's content by a string's; leaves it alone where value is none. */
void wire_copy(struct slice value, struct buf *out);

/*
 * Notes how the reply ended: the provider's word, and what it means by a
 * table that ends with a NULL word; other words are FINISH_OTHER.
 */
struct finish_word {
	const char *word;
	enum finish finish;
};
void wire_finish(struct reply *, const struct finish_word *, struct slice word);

/* The reply is a refusal, whatever word the provider has for it. */
void wire_refused(struct reply *);
/*
 * APIs whose events are what a whole reply is: take reads either, -1 where it is none.
 * As protocol->reply, with what was expected of it.
 */
typedef int take_piece(struct slice object, struct reply *);
int wire_whole(struct slice body, take_piece *, const char *expected, struct reply *,
    struct err *);
/* As protocol->event; wrong: what is said of no JSON, and of no piece. */
int wire_piece(struct slice data, take_piece *, const char *const wrong[2], struct reply *,
    struct failure *);

/* Chat completions, which llama-server speaks too. */
extern const struct sampling chat_sampling;
/* What of an ask chat_sampling and chat_stream could leave out, and the effort. */
enum {
	CHAT_LACKS = LACK_SAMPLING | LACK_TOP_K | LACK_SEED | LACK_EFFORT | LACK_STREAM_USAGE
};
void chat_messages(struct body *, const struct ask *, bool schema);
void chat_stream(struct body *, const struct ask *, unsigned lack);
int chat_reply(struct slice body, struct reply *, struct err *);
int chat_event(struct slice name, struct slice data, struct reply *, struct failure *);
/*
 * The usage of OpenAI's two APIs. names: of input, output, and the details of each;
 * written: the member of the input's details with what went into the cache, or NULL.
 */
void chat_usage(struct slice usage, const struct slice *names, const char *written, struct usage *);
/*
 * The usage of Gemini's two APIs. names: of input, output, thoughts, cached, tool use; a
 * sixth is the total, which tells whether the output's count holds the thoughts,
 * as it is the sum of its parts. Without it the output does not.
 */
void gemini_usage(struct slice usage, const struct slice *names, size_t n, struct usage *);

/* failure: what is to be done, from an error's body, status and headers. */

/*
 * can: the lacks (enum lack) that the body had something to lose by: what
 * the protocol would send otherwise if told. Of the schema's steps the next alone.
 */
void failure_of(int status, struct slice headers, struct slice body, const struct ask *,
    unsigned can, struct failure *);
/* The same of an error inside a reply or a stream, where codes alone say how grave it is. -1. */
int failure_inside(struct slice object, struct failure *);
/* ACTION_RETRY with "bad_reply". -1. */
int failure_garbled(struct failure *, const char *why);
/* Fills e: what was expected of the reply, or what an error in it says. -1. */
int reply_refused(struct err *, struct slice body, const char *expected);

/* headers: the next line of a raw block; false at its end. name is compared without case. */
struct header {
	struct slice name, value;
};
bool header_next(struct slice *rest, struct header *);
bool header_is(const struct header *, const char *name);
/* What Retry-After and its like ask for, ms; 0: nothing. */
long header_wait(struct slice headers);
/* x-should-retry: 1 true, 0 false, -1 not said. */
int header_retry(struct slice headers);
/* Both families: x-ratelimit-*, anthropic-ratelimit-*. */
void header_limits(struct slice headers, struct limits *);

/* -1 with e ("bad_value") where the ask has an option that the API does not. */
int ask_refuse(struct err *, const char *api, const char *option, const char *instead);

extern const struct protocol protocol_openai, protocol_responses, protocol_anthropic,
    protocol_gemini, protocol_interactions, protocol_ollama, protocol_llamacpp;

#endif
