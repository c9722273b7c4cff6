#include "tools/ai/batch_part.h"

#include "common/crypto.h"
#include "common/mem.h"
#include "common/path.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- the input, which is read more than once ---- */

static bool
reads_stdin(const struct run *run)
{
	for (int i = 0; i < run->noperands; i++)
		if (strcmp(run->operands[i], "-") == 0)
			return true;
	return run->noperands == 0;
}

/* Copies what comes until its end, or a signal: whoever writes there may take his time. */
static void
copy_stdin(const struct batches *b, int fd)
{
	char block[64 << 10];

	while (!run_interrupted()) {
		struct pollfd ready[2] = {
		    {STDIN_FILENO, POLLIN, 0}, {run_signal_fd(), POLLIN, 0}};
		ssize_t n;

		if (poll(ready, 2, -1) < 0 || ready[0].revents == 0)
			continue;
		n = read(STDIN_FILENO, block, sizeof(block));
		if (n == 0)
			return;
		if (n < 0 && errno != EINTR && errno != EAGAIN)
			die(STATUS_FAILED, "cannot read '<stdin>':");
		if (n > 0 && path_write(fd, (struct slice){block, (size_t)n}) != 0)
			die(STATUS_FAILED, "cannot keep the input beside '%s':", b->state.path);
	}
}

/* Operands must be files; a pipe on standard input becomes one. The place to begin at. */
static off_t
spool(const struct batches *b)
{
	struct stat st;
	int fd;

	for (int i = 0; i < b->run->noperands; i++)
		if (strcmp(b->run->operands[i], "-") != 0 && stat(b->run->operands[i], &st) == 0 &&
		    !S_ISREG(st.st_mode))
			die(STATUS_USAGE,
			    "--batch reads its input more than once, and '%s' is no regular "
			    "file: give it on standard input",
			    b->run->operands[i]);
	if (!reads_stdin(b->run) || isatty(STDIN_FILENO))
		return -1;
	if (fstat(STDIN_FILENO, &st) == 0 && S_ISREG(st.st_mode))
		return lseek(STDIN_FILENO, 0, SEEK_CUR);
	fd = batch_file(b);
	copy_stdin(b, fd);
	if (dup2(fd, STDIN_FILENO) < 0)
		die(STATUS_FAILED, "cannot read '<stdin>' again:");
	close(fd);
	return 0;
}

static void
rewind_input(off_t start)
{
	if (start >= 0 && lseek(STDIN_FILENO, start, SEEK_SET) < 0)
		die(STATUS_FAILED, "cannot read '<stdin>' again:");
}

/* ---- the state's name ---- */

/* Made of what is asked and of whom, not of how: the same command finds it again. */
static char *
state_name(const struct batches *b)
{
	const struct settings *s = b->settings;
	const char *const parts[] = {s->model, s->base_url, s->path, s->api, s->prompt,
	    s->prompt_file, s->system, s->request, s->schema};
	struct crypto_hash hash = {0};
	struct sha256 sum;
	struct buf name = {0};
	char *folder, *here;

	if (s->state)
		return xstrdup(s->state);
	here = getcwd(NULL, 0);
	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
		crypto_hash_add(&hash, slice(parts[i] ? parts[i] : ""));
		crypto_hash_add(&hash, (struct slice){"", 1});
	}
	for (int i = 0; i < b->run->noperands; i++) {
		crypto_hash_add(&hash, slice(b->run->operands[i]));
		crypto_hash_add(&hash, (struct slice){"", 1});
	}
	crypto_hash_add(&hash, slice(here ? here : ""));
	sum = crypto_hash_end(&hash);
	crypto_hash_free(&hash);
	folder = s->cache ? path_join(s->cache, "batch") : path_cache("ai/batch");
	if (folder == NULL)
		die(STATUS_USAGE,
		    "there is no folder for the batch state: set HOME, or give --state=FILE");
	path_mkdirs(folder);
	buf_addf(&name, "%s/", folder);
	crypto_hex(&name, sum.bytes, 8);
	buf_adds(&name, ".ndjson");
	free(folder);
	free(here);
	return buf_detach(&name);
}

