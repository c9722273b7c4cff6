/* What goes with every request to an endpoint: all in one buffer that can be wiped. */
#include "common/mem.h"
#include "common/path.h"
#include "tools/ai/endpoint_part.h"

#include <stdlib.h>
#include <strings.h>

enum { HEADER_FILE = 64 * 1024 };

static const char api_version_new[] = "2026-10-21";
static const char api_version_old[] = "2023-06-01";

/* Headers are added as lines; slices are made of them when all are there. */
static void
add(struct endpoint *p, const char *name, struct slice value)
{
	buf_adds(&p->wiped, name);
	buf_adds(&p->wiped, ": ");
	buf_addslice(&p->wiped, value);
	buf_addc(&p->wiped, '\n');
}

static void
add_env(struct endpoint *p, const char *name, const char *variable)
{
	const char *value = getenv(variable);

	if (value && *value)
		add(p, name, slice(value));
}

/* A name that usually carries a key: on the command line everybody could read it. */
static bool
is_secret(struct slice header)
{
	static const char *const names[] = {"authorization:", "x-api-key:", "api-key:",
	    "x-goog-api-key:", "proxy-authorization:", "cookie:"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (header.len >= strlen(names[i]) &&
		    strncasecmp(header.ptr, names[i], strlen(names[i])) == 0)
			return true;
	return false;
}

static int
add_own(struct endpoint *p, struct slice header, struct err *e)
{
	const char *colon = memchr(header.ptr, ':', header.len);

	if (colon == NULL || colon == header.ptr)
		return err_set(e, "bad_value", "%s: 'Name: value' is wanted",
		    opt_origin("header"));
	for (size_t i = 0; i < header.len; i++)
		if ((unsigned char)header.ptr[i] < ' ' && header.ptr[i] != '\t')
			return err_set(e, "bad_value", "%s: a control character in '%.*s'",
			    opt_origin("header"), (int)(colon - header.ptr), header.ptr);
	buf_addslice(&p->wiped, header);
	buf_addc(&p->wiped, '\n');
	return 0;
}

static int
add_file(struct endpoint *p, const char *name, struct err *e)
{
	struct buf text = {0};
	struct slice rest, line;
	int rc = path_read(name, HEADER_FILE, &text, e);

	rest = buf_slice(&text);
	while (rc == 0 && slice_line(&rest, &line))
		if (slice_trim(line).len && line.ptr[0] != '#')
			rc = add_own(p, slice_trim(line), e);
	if (text.ptr)
		explicit_bzero(text.ptr, text.cap);
	buf_free(&text);
	return rc;
}

static int
add_all_own(struct endpoint *p, const struct opt_list *own, struct err *e)
{
	for (size_t i = 0; own && i < own->n; i++) {
		struct slice header = slice(own->v[i]);

		if (header.len && header.ptr[0] == '@') {
			if (add_file(p, own->v[i] + 1, e) < 0)
				return -1;
			continue;
		}
		if (is_secret(header))
			return err_set(e, "bad_value",
			    "--header: others could read this key on the command line: "
			    "put the line into a file, --header=@FILE");
		if (add_own(p, header, e) < 0)
			return -1;
	}
	return 0;
}

static int
add_anthropic(struct endpoint *p, const char *version, struct slice key, struct err *e)
{
	if (version == NULL)
		version = api_version_new;
	if (strcmp(version, api_version_new) != 0 && strcmp(version, api_version_old) != 0)
		return err_set(e, "bad_value", "%s: '%s' is neither %s nor %s",
		    opt_origin("api-version"), version, api_version_new, api_version_old);
	p->version_new = strcmp(version, api_version_new) == 0;
	add(p, "anthropic-version", slice(version));
	/* Before 2026-10-21 the key has a header of its own, and tokens (ANTHROPIC_AUTH_TOKEN)
	 * theirs. */
	if (key.len && !p->version_new && slice_starts(key, "sk-ant-api"))
		add(p, "x-api-key", key);
	return 0;
}

static void
add_key(struct endpoint *p, struct slice auth, struct slice key)
{
	char name[64];

	if (!slice_is(auth, "bearer")) {
		snprintf(name, sizeof(name), "%.*s", (int)auth.len, auth.ptr);
		add(p, name, key);
		return;
	}
	buf_adds(&p->wiped, "Authorization: Bearer ");
	buf_addslice(&p->wiped, key);
	buf_addc(&p->wiped, '\n');
}

static void
split(struct endpoint *p)
{
	struct slice rest = buf_slice(&p->wiped), line;
	size_t cap = 0;

	while (slice_line(&rest, &line)) {
		p->headers = xgrow(p->headers, p->nheaders, &cap, sizeof(*p->headers));
		p->headers[p->nheaders++] = line;
	}
}

int
endpoint_headers(struct endpoint *p, const struct provider *provider,
    const struct endpoint_settings *s, bool primary, struct slice key, struct err *e)
{
	/* Room for all of it, so that growing leaves no copy of a key behind. */
	buf_room(&p->wiped, 8192 + 2 * key.len);
	add(p, "Content-Type", S("application/json"));
	if (strcmp(p->protocol->name, "anthropic") == 0 &&
	    add_anthropic(p, primary ? s->api_version : NULL, key, e) < 0)
		return -1;
	if (key.len && memmem(p->wiped.ptr, p->wiped.len, "x-api-key", 9) == NULL)
		add_key(p, provider->auth, key);
	if (strcmp(p->provider, "openai") == 0) {
		add_env(p, "OpenAI-Organization", "OPENAI_ORG_ID");
		add_env(p, "OpenAI-Project", "OPENAI_PROJECT_ID");
	}
	if (primary && add_all_own(p, s->headers, e) < 0)
		return -1;
	split(p);
	return 0;
}
