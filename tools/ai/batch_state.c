/*
 * The journal: NDJSON, each line on disk before what it tells of is done. A
 * last line without its end is of one that was killed, and is cut off.
 */
#include "tools/ai/batch_part.h"

#include "common/json.h"
#include "common/mem.h"
#include "common/path.h"
#include "common/time.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	KEYS_A_LINE = 500,
	LINE_BYTES = 1 << 20,
	CHUNK = 64 << 10,
	BATCHES = 1 << 20,
};

/* ---- requests ---- */

bool
batch_key(struct slice hex, uint8_t key[CACHE_KEY])
{
	if (hex.len != KEY_HEX)
		return false;
	for (size_t i = 0; i < KEY_HEX; i++) {
		const char *digits = "0123456789abcdef";
		const char *digit = hex.ptr[i] ? strchr(digits, hex.ptr[i]) : NULL;

		if (digit == NULL)
			return false;
		key[i / 2] = (uint8_t)(i % 2 ? key[i / 2] << 4 | (digit - digits) : digit - digits);
	}
	return true;
}

struct want *
state_find(struct state *s, const uint8_t key[CACHE_KEY])
{
	const struct place *place = places_find(&s->index, key_fragment(key));

	return place ? &s->wants[place->at] : NULL;
}

struct want *
state_add(struct state *s, const uint8_t key[CACHE_KEY])
{
	struct want *w = state_find(s, key);

	if (w == NULL) {
		s->wants = xgrow(s->wants, s->nwants, &s->wants_cap, sizeof(*s->wants));
		places_put(&s->index, (struct place){key_fragment(key), (uint32_t)s->nwants, 0});
		w = &s->wants[s->nwants++];
		*w = (struct want){.batch = UINT32_MAX};
	}
	return w;
}

uint32_t
state_fault(struct state *s, int status, struct slice body)
{
	struct fault *f;

	if (body.len > BATCH_WORDS)
		body.len = BATCH_WORDS;
	/* Most of a batch that fails fails alike: looked for from the latest. */
	for (size_t i = s->nfaults; i-- > 0 && i + 8 >= s->nfaults;)
		if (s->faults[i].status == status && slice_eq(buf_slice(&s->faults[i].body), body))
			return (uint32_t)i;
	/* Beyond the bound the status is kept, which decides what becomes of the request. */
	if (s->nfaults >= BATCH_FAULTS && body.len) {
		for (size_t i = BATCH_FAULTS; i < s->nfaults; i++)
			if (s->faults[i].status == status)
				return (uint32_t)i;
		body.len = 0;
	}
	s->faults = xgrow(s->faults, s->nfaults, &s->faults_cap, sizeof(*s->faults));
	f = &s->faults[s->nfaults++];
	*f = (struct fault){.status = status};
	buf_addslice(&f->body, body);
	return (uint32_t)(s->nfaults - 1);
}

struct batch *
state_batch(struct state *s)
{
	struct batch *batch = xcalloc(1, sizeof(*batch));

	s->batches = xgrow(s->batches, s->n, &s->cap, sizeof(*s->batches));
	s->batches[s->n++] = batch;
	batch->time = time_now();
	return batch;
}

static uint32_t
number_of(const struct state *s, const struct batch *batch)
{
	uint32_t i = 0;

	while (s->batches[i] != batch)
		i++;
	return i;
}

/* ---- writing ---- */

static void
append(struct state *s, struct buf *lines)
{
	if (path_write(s->fd, buf_slice(lines)) != 0 || fdatasync(s->fd) != 0)
		die(STATUS_FAILED, "cannot write the batch state '%s':", s->path);
	buf_free(lines);
}

static void
begin(const struct state *s, const struct batch *batch, const char *event, struct buf *line)
{
	json_open(line, '{');
	json_add(line, "event", slice(event));
	json_add_long(line, "batch", number_of(s, batch));
}

static void
end(struct buf *line)
{
	json_close(line, '}');
	buf_addc(line, '\n');
}

