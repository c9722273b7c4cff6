#include "common/progress.h"

#include "common/die.h"
#include "common/time.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { EVERY_MS = 100, WIDTH = 80 };

/* The one that has a line on the terminal: a message must take it away first. */
static bool on_screen;

static void
clear(void)
{
	static const char erase[] = "\r\033[K";

	if (!on_screen)
		return;
	on_screen = false;
	if (write(STDERR_FILENO, erase, sizeof(erase) - 1) < 0)
		return; /* nobody looks any more */
}

static int64_t
size_of(char *const *files, int n)
{
	struct stat st;
	int64_t total = 0;
	off_t at;

	if (n == 0) {
		at = lseek(STDIN_FILENO, 0, SEEK_CUR);
		if (at < 0 || fstat(STDIN_FILENO, &st) != 0 || !S_ISREG(st.st_mode))
			return -1;
		return st.st_size - at;
	}
	for (int i = 0; i < n; i++) {
		if (stat(files[i], &st) != 0 || !S_ISREG(st.st_mode))
			return -1;
		total += st.st_size;
	}
	return total;
}

void
progress_open(struct progress *p, char *const *files, int n)
{
	const char *term = getenv("TERM");

	*p = (struct progress){.line = p->line};
	p->start = p->shown = time_ms();
	p->total = -1;
	p->on = die_verbose() >= 0 && isatty(STDERR_FILENO) && !isatty(STDOUT_FILENO) && term &&
	    *term && strcmp(term, "dumb") != 0;
	if (!p->on)
		return;
	p->total = size_of(files, n);
	die_before(clear);
}

bool
progress_due(struct progress *p)
{
	int64_t now;

	if (!p->on)
		return false;
	now = time_ms();
	if (now - p->shown < EVERY_MS)
		return false;
	p->shown = now;
	return true;
}

void
progress_length(struct buf *b, int64_t ms)
{
	long long s = (ms + 999) / 1000;

	if (s >= 3600)
		buf_addf(b, "%lldh%02lldm", s / 3600, s / 60 % 60);
	else if (s >= 60)
		buf_addf(b, "%lldm%02llds", s / 60, s % 60);
	else
		buf_addf(b, "%llds", s);
}

/* Shortens to columns, counting a code point as one. */
static void
fit(struct buf *b, size_t columns)
{
	size_t at = 0, used = 0;

	while (at < b->len && used < columns) {
		uint32_t c;
		size_t n = utf8_decode(b->ptr + at, b->len - at, &c);

		at += n ? n : 1;
		used++;
	}
	buf_cut(b, at);
}

size_t
progress_columns(int fd)
{
	struct winsize w;

	if (ioctl(fd, TIOCGWINSZ, &w) == 0 && w.ws_col > 1)
		return w.ws_col;
	return WIDTH;
}

void
progress_show(struct progress *p, long long done, const char *what, int64_t at, struct slice tail)
{
	int64_t elapsed = p->shown - p->start;
	struct buf *b = &p->line;

	if (!p->on)
		return;
	buf_reset(b);
	buf_addf(b, "%lld %s", done, what);
	if (elapsed > 0 && done > 0) {
		double rate = (double)done * 1000 / (double)elapsed;

		buf_addf(b, rate < 10 ? ", %.1f/s" : ", %.0f/s", rate);
	}
	if (at > 0 && p->total >= at && elapsed >= 1000) {
		buf_adds(b, ", ");
		progress_length(b,
		    (int64_t)((double)elapsed * (double)(p->total - at) / (double)at));
		buf_adds(b, " left");
	}
	if (tail.len) {
		buf_adds(b, ", ");
		buf_add_visible(b, tail);
	}
	/* The last column stays free: some terminals wrap when it is written. */
	fit(b, progress_columns(STDERR_FILENO) - 1);
	buf_splice(b, 0, 0, S("\r"));
	buf_adds(b, "\033[K");
	if (write(STDERR_FILENO, b->ptr, b->len) < 0)
		p->on = false;
	else
		on_screen = true;
}

void
progress_close(struct progress *p)
{
	clear();
	p->on = false;
	buf_free(&p->line);
}
