#include "tools/ai/cassette.h"

#include "common/crypto.h"
#include "common/json.h"
#include "common/mem.h"
#include "common/path.h"
#include "tools/ai/cassette_text.h"
#include "tools/ai/provider.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	FILE_BYTES = 2 * CACHE_VALUE, /* of one file */
	DIGITS = 16,		      /* of the key in its name */
	TOLD = 16,		      /* misses that the nearest is looked for */
	LOOKED = 2000,		      /* files that are compared for one, at most */
	LOOKED_BYTES = 32 << 20,
	URL_SHOWN = 200,
};

struct cassette {
	char *dir;
	bool replay;
	unsigned misses;
	struct buf file, hex, trouble; /* trouble: why the last file was no good */
	struct buf made, asked, body;
	struct reply decoded;
};

static char *
file_name(struct cassette *c, const uint8_t key[CACHE_KEY])
{
	char name[DIGITS + sizeof(".json")];

	buf_reset(&c->hex);
	crypto_hex(&c->hex, key, CACHE_KEY);
	memcpy(name, c->hex.ptr, DIGITS);
	memcpy(name + DIGITS, ".json", sizeof(".json"));
	return path_join(c->dir, name);
}

int
cassette_open(struct cassette **out, const char *dir, bool replay, struct err *e)
{
	struct stat st;
	struct cassette *c;

	*out = NULL;
	if (!replay && path_mkdirs(dir) != 0)
		return err_set(e, "cannot_write", "cannot make the cassette's folder '%s': %s", dir,
		    strerror(errno));
	if (stat(dir, &st) != 0)
		return err_set(
		    e, "cannot_read", "there is no cassette '%s': record it without --replay", dir);
	if (!S_ISDIR(st.st_mode))
		return err_set(e, replay ? "cannot_read" : "cannot_write",
		    "the cassette '%s' is no folder: name one", dir);
	c = xcalloc(1, sizeof(*c));
	c->dir = xstrdup(dir);
	c->replay = replay;
	*out = c;
	return 0;
}

bool
cassette_replays(const struct cassette *c)
{
	return c->replay;
}

/* Reads a file's object into c->file: 0, or -1 with why in trouble, which says nothing if there is
 * none. */
static int
read_file(struct cassette *c, const char *name)
{
	struct err err;

	buf_reset(&c->file);
	buf_reset(&c->trouble);
	if (path_read(name, FILE_BYTES, &c->file, &err) != 0) {
		if (access(name, F_OK) == 0)
			buf_adds(&c->trouble, err.text);
		return -1;
	}
	if (json_check(buf_slice(&c->file), &err) != 0)
		buf_addf(&c->trouble, "'%s' cannot be used: %s", name, err.text);
	else if (json_type(buf_slice(&c->file)) != JSON_OBJECT)
		buf_addf(&c->trouble, "'%s' cannot be used: it is no object", name);
	return c->trouble.len ? -1 : 0;
}

bool
cassette_get(struct cassette *c, const uint8_t key[CACHE_KEY], struct buf *reply)
{
	char *name = file_name(c, key);
	bool found = false;
	struct slice whole, value = {0};
	struct err err;
	long ms;

	if (read_file(c, name) == 0) {
		if (!json_get(buf_slice(&c->file), "key", &whole) || !json_is(whole, c->hex.ptr))
			buf_addf(
			    &c->trouble, "'%s' cannot be used: its \"key\" is another's", name);
		else if (!json_get(buf_slice(&c->file), "reply", &value) ||
		    json_type(value) != JSON_OBJECT)
			buf_addf(&c->trouble, "'%s' cannot be used: it has no \"reply\"", name);
		else if (cache_decode(value, &c->decoded, &ms, &err) != 0)
			buf_addf(&c->trouble, "'%s' cannot be used: %s", name, err.text);
		else
			found = true;
	}
	if (found)
		buf_addslice(reply, value);
	free(name);
	return found;
}

/* ---- recording ---- */

/* Whether a query's parameter of that name may carry a secret. */
static bool
secret(struct slice name)
{
	static const char *const words[] = {"key", "token", "sig", "secret", "password", "code"};

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		for (size_t at = 0; at + strlen(words[i]) <= name.len; at++)
			if (strncasecmp(name.ptr + at, words[i], strlen(words[i])) == 0)
				return true;
	return false;
}

/* The URL without what its query may hold that is nobody's business. */
static void
add_url(struct slice url, struct buf *out)
{
	const char *query = memchr(url.ptr, '?', url.len), *end = url.ptr + url.len;

	if (query == NULL) {
		buf_addslice(out, url);
		return;
	}
	buf_add(out, url.ptr, (size_t)(query - url.ptr));
	for (const char *at = query; at < end;) {
		const char *stop = at + 1, *equals;

		while (stop < end && *stop != '&')
			stop++;
		equals = memchr(at, '=', (size_t)(stop - at));
		if (equals && secret((struct slice){at + 1, (size_t)(equals - at - 1)})) {
			buf_add(out, at, (size_t)(equals + 1 - at));
			buf_adds(out, "***");
		} else {
			buf_add(out, at, (size_t)(stop - at));
		}
		at = stop;
	}
}

