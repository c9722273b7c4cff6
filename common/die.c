#include "common/die.h"

#include "common/buf.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *tool = "kandil";
static void (*last_words)(void), (*before)(void);
static int verbosity;

int
err_set(struct err *e, const char *code, const char *format, ...)
{
	va_list args;

	if (e == NULL)
		return -1;
	e->code = code;
	e->line = e->column = 0;
	va_start(args, format);
	vsnprintf(e->text, sizeof(e->text), format, args);
	va_end(args);
	return -1;
}

void
die_name(const char *name)
{
	tool = name;
}

void
die_hook(void (*hook)(void))
{
	last_words = hook;
}

void
die_before(void (*hook)(void))
{
	before = hook;
}

void
die_verbosity(int level)
{
	verbosity = level;
}

int
die_verbose(void)
{
	return verbosity;
}

/*
 * One line, one write: lines of the stages of a pipeline that share a stderr
 * do not mix. What others wrote into the text cannot start a new line or
 * drive the terminal.
 */
__attribute__((format(printf, 1, 0))) static void
say(const char *format, va_list args)
{
	char line[4096];
	int error = errno;
	size_t len, max = sizeof(line) - 2;
	int n;

	fflush(stdout);
	if (before)
		before();
	n = snprintf(line, max, "%s: ", tool);
	len = n < 0 ? 0 : (size_t)n;
	n = vsnprintf(line + len, max - len, format, args);
	len += n < 0 ? 0 : (size_t)n;
	if (len >= max)
		len = max - 1;
	if (format[strlen(format) - 1] == ':') {
		n = snprintf(line + len, max - len, " %s", strerror(error));
		len += n < 0 ? 0 : (size_t)n;
		if (len >= max)
			len = max - 1;
	}
	len = utf8_visible(line, len);
	line[len++] = '\n';
	if (write(STDERR_FILENO, line, len) < 0)
		return; /* nobody is left to tell */
	errno = error;
}

void
warn(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say(format, args);
	va_end(args);
}

void
note(const char *format, ...)
{
	va_list args;

	if (verbosity < 0)
		return;
	va_start(args, format);
	say(format, args);
	va_end(args);
}

void
die(enum status status, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say(format, args);
	va_end(args);
	if (last_words)
		last_words();
	exit((int)status);
}
