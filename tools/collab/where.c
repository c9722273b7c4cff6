#include "tools/collab/where.h"

#include "common/http.h"
#include "common/mem.h"
#include "common/secret.h"
#include "common/url.h"
#include "tools/collab/jwt.h"
#include "tools/collab/keyfile.h"
#include "tools/collab/keyring.h"

#include <stdlib.h>
#include <strings.h>

enum { PORT_MOST = 65535 };

/* ---- URLs ---- */

static bool
is_hosted(struct slice host)
{
	static const char *const names[] = {".supabase.co", ".supabase.in", ".supabase.red"};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		size_t n = strlen(names[i]);

		if (host.len > n && strncasecmp(host.ptr + host.len - n, names[i], n) == 0)
			return true;
	}
	return false;
}

bool
where_is_here(const char *url)
{
	return http_loopback(url_host(slice(url)));
}

bool
where_is_hosted(const char *url)
{
	return is_hosted(url_host(slice(url)));
}

const char *
where_scheme_hint(const char *base)
{
	return slice_starts(slice(base), "http://") ? ": a hub with TLS wants https://" :
						      ": a hub without TLS wants http://";
}

/* Without what is written behind the part that both the socket and REST share. */
static struct slice
trim_path(struct slice url)
{
	static const char end[] = "/websocket";

	while (url.len && url.ptr[url.len - 1] == '/')
		url.len--;
	if (slice_ends(url, end))
		url.len -= sizeof(end) - 1;
	return url;
}

/* So much of it fits a message. */
static int
shown(struct slice url)
{
	return url.len < 200 ? (int)url.len : 200;
}

static bool
port_is_good(struct slice url, struct slice host)
{
	const char *at = host.ptr + host.len, *end = url.ptr + url.len;
	long port = 0;

	if (at == end || *at != ':')
		return true;
	while (++at < end && *at >= '0' && *at <= '9' && port <= PORT_MOST)
		port = 10 * port + (*at - '0');
	return (at == end || *at == '/') && port >= 1 && port <= PORT_MOST;
}

static int
check_url(struct slice url, bool tls, bool insecure, struct err *e)
{
	struct slice host = url_host(url);

	for (size_t i = 0; i < url.len; i++)
		if ((unsigned char)url.ptr[i] <= ' ' || (unsigned char)url.ptr[i] >= 127 ||
		    url.ptr[i] == '#')
			return err_set(e, "bad_url", "'%.*s' has a character that no URL has",
			    shown(url), url.ptr);
	if (host.len == 0)
		return err_set(e, "bad_url", "'%.*s' names no host", shown(url), url.ptr);
	if (!port_is_good(url, host))
		return err_set(e, "bad_url", "'%.*s' has no valid port: 1 to 65535", shown(url),
		    url.ptr);
	if (!tls && !insecure && !http_loopback(host))
		return err_set(e, "insecure",
		    "to '%.*s' all would go in the clear: use https, or --insecure on a network "
		    "of your own",
		    (int)host.len, host.ptr);
	return 0;
}

int
where_base(const char *text, bool insecure, struct buf *out, struct err *e)
{
	static const struct {
		const char *word, *means;
	} schemes[] = {{"http://", "http://"}, {"https://", "https://"}, {"ws://", "http://"},
	    {"wss://", "https://"}};
	struct slice url = trim_path(slice_trim(slice(text))), host;
	size_t i = 0, n = sizeof(schemes) / sizeof(*schemes);

	/* First: what is in it is not to be shown. */
	if (memchr(url.ptr, '@', url.len) || memchr(url.ptr, '?', url.len))
		return err_set(e, "bad_url",
		    "a URL with an account or a query in it: the key comes from the environment "
		    "or --key-file");
	while (i < n && strncasecmp(url.ptr, schemes[i].word, strlen(schemes[i].word)) != 0)
		i++;
	if (i == n)
		return err_set(e, "bad_url", "'%.*s' begins with none of http, https, ws, wss",
		    shown(url), url.ptr);
	if (check_url(url, i % 2 == 1, insecure, e) < 0)
		return -1;
	host = url_host(url);
	buf_adds(out, schemes[i].means);
	buf_add(out, host.ptr, (size_t)(url.ptr + url.len - host.ptr));
	if (memchr(host.ptr, '/', (size_t)(url.ptr + url.len - host.ptr)) == NULL)
		buf_adds(out, "/realtime/v1");
	return 0;
}

/* ---- key and token ---- */

static const char *
variable(const char *name)
{
	const char *value = getenv(name);

	return value && *value ? value : NULL;
}

/* 1: found, 0: not set, -1 with e. */
static int
from_variable(const char *name, struct buf *out, struct err *e)
{
	const char *value = variable(name);

	if (value == NULL)
		return 0;
	buf_adds(out, value);
	return secret_check(out, 0, name, e) < 0 ? -1 : 1;
}

