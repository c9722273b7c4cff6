/*
 * trouble: what an error's body says, whoever wrote it.
 *
 * Read leniently: {"error":{…}} of all vendors, {"error":"text"}, the
 * members at the top, FastAPI's {"detail":[{"loc","msg"}]}, an array around it, and
 * an error that a proxy has put as text into another's message.
 */
#ifndef KANDIL_AI_TROUBLE_H
#define KANDIL_AI_TROUBLE_H

#include "common/json.h"

enum { TROUBLE_DEEP = 3 };

/* Raw JSON values, ptr NULL where missing; zero-initialised before use. */
struct trouble {
	bool object;	/* the body is JSON and holds an error */
	struct slice code, type, param, status, details, metadata;
	struct slice detail_code; /* Anthropic's details.error_code */
	struct buf words;	  /* the message, decoded; may be empty */
	struct buf inner[TROUBLE_DEEP]; /* texts that held another error */
};

void trouble_read(struct slice body, struct trouble *);
void trouble_free(struct trouble *);

/* Whether code, type, status or the detail's code is one of the words (NULL ends them). */
bool trouble_is(const struct trouble *, const char *const *words);
/* The HTTP status that a numeric code names (400 to 599), or 0. */
int trouble_status(const struct trouble *);
/* Gemini's details: the longest RetryInfo delay in ms, or 0. */
long trouble_wait(const struct trouble *);
/* Gemini's details: whether a quota of the day is what was exceeded. */
bool trouble_daily(const struct trouble *);
/* Gemini's details: ErrorInfo's reason. */
bool trouble_reason(const struct trouble *, const char *reason);
/* Whether the words hold one of these as a whole word, without case. */
bool words_hold(struct slice words, const char *const *list);

#endif
