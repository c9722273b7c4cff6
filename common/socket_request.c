/*
 * What a client is asked to connect to, checked before anything is sent: the
 * URL, the headers, and the certificates to trust.
 */
#include "common/socket_part.h"

#include "common/mem.h"

#include <strings.h>

enum {
	TARGET_MAX = 2000,  /* path and query: lws has 2,048 bytes for the request line */
	HOST_MAX = 100,	    /* host and port: 128 for this one */
	HEADERS_MAX = 8192, /* of ours */
};

/* ---- TLS: whom to believe, by CA file ---- */

struct socket_trust {
	struct socket_trust *next;
	char *ca_file; /* "": the system's */
	SSL_CTX *tls;
	struct lws_vhost *vhost;
};

/* lws would read certificates from ../share as well, whatever that is. */
static SSL_CTX *
believe(const char *ca_file)
{
	SSL_CTX *tls = SSL_CTX_new(TLS_client_method());

	ERR_clear_error();
	if (tls == NULL)
		return NULL;
	SSL_CTX_set_min_proto_version(tls, TLS1_2_VERSION);
	SSL_CTX_set_mode(tls, SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
	if (*ca_file ? SSL_CTX_load_verify_file(tls, ca_file) == 1 :
		       SSL_CTX_set_default_verify_paths(tls) == 1)
		return tls;
	SSL_CTX_free(tls);
	return NULL;
}

struct lws_vhost *
socket_trust(struct sockets *loop, const char *ca_file)
{
	struct lws_context_creation_info info = {.port = CONTEXT_PORT_NO_LISTEN};
	struct socket_trust *t;
	SSL_CTX *tls;

	for (t = loop->trusts; t; t = t->next)
		if (strcmp(t->ca_file, ca_file) == 0)
			return t->vhost;
	tls = believe(ca_file);
	if (tls == NULL)
		return NULL;
	t = xcalloc(1, sizeof(*t));
	t->ca_file = xstrdup(ca_file);
	t->tls = tls;
	info.vhost_name = t->ca_file;
	info.provided_client_ssl_ctx = tls;
	t->vhost = socket_vhost(loop, &info);
	t->next = loop->trusts;
	loop->trusts = t;
	return t->vhost;
}

void
socket_trust_free(struct sockets *loop)
{
	struct socket_trust *t;

	while ((t = loop->trusts)) {
		loop->trusts = t->next;
		SSL_CTX_free(t->tls);
		free(t->ca_file);
		free(t);
	}
}

/* ---- what is asked for ---- */

static bool
printable(struct slice text)
{
	for (size_t i = 0; i < text.len; i++)
		if ((unsigned char)text.ptr[i] <= ' ' || (unsigned char)text.ptr[i] >= 0x7f)
			return false;
	return true;
}

/* Neither the account nor the query of a URL is ever shown. */
static int
bad_url(struct err *e, const char *why)
{
	return err_set(e, "bad_url", "the URL %s", why);
}

static int
read_authority(struct socket_client *c, struct slice authority, struct err *e)
{
	const char *colon = memrchr(authority.ptr, ':', authority.len);
	struct slice host = authority;
	long port = c->tls ? 443 : 80;

	if (memchr(authority.ptr, '@', authority.len))
		return bad_url(e, "holds an account: give a key by file or environment");
	if (colon && memchr(colon, ']', authority.len - (size_t)(colon - authority.ptr)) == NULL) {
		char text[8] = "";
		size_t n = authority.len - (size_t)(colon - authority.ptr) - 1;

		if (n > 5 || n == 0)
			return bad_url(e, "has no good port");
		memcpy(text, colon + 1, n);
		port = strspn(text, "0123456789") == n ? strtol(text, NULL, 10) : 0;
		if (port < 1 || port > 65535)
			return bad_url(e, "has no good port");
		host.len = (size_t)(colon - authority.ptr);
	}
	c->port = (int)port;
	c->authority = xstrndup(authority.ptr, authority.len);
	if (host.len > 2 && host.ptr[0] == '[' && host.ptr[host.len - 1] == ']')
		host = (struct slice){host.ptr + 1, host.len - 2};
	else if (memchr(host.ptr, ':', host.len))
		host.len = 0;
	if (host.len == 0 || authority.len > HOST_MAX || memchr(host.ptr, '[', host.len))
		return bad_url(e, "has no good host");
	c->host = xstrndup(host.ptr, host.len);
	return 0;
}

static int
read_url(struct socket_client *c, struct slice url, struct err *e)
{
	static const struct {
		const char *scheme;
		bool tls;
	} schemes[] = {{"ws://", false}, {"wss://", true}, {"http://", false}, {"https://", true}};
	struct slice rest = {NULL, 0};
	size_t n = 0;
	bool slash;

	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
		size_t len = strlen(schemes[i].scheme);

		if (url.len > len && strncasecmp(url.ptr, schemes[i].scheme, len) == 0) {
			rest = (struct slice){url.ptr + len, url.len - len};
			c->tls = schemes[i].tls;
		}
	}
	if (rest.ptr == NULL)
		return bad_url(e, "does not begin with ws:// or wss://");
	if (!printable(url) || memchr(url.ptr, '#', url.len))
		return bad_url(e, "holds a blank, a control character or a '#'");
	while (n < rest.len && rest.ptr[n] != '/' && rest.ptr[n] != '?')
		n++;
	if (read_authority(c, (struct slice){rest.ptr, n}, e) < 0)
		return -1;
	slash = n < rest.len && rest.ptr[n] == '/';
	if (rest.len - n > TARGET_MAX)
		return bad_url(e, "is longer than 2000 bytes: send the key as a header");
	c->target = xmalloc(rest.len - n + 2);
	snprintf(c->target, rest.len - n + 2, "%s%.*s", slash ? "" : "/", (int)(rest.len - n),
	    rest.ptr + n);
	return 0;
}

static int
read_headers(struct socket_client *c, const struct socket_request *r, struct err *e)
{
	bool agent = false;

	for (size_t i = 0; i < r->nheaders; i++) {
		struct slice h = r->headers[i];
		const char *colon = memchr(h.ptr, ':', h.len);
		size_t name = colon ? (size_t)(colon - h.ptr) : 0;

		if (name == 0 || !printable((struct slice){h.ptr, name}))
			return err_set(e, "bad_header", "header %zu has no name", i + 1);
		for (size_t j = 0; j < h.len; j++)
			if ((unsigned char)h.ptr[j] < ' ' || h.ptr[j] == 0x7f)
				return err_set(e, "bad_header",
				    "header '%.*s' holds a control character",
				    name < 60 ? (int)name : 60, h.ptr);
		agent = agent || (name == 10 && strncasecmp(h.ptr, "user-agent", 10) == 0);
		buf_addslice(&c->headers, h);
		buf_adds(&c->headers, "\r\n");
	}
	if (!agent)
		buf_adds(&c->headers, "User-Agent: kandil/" KANDIL_VERSION "\r\n");
	if (c->headers.len > HEADERS_MAX)
		return err_set(e, "bad_header", "the headers are longer than %d bytes",
		    HEADERS_MAX);
	return 0;
}

int
socket_read_request(struct socket_client *c, const struct socket_request *r, struct err *e)
{
	return read_url(c, slice(r->url), e) < 0 ? -1 : read_headers(c, r, e);
}
