/*
 * engine_part: what the files of the engine share.
 *
 *	engine.c	batches: what is asked together, again, back; what becomes of it
 *	engine_check.c	one text's answers: checked, joined, compared
 *	model.c		asks kandil-ai, one child for the whole run
 *	request.c	a batch as a prompt, and the reply's texts
 *	deepl.c		asks DeepL over HTTP
 *	deepl_text.c	DeepL's names of languages, its bodies and replies
 */
#ifndef KANDIL_TRANSLATE_ENGINE_PART_H
#define KANDIL_TRANSLATE_ENGINE_PART_H

#include "tools/translate/cases.h"
#include "tools/translate/engine.h"
#include "tools/translate/mask.h"

/* One text into one locale, on its way. Slices are the engine's arena's. */
struct work {
	const struct gap *gap;
	size_t target;
	struct message m;
	struct piece *pieces;
	size_t n;
	struct message *parts;	/* the pieces as messages */
	struct slice *answers;	/* what came for each, masked; ptr NULL: nothing */
	struct slice *spare;	/* earlier answers that were only doubtful; NULL: none */
	struct message *made;	/* the same as messages of the source's dialect */
	struct slice *backs;	/* made, translated back */
	struct slice value;	/* joined */
	struct slice violations; /* lines: what was wrong with the last answers */
	struct slice source;	/* who said it: "openai/gpt-x", "deepl" */
	unsigned attempt;	/* how often it was sent back */
};

struct batch {
	struct batch *next;
	unsigned long id;
	size_t target;
	struct work **v;
	size_t n, pieces;
	bool back; /* the translations, into the source's language */
	/* What came of it, set by the service. */
	bool failed;
	bool stop;  /* nothing more can be asked */
	bool split; /* it may be one text that is refused: try the halves */
	struct slice source;
	char text[400]; /* of a failure */
};

/* The message that a batch asks of a work, and where its answer goes. */
static inline const struct message *
batch_text(const struct batch *b, const struct work *w, size_t piece)
{
	return b->back ? &w->made[piece] : &w->parts[piece];
}

static inline struct slice *
batch_answer(const struct batch *b, const struct work *w, size_t piece)
{
	return b->back ? &w->backs[piece] : &w->answers[piece];
}

/* Who translates: kandil-ai or DeepL. */
struct service {
	const char *name;
	enum mask_form form;
	size_t pieces, bytes; /* a batch, at most (a single text may have more) */
	size_t least;	      /* pieces from which the next file begins a batch */
	size_t in_flight;     /* batches */
	unsigned repairs;     /* how often an answer is sent back */
	void (*send)(void *state, struct batch *);
	/* The next batch that is done; NULL with e: it is gone, nothing more will come. */
	struct batch *(*next)(void *state, struct err *e);
	void (*close)(void *state);
	void *state;
};

struct remembrance;

struct engine {
	struct engine_settings settings;
	struct service service;
	struct drafts *drafts;
	struct arena arena; /* of one engine_run */
	const struct gaps *gaps;
	struct batch *queue, **queue_end;
	unsigned long ids;
	char *stopped; /* why nothing more is asked; NULL: all is well */
	bool misused;  /* because of what it was told: its options, its configuration */
	struct buf manner;
	struct remembrance *memory; /* remember.h */
	size_t texts, characters; /* asked, of --dry-run: would be asked */
	size_t lost;		  /* texts that were not asked, or not answered */
	size_t sent, answered;	  /* texts; answered: of whatever worth */
	char *failure;		  /* the last one's words; NULL: none failed */
};

/* Keeps bytes in the engine's arena. */
struct slice engine_keep(struct engine *, struct slice);

/* model.c: 0, or -1 with e. */
int model_open(struct engine *, struct err *e);
/* deepl.c */
int deepl_open(struct engine *, struct err *e);

/* engine_check.c */
enum checked {
	CHECKED_GOOD,
	CHECKED_DOUBTFUL, /* it may stand, but a person must look: violations say why */
	CHECKED_BAD,
};
/* Reads the answers of a work into made and value. */
enum checked engine_check(struct engine *, struct work *);
/* How like the source the text is that came back, 0 … 1; out: that text. */
double engine_compare(struct engine *, const struct work *, struct buf *out);

/* request.c */
struct request;
struct request *request_open(struct err *e);
/* Appends the record for kandil-ai, one line. */
void request_build(struct request *, const struct engine *, const struct batch *, struct buf *);
/* Takes a reply's texts into the batch; false when it is not of the form asked for. */
bool request_read(struct engine *, struct batch *, struct slice reply);
void request_close(struct request *);

/* deepl_text.c */
/* Appends DeepL's name of a language it translates into (target), or from. */
void deepl_language(const char *locale, bool target, struct buf *out);
/* What a group of a batch's pieces has in common: DeepL's context. */
void deepl_context(const struct work *, size_t piece, struct buf *out);
/* One request: the places of its pieces. */
struct deepl_piece {
	struct work *work;
	size_t piece;
};
void deepl_body(const struct engine *, const struct batch *, const struct deepl_piece *, size_t n,
    struct slice context, struct buf *out);
/* Takes the reply's texts; -1 with e ("bad_reply"). Adds to billed. */
int deepl_read(struct engine *, const struct batch *, const struct deepl_piece *, size_t n,
    struct slice reply, long long *billed, struct err *e);

#endif