/* ---- the run ---- */

static void
open_all(struct batches *b, struct endpoints *endpoints, struct engine_taker *taker)
{
	struct http_settings how = {.connections = 4};
	mode_t mask = umask(077);
	char *name = state_name(b);
	struct err e;

	if (state_open(&b->state, name, &e) != 0)
		die(STATUS_FAILED, "%s", e.text);
	umask(mask);
	free(name);
	for (size_t i = 0; i < b->state.n; i++)
		b->unresolved |= b->state.batches[i]->stage == STAGE_INTENT;
	b->http = http_open(&how, &e);
	if (b->http == NULL)
		die(STATUS_FAILED, "%s", e.text);
	if (money_open(&b->money, b->settings, &e) != 0)
		die(STATUS_USAGE, "%s", e.text);
	*taker = (struct engine_taker){batch_take, batch_asked, b};
	b->engine = engine_open(b->run, b->settings, endpoints, taker);
	b->cache = engine_cache(b->engine);
	if (b->cache == NULL)
		die(STATUS_USAGE, "--batch keeps replies in the cache: leave out --no-cache");
}

enum { ROUND_MS = 1000, ROUND_CAP_MS = 300000 };

/* Rounds that something failed in keep their distance. */
static void
keep_distance(struct batches *b)
{
	int64_t wait;

	if (!b->again)
		return;
	wait = backoff_wait(&b->backoff, b->failed++, ROUND_MS, ROUND_CAP_MS, b->pause_ms);
	if (die_verbose() > 0)
		note("what failed for a while goes once more in %.1f s", (double)wait / 1000);
	b->again = false;
	b->pause_ms = 0;
	batch_sleep(b, wait);
}

/* One round: what is missing goes out, and has ended. false: nothing is missing, or no more can be
 * done. */
static bool
another_round(struct batches *b, off_t start)
{
	rewind_input(start);
	if (engine_collect(b->engine) == 0 || run_interrupted())
		return false;
	if (b->unresolved) {
		/* What a killed run may have submitted is settled first, and alone: by looks that
		 * nothing newer has. */
		batch_resolve(b);
		return !b->interrupted && b->stop == NULL;
	}
	keep_distance(b);
	for (struct chunk *c = b->chunks; c && !b->interrupted; c = c->next)
		batch_submit(b, c);
	if (b->round++ == 0 && batch_waiting(b))
		note("waiting for %zu batches; when interrupted, the same command goes on",
		    batch_waiting(b));
	batch_wait(b);
	return !b->interrupted && b->stop == NULL;
}

static void
close_all(struct batches *b)
{
	progress_close(&b->progress);
	engine_close(b->engine);
	chunks_free(b);
	http_close(b->http);
	money_close(&b->money);
	state_close(&b->state);
	reply_free(&b->reply);
	buf_free(&b->url);
	buf_free(&b->line);
	buf_free(&b->scratch);
}

void
batch_run(struct run *run, const struct settings *settings, struct endpoints *endpoints)
{
	struct batches b = {.run = run, .settings = settings};
	struct engine_taker taker;
	off_t start;

	open_all(&b, endpoints, &taker);
	start = spool(&b);
	progress_open(&b.progress, NULL, 0);
	while (another_round(&b, start))
		;
	progress_close(&b.progress);
	if (run_interrupted()) {
		if (batch_waiting(&b))
			note("interrupted: %zu batches go on at the provider; the same command "
			     "again takes up their results", batch_waiting(&b));
		else
			note("interrupted: no batch of this input is at the provider");
	} else {
		b.final = true;
		rewind_input(start);
		engine_run(b.engine);
	}
	close_all(&b);
}
