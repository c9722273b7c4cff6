/* The URLs of endpoints: how people write them, and where a key may go. */
#include "common/http.h"
#include "common/url.h"
#include "tools/ai/endpoint_part.h"

#include <arpa/inet.h>
#include <strings.h>

static bool
starts_any(struct slice host, const char *const *prefixes)
{
	for (; *prefixes; prefixes++)
		if (slice_starts(host, *prefixes))
			return true;
	return false;
}

/* RFC 1918, and link-local. */
static bool
near_address(struct slice host)
{
	char text[INET_ADDRSTRLEN] = "";
	struct in_addr in;
	uint32_t a;

	if (host.len >= sizeof(text))
		return false;
	memcpy(text, host.ptr, host.len);
	if (inet_pton(AF_INET, text, &in) != 1)
		return false;
	a = ntohl(in.s_addr);
	return a >> 24 == 10 || a >> 20 == 0xAC1 || a >> 16 == 0xC0A8 || a >> 16 == 0xA9FE;
}

bool
url_loopback(struct slice url)
{
	return http_loopback(url_host(url));
}

/* The same of IPv6 (RFC 4193), and names that no public name looks like. */
bool
url_near(struct slice url)
{
	static const char *const near6[] = {"[fe80:", "[fd", "[fc", NULL};
	struct slice host = url_host(url);

	if (http_loopback(host) || near_address(host))
		return true;
	if (host.len && host.ptr[0] == '[')
		return starts_any(host, near6);
	return memchr(host.ptr, '.', host.len) == NULL || slice_ends(host, ".local") ||
	    slice_ends(host, ".internal");
}

int
url_check(struct slice url, bool with_key, struct err *e)
{
	bool tls = strncasecmp(url.ptr, "https://", 8) == 0;
	struct slice host = url_host(url);

	/* First: what is in it is not to be shown below. */
	if (memchr(url.ptr, '@', url.len))
		return err_set(e, "bad_value",
		    "a URL with an account in it: a key comes from the environment or --key-file");
	if (!tls && strncasecmp(url.ptr, "http://", 7) != 0)
		return err_set(e, "bad_value", "'%.*s' is no URL of http or https", (int)url.len,
		    url.ptr);
	if (host.len == 0)
		return err_set(e, "bad_value", "'%.*s' names no host", (int)url.len, url.ptr);
	if (with_key && !tls && !url_near(url))
		return err_set(e, "bad_value",
		    "a key is not sent to '%.*s' in the clear: use https, or unset the key",
		    (int)host.len, host.ptr);
	return 0;
}

/* Whether there is a path behind the host. */
static bool
has_path(struct slice url)
{
	struct slice host = url_host(url);
	const char *end = url.ptr + url.len;

	return host.len && memchr(host.ptr, '/', (size_t)(end - host.ptr)) != NULL;
}

/* OLLAMA_HOST: a host, a host and port, or a URL; 0.0.0.0 is where it listens. */
static void
ollama_host(struct slice given, struct buf *out)
{
	struct slice host;
	size_t from = out->len;

	if (memmem(given.ptr, given.len, "://", 3) == NULL) {
		buf_adds(out, "http://");
		buf_addslice(out, given);
		host = url_host((struct slice){out->ptr + from, out->len - from});
		if (memchr(host.ptr + host.len, ':', (size_t)(out->ptr + out->len - host.ptr) - host.len) == NULL)
			buf_adds(out, ":11434");
	} else {
		buf_addslice(out, given);
	}
	host = url_host((struct slice){out->ptr + from, out->len - from});
	if (slice_is(host, "0.0.0.0"))
		buf_splice(out, (size_t)(host.ptr - out->ptr), host.len, S("127.0.0.1"));
}

char *
url_base(struct slice given, const char *provider, const char *protocol)
{
	struct buf out = {0};

	given = slice_trim(given);
	while (given.len && given.ptr[given.len - 1] == '/')
		given.len--;
	/* Whatever is spoken there, its address is written so. */
	if (strcmp(provider, "ollama") == 0 || strcmp(protocol, "ollama") == 0)
		ollama_host(given, &out);
	else
		buf_addslice(&out, given);
	if (strcmp(protocol, "openai") == 0 || strcmp(protocol, "responses") == 0) {
		if (!has_path(buf_slice(&out)))
			buf_adds(&out, strcmp(provider, "azure") == 0 ? "/openai/v1" : "/v1");
	} else if (slice_ends(buf_slice(&out), "/v1")) {
		buf_cut(&out, out.len - 3);
	}
	return buf_detach(&out);
}
