/*
 * die: exit statuses, messages on stderr, and errors that libraries fill.
 *
 * A library function that can fail returns 0 or -1 and fills a struct err;
 * the tool decides whether to warn, to attach it to a record, or to die.
 * Messages say what is wrong, where, the subject in 'quotes', and what to do:
 *	kandil-x: file:line: what is wrong, 'subject': what to do
 * no capital, no full stop.
 */
#ifndef KANDIL_DIE_H
#define KANDIL_DIE_H

#include <stdarg.h>
#include <stddef.h>

/* Exit statuses; the highest number reached is the program's. */
enum status {
	STATUS_OK = 0,	    /* all done */
	STATUS_PARTIAL = 1, /* done; records with errors, missing parts, findings */
	STATUS_USAGE = 2,   /* usage or configuration */
	STATUS_FAILED = 3,  /* could not do the job: file, network, full disk */
};

struct err {
	const char *code; /* a code of kandil-records(5), static */
	size_t line;	  /* 1-based, 0 where it makes no sense */
	size_t column;	  /* 1-based, in bytes where the text is not UTF-8 */
	char text[400];	  /* what is wrong, one line */
};

/* Fills e (which may be NULL) and returns -1, so: return err_set(e, …); */
int err_set(struct err *e, const char *code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The name before every message; set once by main's first call. */
void die_name(const char *tool);
/* Runs before the program ends by die(): to say where partial output stayed. */
void die_hook(void (*hook)(void));
/* Runs before each message: takes a progress line away. */
void die_before(void (*hook)(void));

/*
 * Each writes one line; a format that ends in ':' gets strerror(errno).
 * stdout is flushed first, so that lines appear in the order they happened.
 */
void warn(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Like warn, but silenced by -q. */
void note(const char *format, ...) __attribute__((format(printf, 1, 2)));
_Noreturn void die(enum status, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Whether note() speaks and how much: -q is -1, -v is 1. */
void die_verbosity(int level);
int die_verbose(void);

#endif