void
state_intent(struct state *s, struct batch *batch, struct slice keys)
{
	struct buf lines = {0};

	batch->stage = STAGE_INTENT;
	batch->count = (uint32_t)(keys.len / KEY_HEX);
	begin(s, batch, "intent", &lines);
	json_add(&lines, "name", slice(batch->name));
	json_add(&lines, "provider", slice(batch->provider));
	json_add(&lines, "protocol", slice(batch->protocol));
	json_add(&lines, "base", slice(batch->base));
	json_add(&lines, "url", slice(batch->url));
	json_add_long(&lines, "count", batch->count);
	json_add_long(&lines, "time", batch->time);
	end(&lines);
	while (keys.len) {
		size_t len = keys.len < KEYS_A_LINE * KEY_HEX ? keys.len : KEYS_A_LINE * KEY_HEX;

		begin(s, batch, "keys", &lines);
		json_add(&lines, "keys", (struct slice){keys.ptr, len});
		end(&lines);
		keys.ptr += len;
		keys.len -= len;
	}
	append(s, &lines);
}

void
state_file(struct state *s, struct batch *batch, struct slice file)
{
	struct buf line = {0};

	free(batch->file);
	batch->file = xstrndup(file.ptr, file.len);
	begin(s, batch, "file", &line);
	json_add(&line, "file", file);
	end(&line);
	append(s, &line);
}

void
state_created(struct state *s, struct batch *batch, struct slice id)
{
	struct buf line = {0};

	free(batch->id);
	batch->id = xstrndup(id.ptr, id.len);
	batch->stage = STAGE_CREATED;
	begin(s, batch, "created", &line);
	json_add(&line, "id", id);
	if (batch->adopted)
		json_add_raw(&line, "adopted", S("true"));
	end(&line);
	append(s, &line);
}

void
state_done(struct state *s, struct batch *batch)
{
	struct buf line = {0};

	batch->stage = STAGE_DONE;
	begin(s, batch, "done", &line);
	end(&line);
	append(s, &line);
}

/* ---- reading ---- */

static char *
member(struct slice line, const char *name)
{
	struct buf text = {0};

	if (json_get_text(line, name, &text) &&
	    memchr(buf_slice(&text).ptr, '\0', text.len) == NULL)
		return buf_detach(&text);
	buf_free(&text);
	return NULL;
}

/* Whether it may follow a host: what a state says must not lead the key to another one. */
static bool
proper_url(const char *url)
{
	return url[0] == '/' && strstr(url, "..") == NULL &&
	    url[strspn(url, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
			    "0123456789-._~%:/")] == '\0';
}

static bool
read_intent(struct state *s, struct slice line)
{
	struct batch *b = state_batch(s);
	struct slice value;
	long long count, when;

	if (!json_get(line, "count", &value) || !json_long(value, &count) || count < 1 ||
	    count > UINT32_MAX || !json_get(line, "time", &value) || !json_long(value, &when))
		return false;
	b->time = when;
	b->count = (uint32_t)count;
	b->name = member(line, "name");
	b->provider = member(line, "provider");
	b->protocol = member(line, "protocol");
	b->base = member(line, "base");
	b->url = member(line, "url");
	if (!b->name || !b->provider || !b->protocol || !b->base || !b->url || !proper_url(b->url))
		return false;
	b->api = batch_api(b->protocol);
	return b->api != NULL;
}

static bool
read_keys(struct state *s, uint32_t number, struct slice line)
{
	char *hex = member(line, "keys");
	size_t len = hex ? strlen(hex) : 1;
	uint8_t key[CACHE_KEY];
	bool fine = len % KEY_HEX == 0;

	for (size_t i = 0; fine && i < len; i += KEY_HEX) {
		fine = batch_key((struct slice){hex + i, KEY_HEX}, key);
		if (fine) {
			*state_add(s, key) = (struct want){.batch = number};
			s->batches[number]->matched++;
		}
	}
	free(hex);
	return fine;
}

static bool
read_line(struct state *s, struct slice line)
{
	struct slice event, value;
	struct batch *b;
	long long number;

	if (json_check(line, NULL) != 0 || !json_get(line, "event", &event) ||
	    !json_get(line, "batch", &value) || !json_long(value, &number) || number < 0 ||
	    number > (long long)s->n || number > BATCHES)
		return false;
	if (json_is(event, "intent"))
		return number == (long long)s->n && read_intent(s, line);
	if (number == (long long)s->n)
		return false;
	b = s->batches[number];
	if (json_is(event, "keys"))
		return read_keys(s, (uint32_t)number, line);
	if (json_is(event, "file")) {
		free(b->file);
		b->file = member(line, "file");
		return b->file && batch_word(slice(b->file));
	}
	if (json_is(event, "created")) {
		free(b->id);
		b->id = member(line, "id");
		b->stage = STAGE_CREATED;
		b->adopted = json_get(line, "adopted", &value) && slice_is(value, "true");
		return b->id && batch_word(slice(b->id));
	}
	b->stage = STAGE_DONE;
	b->before = true;
	return json_is(event, "done");
}

