/*
 * record: the loop that makes a program a filter, as kandil-records(5) says.
 *
 * Operands or stdin, `-`, CRLF, BOM and blank lines, errors as data, the
 * flush rule, --rejects, --retry, --strict, -o, and the exit status: a tool
 * gets them all by calling run_start, record_loop and run_finish.
 *
 * A record's bytes are validated once and lent to the callback until it
 * returns. The callback emits what it wants, in order: the record itself
 * (record_pass), changed by record_set or not, other records (record_emit),
 * or the record with an error (record_fail).
 */
#ifndef KANDIL_RECORD_H
#define KANDIL_RECORD_H

#include "common/json.h"
#include "common/opt.h"

struct run {
	const struct tool *tool;
	const struct opt_command *command; /* NULL when the tool has none */
	struct common *common;		   /* the head of the settings */
	char **operands;
	int noperands;
	int status; /* the worst so far, enum status */
	struct record_io *io; /* private to record.c */
};

struct record {
	struct slice text; /* the object, '{' to '}', validated */
	struct slice kind; /* raw value of "kind", len 0 when there is none */
	const char *source; /* the operand, or "<stdin>" */
	size_t line;	   /* 1-based, in source */
	struct run *run;
	struct slice original; /* the bytes as read, for --rejects */
	bool retried;	   /* it came with an error, which --retry took off */
};

typedef void record_fn(struct record *, void *state);

/*
 * The first call of every main: opens closed standard descriptors, restores
 * SIGPIPE, ignores SIGXFSZ (a write that ulimit -f forbids fails as on a full
 * disk), parses options into settings (whose first member is a struct
 * common), redirects stdout to FILE.part for -o.
 */
void run_start(struct run *, const struct tool *, void *settings, int argc, char **argv);
/* The same for programs that have subcommands: runs the chosen one. */
void run_command(struct run *, void *settings);
/*
 * What -o names holds a secret and is the user's alone (mode 0600, whatever an older one had),
 * and is there whole or not at all: no part stays behind. To be called before anything is
 * written, and before what may fail. Without -o it does nothing.
 */
void run_private(struct run *);
/* The last call: flushes, checks, renames FILE.part, returns the exit status. */
int run_finish(struct run *);
/* Raises the exit status to at least this. */
void run_status(struct run *, enum status);
/* Whether SIGINT or SIGTERM asked us to end; loops outside record_loop ask. */
bool run_interrupted(void);

/*
 * Around work that does not come back to ask run_interrupted and may last for ever, a jq
 * program: where the first SIGINT or SIGTERM finds it still working a second later, what was
 * emitted so far is written (-o: to its part, which is named), and the signal takes its course.
 * While it lasts nothing else may be written to stdout or stderr.
 */
void run_busy(bool);

/*
 * Calls fn for every record of the operands, or of stdin when there are
 * none (a terminal then means usage, status 2). Records that carry an
 * error of ours are copied and counted without calling fn, unless --retry.
 */
void record_loop(struct run *, record_fn *fn, void *state);
/* The same over one open descriptor, named for messages. */
void record_read(struct run *, int fd, const char *name, record_fn *fn, void *state);

/*
 * The other way round, for programs that keep many records in hand: records
 * are pulled, held while something slow is asked about them, resumed, and
 * what they led to is written in the order wanted. record_loop is made of it.
 *
 *	for (;;) switch (record_pull(run, &c, &r)) {
 *	case PULL_RECORD: record_hold(&r, &held); …
 *	case PULL_DONE:   keep c in its place in the order, or record_write it
 *	case PULL_WAIT:   record_flush, poll record_pull_fd and run_signal_fd, …
 *	case PULL_END:    finish what is held, write it
 *	}
 */

/*
 * What a record led to: whole lines for stdout, and for --rejects.
 * Zero-initialised is empty; reused without allocation.
 */
struct capture {
	struct buf lines, rejects, why;
	uint64_t spill, spilt; /* place and length of a line too long for memory; 0: none */
	bool failed;	       /* a failure is among it */
};

enum pull {
	PULL_RECORD, /* out is the next record, lent until the next pull or record_set */
	PULL_DONE,   /* a line was dealt with: blank, bad, failed already */
	PULL_WAIT,   /* nothing can be read without blocking */
	PULL_END,    /* no more: the end, a signal, or a failure with --strict */
};

/*
 * The next line of the operands in turn, or of stdin. Never blocks. What it
 * writes itself (with PULL_DONE) goes to sink, which is emptied first; NULL:
 * to where all else goes. A failure to read is a message and status 3, and
 * goes on with the next operand.
 */
enum pull record_pull(struct run *, struct capture *sink, struct record *out);
/* With PULL_WAIT: what to poll for reading (it may be ready at once); -1: nothing is open. */
int record_pull_fd(const struct run *);
/* Readable once SIGINT or SIGTERM was caught: for poll; never read it. */
int run_signal_fd(void);

/* From now on all that is emitted goes to sink; NULL: to stdout and files again. */
void record_capture(struct run *, struct capture *sink);
/*
 * Writes what was captured and empties it. With --strict, one in which
 * a failure was captured is the last: the run ends here, as in record_loop.
 * (Operands that could not be read have been reported when they were pulled.)
 */
void record_write(struct run *, struct capture *);
/* Makes it empty without writing it; frees it. */
void capture_reset(struct capture *);
void capture_free(struct capture *);
/* Writes out what stdout holds back: before any wait. */
void record_flush(struct run *);

/* A record kept beyond its time. Zero-initialised is empty; reused without allocation. */
struct held {
	struct buf bytes;
	size_t original_len; /* the original comes first */
	size_t text, text_len, kind, kind_len;
	const char *source;
	size_t line;
	bool retried;
};

void record_hold(const struct record *, struct held *);
/*
 * The record as it was held, lent until held is changed. record_set works on
 * one record at a time: set and pass one before the next.
 */
struct record record_resume(struct run *, const struct held *);
void held_free(struct held *);

bool record_kind(const struct record *, const char *kind);
/* Shorthands for json_get and json_get_text on the record. */
bool record_get(const struct record *, const char *name, struct slice *value);
bool record_get_text(const struct record *, const char *name, struct buf *out);

/* Sets a member (json_set) in the record's own working copy. */
void record_set(struct record *, const char *const *path, size_t n, struct slice value);
/* Writes the record as it now is, and its line feed. */
void record_pass(struct record *);
/* Writes a record that the tool made: one object, no line feed. */
void record_emit(struct run *, struct slice object);
/*
 * Writes the record with an error, or diverts it (--rejects), and raises the
 * status. code is of kandil-records(5); retryable: the same input may succeed
 * later.
 */
void record_fail(struct record *, const char *code, bool retryable, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* The same with further members of the error, without braces: "status":429,"attempts":3. */
void record_fail_with(struct record *, const char *code, bool retryable, struct slice members,
    struct slice text);
/*
 * Writes an error that concerns no record, such as a file that cannot be read:
 * {"kind":"error",PLACE,"error":{…}}. place: members without braces, such as
 * "file":"a.dart","line":3, or nothing. Status and --strict as record_fail.
 */
void run_fail(struct run *, struct slice place, const char *code, bool retryable,
    const char *format, ...) __attribute__((format(printf, 5, 6)));
/* Counts a record that is done in part: status 1, no error. */
void record_partial(struct record *);

#endif