/* A hub's key file has one key for us, or none that is known to be ours. */
static int
from_ring(const char *name, struct buf *out, struct err *e)
{
	struct slice value;
	size_t n = keyring_fixed(buf_slice(out), &value);

	if (n == 0)
		return err_set(e, "no_key",
		    "'%s' is a hub's key file, with no line 'key NAME VALUE': --token-file wants "
		    "what 'kandil-collab token --key-file=%s' makes of it", name, name);
	if (n > 1)
		return err_set(e, "no_key",
		    "'%s' is a hub's key file, with %zu keys: a member wants a file with its own "
		    "key alone", name, n);
	memmove(out->ptr, value.ptr, value.len);
	buf_cut(out, value.len);
	return secret_check(out, 0, name, e);
}

/* A file with a key, or (token) a token. */
static int
from_file(const char *name, bool token, struct buf *out, struct err *e)
{
	enum keyfile_kind kind;

	if (keyfile_read(name, out, e) < 0)
		return -1;
	kind = keyfile_kind(buf_slice(out));
	switch (kind) {
	case KEYFILE_RING:
		if (!token)
			return from_ring(name, out, e);
		/* fall through */
	case KEYFILE_JWK:
	case KEYFILE_JWKS:
	case KEYFILE_PEM:
		return err_set(e, "no_key",
		    "'%s' holds %s: a member wants a token alone, as 'kandil-collab token "
		    "--key-file=FILE' makes it%s", name, keyfile_kind_name(kind),
		    token ? "" : ", or a key alone");
	default:
		return secret_line(out, 0, name, e);
	}
}

static bool
same_host(const char *a, const char *b)
{
	struct slice x = url_host(slice(a)), y = url_host(slice(b));

	return x.len && x.len == y.len && strncasecmp(x.ptr, y.ptr, x.len) == 0;
}

static int
find_key(const struct settings *s, struct where *w, struct err *e)
{
	static const char *const theirs[] = {"SUPABASE_KEY", "SUPABASE_ANON_KEY"};
	const char *supabase = variable("SUPABASE_URL");
	int found;

	if (s->key_file &&
	    (opt_source("key-file") >= OPT_ENVIRONMENT || variable("KANDIL_COLLAB_KEY") == NULL))
		return from_file(s->key_file, false, &w->key, e);
	found = from_variable("KANDIL_COLLAB_KEY", &w->key, e);
	if (where_is_here(w->url) || where_is_hosted(w->url) ||
	    (supabase && same_host(supabase, w->url)))
		for (size_t i = 0; found == 0 && i < 2; i++)
			found = from_variable(theirs[i], &w->key, e);
	return found < 0 ? -1 : 0;
}

/* Whether the token is the environment's: a command and a file are the configuration's alone. */
static bool
own_token(const char *command, const char *file)
{
	return variable("KANDIL_COLLAB_TOKEN") &&
	    (command == NULL || opt_source("token-command") < OPT_ENVIRONMENT) &&
	    (file == NULL || opt_source("token-file") < OPT_ENVIRONMENT);
}

int
where_token(const char *command, const char *file, struct buf *out, struct err *e)
{
	struct buf made = {0};
	int rc;

	if ((command == NULL && file == NULL) || own_token(command, file))
		return 0;
	if (command && file && opt_source("token-file") > opt_source("token-command"))
		command = NULL;
	rc = command ? secret_command(command, "--token-command", &made, e)
		     : from_file(file, true, &made, e);
	if (rc == 0) {
		secret_wipe(out);
		*out = made;
		return 0;
	}
	secret_wipe(&made);
	return rc;
}

int
where_find(const struct settings *s, struct where *w, struct err *e)
{
	const char *url = s->url ? s->url : variable("SUPABASE_URL");
	bool token = (s->token_command || s->token_file) &&
	    !own_token(s->token_command, s->token_file);
	struct buf base = {0};
	struct err why;
	int rc;

	*w = (struct where){.url = xstrdup(url ? url : "http://127.0.0.1:4000")};
	rc = where_base(w->url, s->insecure, &base, &why);
	buf_free(&base);
	if (rc < 0)
		err_set(e, why.code, "%s: %s",
		    s->url ? opt_origin("url") : "environment variable 'SUPABASE_URL'", why.text);
	if (rc == 0)
		rc = find_key(s, w, e);
	if (rc == 0 && !token) {
		rc = from_variable("KANDIL_COLLAB_TOKEN", &w->token, e);
		token = rc > 0;
	}
	if (rc >= 0 && w->key.len == 0 && !token && !where_is_here(w->url))
		rc = err_set(e, "no_key",
		    "no key for '%s': set KANDIL_COLLAB_KEY, or --key-file=FILE", w->url);
	if (rc < 0)
		where_free(w);
	return rc < 0 ? -1 : 0;
}

void
where_free(struct where *w)
{
	free(w->url);
	secret_wipe(&w->key);
	secret_wipe(&w->token);
	w->url = NULL;
}

int64_t
where_token_end(struct slice token)
{
	struct jwt jwt = {0};
	struct slice exp;
	double seconds = 0;
	struct err e;

	if (jwt_read(&jwt, token, &e) < 0 || !json_get(buf_slice(&jwt.payload), "exp", &exp) ||
	    !json_double(exp, &seconds) || !(seconds > 0 && seconds < 1e11))
		seconds = 0;
	jwt_free(&jwt);
	return (int64_t)(seconds * 1000);
}