/*
 * Whether the end of a file, which lacks its LF, is of a journal: what a write left
 * half done, or what a power cut left of it.
 */
static bool
torn(struct slice end, bool first)
{
	struct slice begins = S("{\"event\":\"");

	if (!first && end.ptr[0] == '\0')
		return true;
	if (end.len < begins.len)
		begins.len = end.len;
	return memcmp(end.ptr, begins.ptr, begins.len) == 0;
}

static int
read_journal(struct state *s, struct err *e)
{
	struct buf text = {0};
	size_t at = 0, whole = 0, line_number = 0;
	ssize_t n = 0;
	int rc = 0;

	while (rc == 0 && (n = read(s->fd, buf_room(&text, CHUNK), CHUNK)) > 0) {
		char *lf;

		text.len += (size_t)n;
		while (rc == 0 && (lf = memchr(text.ptr + at, '\n', text.len - at)) != NULL) {
			struct slice line = {text.ptr + at, (size_t)(lf - text.ptr) - at};

			line_number++;
			if (!read_line(s, line))
				rc = err_set(e, "cannot_read",
				    "the batch state '%s' is damaged in line %zu: "
				    "mend it; without it requests are paid for again",
				    s->path, line_number);
			at += line.len + 1;
			whole += line.len + 1;
		}
		buf_splice(&text, 0, at, S(""));
		at = 0;
		if (rc == 0 && text.len > LINE_BYTES)
			rc = err_set(
			    e, "cannot_read", "'%s' is no batch state: name another", s->path);
	}
	if (rc == 0 && n < 0)
		rc = err_set(e, "cannot_read", "cannot read the batch state '%s': %s", s->path,
		    strerror(errno));
	if (rc == 0 && text.len && !torn(buf_slice(&text), whole == 0))
		rc = err_set(e, "cannot_read", "'%s' is no batch state: name another", s->path);
	if (rc == 0 && text.len && ftruncate(s->fd, (off_t)whole) != 0)
		rc = err_set(e, "cannot_write", "cannot write the batch state '%s': %s", s->path,
		    strerror(errno));
	buf_free(&text);
	return rc;
}

/* An intent whose keys are not all there was never acted on: they are written before. */
static void
drop_half_intents(struct state *s)
{
	for (size_t i = 0; i < s->n; i++) {
		struct batch *b = s->batches[i];

		if (b->stage == STAGE_INTENT && b->matched != b->count)
			state_done(s, b);
		b->matched = 0;
	}
}

/* Opens and locks what the path names at that moment. */
static int
open_locked(struct state *s, struct err *e)
{
	struct stat st;

	for (;;) {
		s->fd = open(s->path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK, 0600);
		if (s->fd < 0)
			return err_set(e, "cannot_write", "cannot open the batch state '%s': %s",
			    s->path, strerror(errno));
		if (flock(s->fd, LOCK_EX | LOCK_NB) != 0)
			return err_set(e, "locked",
			    "another kandil-ai works with the batch state '%s': "
			    "wait for it, or give another with --state",
			    s->path);
		if (fstat(s->fd, &st) != 0 || !S_ISREG(st.st_mode))
			return err_set(
			    e, "cannot_write", "the batch state '%s' is no regular file", s->path);
		if (st.st_nlink > 0)
			return 0;
		close(s->fd); /* its owner has just ended, and removed it */
	}
}

int
state_open(struct state *s, const char *path, struct err *e)
{
	*s = (struct state){.path = xstrdup(path), .fd = -1};
	if (open_locked(s, e) != 0 || read_journal(s, e) != 0)
		return -1;
	drop_half_intents(s);
	return 0;
}

void
state_close(struct state *s)
{
	bool left = false;

	for (size_t i = 0; i < s->n; i++) {
		struct batch *b = s->batches[i];

		left |= b->stage != STAGE_DONE;
		free(b->name);
		free(b->provider);
		free(b->base);
		free(b->protocol);
		free(b->url);
		free(b->file);
		free(b->id);
		buf_free(&b->foreign);
		free(b);
	}
	if (s->fd >= 0 && !left)
		unlink(s->path);
	if (s->fd >= 0)
		close(s->fd);
	for (size_t i = 0; i < s->nfaults; i++)
		buf_free(&s->faults[i].body);
	free(s->faults);
	free(s->batches);
	free(s->wants);
	places_free(&s->index);
	free(s->path);
}