int
cassette_put(struct cassette *c, const uint8_t key[CACHE_KEY], struct slice url,
    struct slice body, struct slice reply, struct err *e)
{
	char *name = file_name(c, key);
	int rc;

	buf_reset(&c->made);
	buf_reset(&c->asked);
	add_url(url, &c->asked);
	buf_addf(&c->made, "{\n  \"key\": \"%s\",\n  \"request\": {\n    \"url\": ", c->hex.ptr);
	json_quote(&c->made, buf_slice(&c->asked));
	buf_adds(&c->made, ",\n    \"body\": ");
	text_indent(body, 2, &c->made);
	buf_adds(&c->made, "\n  },\n  \"reply\": ");
	text_indent(reply, 1, &c->made);
	buf_adds(&c->made, "\n}\n");
	rc = path_replace(name, buf_slice(&c->made), NULL, e);
	free(name);
	return rc;
}

/* ---- what a miss is told ---- */

/* Whether a folder's entry is a recorded request. */
static bool
recorded(const char *name)
{
	return strspn(name, "0123456789abcdef") == DIGITS && strcmp(name + DIGITS, ".json") == 0;
}

static bool
request_body(struct slice file, struct slice *body)
{
	static const char *const path[] = {"request", "body"};

	return json_path(file, path, 2, body);
}

/* The name of the file whose body shares most with asked, the caller's to free, or NULL. */
static char *
nearest(struct cassette *c, struct slice asked)
{
	DIR *folder = opendir(c->dir);
	struct dirent *entry;
	char *best = NULL;
	double most = -1;
	size_t looked = 0, bytes = 0;

	while (folder && looked < LOOKED && bytes < LOOKED_BYTES &&
	    (entry = readdir(folder)) != NULL) {
		char *name;
		struct slice body;

		if (!recorded(entry->d_name))
			continue;
		name = path_join(c->dir, entry->d_name);
		looked++;
		if (read_file(c, name) == 0 && request_body(buf_slice(&c->file), &body)) {
			size_t longer;
			double share;

			buf_reset(&c->body);
			json_compact(body, &c->body);
			longer = c->body.len > asked.len ? c->body.len : asked.len;
			share = (double)text_common(buf_slice(&c->body), asked) / (double)longer;
			/* Folders have no order: equals are decided by name. */
			if (share > most || (share == most && strcmp(name, best) < 0)) {
				free(best);
				best = xstrdup(name);
				most = share;
			}
		}
		bytes += c->file.len;
		free(name);
	}
	if (folder)
		closedir(folder);
	return best;
}

static void
tell_difference(struct cassette *c, const char *name, struct buf *out)
{
	const char *slash = strrchr(name, '/');
	struct slice body, url, object;

	buf_addf(out, "the nearest that is recorded, '%s', ", slash ? slash + 1 : name);
	if (read_file(c, name) != 0 || !request_body(buf_slice(&c->file), &body)) {
		buf_adds(out, "cannot be read any more");
		return;
	}
	buf_reset(&c->body);
	json_compact(body, &c->body);
	buf_adds(out, "differs ");
	if (text_difference(buf_slice(&c->body), buf_slice(&c->asked), out))
		return;
	buf_adds(out, "only in its address or protocol: it was asked of '");
	buf_reset(&c->body);
	if (json_get(buf_slice(&c->file), "request", &object) && json_get(object, "url", &url) &&
	    json_text(url, &c->body) && c->body.len > URL_SHOWN)
		buf_cut(&c->body, URL_SHOWN);
	buf_add_visible(out, buf_slice(&c->body));
	buf_addc(out, '\'');
}

void
cassette_miss(struct cassette *c, struct slice body, struct buf *out)
{
	char *name;

	if (c->trouble.len) {
		buf_add_visible(out, buf_slice(&c->trouble));
		return;
	}
	buf_addf(out, "this request is not recorded in '%s'", c->dir);
	if (c->misses == TOLD) {
		buf_adds(out, ": see the records before for what differs");
		return;
	}
	c->misses++;
	buf_reset(&c->asked);
	if (json_check(body, NULL) != 0)
		return;
	json_compact(body, &c->asked);
	name = nearest(c, buf_slice(&c->asked));
	buf_adds(out, ": ");
	if (name)
		tell_difference(c, name, out);
	else
		buf_adds(out, "nothing is");
	buf_reset(&c->trouble);
	free(name);
}

void
cassette_close(struct cassette *c)
{
	if (c == NULL)
		return;
	buf_free(&c->file);
	buf_free(&c->hex);
	buf_free(&c->trouble);
	buf_free(&c->made);
	buf_free(&c->asked);
	buf_free(&c->body);
	reply_free(&c->decoded);
	free(c->dir);
	free(c);
}
