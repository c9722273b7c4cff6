/*
 * record_io: the halves of record.c: reading lines, and writing them.
 *
 * Lines come from one descriptor at a time through one buffer, which grows
 * with the longest line and never beyond the limit. Everything is written
 * through stdio's stdout, whose descriptor is FILE.part while -o is in force.
 */
#ifndef KANDIL_RECORD_IO_H
#define KANDIL_RECORD_IO_H

#include "common/record.h"

#include <stdio.h>

enum { LINE_SHOWN = 256 };

struct lines {
	int fd;
	const char *name;
	size_t max;    /* bytes of the longest line */
	struct buf in; /* read and not consumed: [from, in.len) */
	size_t from, seen; /* bytes behind from that hold no line feed */
	size_t number;	   /* of the line last returned */
	bool end;
	int error;	    /* errno of a read that failed, not yet told */
	bool skipping;	    /* within a line that is too long */
	char shown[LINE_SHOWN]; /* its beginning */
	FILE *spill;	    /* takes lines that are too long, whole; NULL: nobody does */
	uint64_t spill_end; /* bytes in it */
	uint64_t spilt;	    /* bytes of the line last returned that went there */
};

enum line_result {
	LINE_END,
	LINE_WHOLE,
	LINE_TOO_LONG, /* line is its first 256 bytes; the rest was skipped */
	LINE_WAIT,     /* nothing to read now, or much was skipped: ask again */
	LINE_ERROR,    /* reading failed; errno says why */
};

/* Starts on a descriptor; the buffer of an earlier one is reused. */
void lines_open(struct lines *, int fd, const char *name, size_t max);
/* The next line, without LF and CR, lent until the next call. Never blocks. */
enum line_result lines_next(struct lines *, struct slice *line);
void lines_free(struct lines *);

/* What record.c keeps for a run. */
struct record_io {
	struct lines lines;
	bool reading, asked; /* a source is open; where there is no operand, stdin was */
	bool ours;	     /* the source is to be closed */
	bool told;	     /* the operands are read once more: what cannot be read has been said */
	int operand;	     /* the next */
	struct buf edit;   /* the record that record_set works on */
	struct buf kind;   /* of the record that --retry works on */
	struct buf unwrapped; /* the line inside an error record, for --retry */
	char *part, *target; /* of -o: FILE.part, and FILE without links; NULL: none */
	bool private;	     /* and its mode is 0600 */
	FILE *rejects, *why; /* of --rejects, NULL: none */
	struct capture *capture; /* takes what is emitted; NULL: it is written */
	struct capture direct;	 /* a reject on its way */
	size_t spills;		 /* captures that have a place in lines.spill */
	bool stopped;		 /* a failure with --strict was captured */
};

/* A line that is no record, as data. */
void error_line(struct run *, struct slice line, const char *code, const char *text);
/* Whether an "error" member is an object whose tool starts with prefix. */
bool error_is_ours(struct slice error, const char *prefix);
/* Appends the bytes that an error record wraps; false when it wraps none. */
bool error_original(struct slice record, struct buf *out);

/* Standard descriptors, SIGPIPE, SIGXFSZ, SIGINT and SIGTERM. */
void out_signals(void);
/* Whether fd can be read at once: 1, 0, or -1 when a signal asked us to end. */
int out_ready(int fd);
/* Waits until fd can be read, flushing stdout before it blocks, or a signal
 * asks us to end. */
void out_wait(int fd);
/* Opens what -o and --rejects name. */
void out_open(struct run *);
/* One line to stdout, or to what captures. */
void out_line(struct run *, struct slice object);
/*
 * One line to the rejects, and why; or to what captures. spilt: the original
 * is the line that lines_next has just put into its spill file.
 */
void out_reject(struct run *, struct slice original, bool spilt, struct slice why);
/* Ends the run after a failure with --strict. */
_Noreturn void out_stop(struct run *);
/* Flushes, checks, renames; dies with status 3 when output was lost. */
void out_close(struct run *);
/* Ends the process by the signal that was caught, if any. */
void out_raise(void);

#endif
