/*
 * One request: its options, its times, and what libcurl hands us of the reply.
 * An easy handle and its buffers serve one request after
 * another, so that a steady state allocates nothing here.
 */
#include "common/http_part.h"

#include "common/mem.h"
#include "common/time.h"

#include <ctype.h>
#include <stdlib.h>

enum { KEPT = 1024 * 1024 }; /* a spare call's buffers, in bytes, at most */

/* ---- what libcurl hands us ---- */

static void
arrived(struct http_call *call)
{
	struct http *http = call->http;

	call->moved = http->now;
	if (call->first >= 0)
		return;
	call->first = http->now;
	/* From here on another time counts, which may be up sooner. */
	if (http_call_due(call) < http->check)
		http->check = http_call_due(call);
}

static size_t
on_header(char *bytes, size_t size, size_t n, void *state)
{
	struct http_call *call = state;

	n *= size;
	arrived(call);
	if (call->received)
		return n; /* a trailer */
	if (n >= 5 && memcmp(bytes, "HTTP/", 5) == 0)
		buf_reset(&call->headers); /* what came before was a 1xx */
	if (call->headers.len + n > HTTP_HEADERS_MAX) {
		call->fault = HTTP_TOO_LARGE;
		return 0;
	}
	buf_add(&call->headers, bytes, n);
	return n;
}

static size_t
on_body(char *bytes, size_t size, size_t n, void *state)
{
	struct http_call *call = state;
	struct http *http = call->http;

	n *= size;
	arrived(call);
	if (n > call->request.max_reply - call->received) {
		call->fault = HTTP_TOO_LARGE;
		return 0;
	}
	call->received += n;
	buf_add(&call->body, bytes, n);
	if (call->request.data && !call->fed && n > 0) {
		http->fed = xgrow(http->fed, http->nfed, &http->fed_cap, sizeof(*http->fed));
		http->fed[http->nfed++] = call;
		call->fed = true;
	}
	return n;
}

/*
 * Called when a connection is there and nothing has been sent on it. HTTP/1
 * numbers no replies: one that came twice, or anything else that waits to be
 * read on a kept connection, would answer this request. HTTP/2 numbers them.
 */
static int
on_connection(void *state, char *peer, char *own, int peer_port, int own_port)
{
	struct http_call *call = state;
	long made = 0;

	(void)peer, (void)own, (void)peer_port;
	/* libcurl sends again what got no reply on a kept connection; when to try again, we decide. */
	if (call->begun)
		return CURL_PREREQFUNC_ABORT;
	curl_easy_getinfo(call->easy, CURLINFO_NUM_CONNECTS, &made);
	call->foul = made == 0 && !call->http->seen2 && http_socket_waits(call->http, own_port);
	call->begun = !call->foul;
	return call->foul ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
}

/* ---- making ---- */

/* What is the same for every request. */
static void
set_once(struct http_call *call)
{
	struct http *http = call->http;
	CURL *easy = call->easy;

	curl_easy_setopt(easy, CURLOPT_PRIVATE, call);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, call->error);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, call);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, call);
	curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, http_socket_made);
	curl_easy_setopt(easy, CURLOPT_SOCKOPTDATA, http);
	curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, http_socket_closed);
	curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, http);
	curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_connection);
	curl_easy_setopt(easy, CURLOPT_PREREQDATA, call);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
	/* Bodies go straight from the caller; libcurl would hold 64 KiB a request for the copy. */
	curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, 16384L);
	curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "gzip");
	curl_easy_setopt(easy, CURLOPT_USERAGENT, http->user_agent);
	/* CURLOPT_TIMEOUT is not set: our own times tell a stall from a long reply. */
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, http->connect_ms);
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION,
	    http->http2 ? (long)CURL_HTTP_VERSION_2TLS : (long)CURL_HTTP_VERSION_1_1);
	/* Or all that start together open a connection each. */
	curl_easy_setopt(easy, CURLOPT_PIPEWAIT, http->http2 ? 1L : 0L);
	if (http->ca_file)
		curl_easy_setopt(easy, CURLOPT_CAINFO, http->ca_file);
}

struct http_call *
http_call_new(struct http *http)
{
	struct http_call *call = http->spare;

	if (call) {
		http->spare = call->next;
		return call;
	}
	call = xcalloc(1, sizeof(*call));
	call->http = http;
	call->easy = curl_easy_init();
	if (!call->easy) {
		free(call);
		return NULL;
	}
	set_once(call);
	return call;
}

void
http_call_free(struct http_call *call)
{
	curl_easy_cleanup(call->easy);
	free(call->lines);
	buf_free(&call->text);
	buf_free(&call->headers);
	buf_free(&call->body);
	free(call);
}

/* ---- setting up ---- */

/* A letter, digit or sign that RFC 9110 allows in a name. */
static bool
token_char(unsigned char c)
{
	return isalnum(c) || (c && strchr("!#$%&'*+-.^_`|~", c));
}

static size_t
name_length(struct slice header)
{
	size_t n = 0;

	while (n < header.len && token_char((unsigned char)header.ptr[n]))
		n++;
	return n;
}

static int
check_header(struct slice header, struct err *e)
{
	size_t name = name_length(header);

	if (name == 0 || name == header.len || header.ptr[name] != ':')
		return err_set(e, "bad_header", "a header is no 'Name: value'");
	for (size_t i = name; i < header.len; i++) {
		unsigned char c = (unsigned char)header.ptr[i];

		if ((c < ' ' && c != '\t') || c == 0x7F)
			return err_set(e, "bad_header", "the header '%.*s' has a control "
			    "character in its value: is there a line end in the key?",
			    (int)(name < 100 ? name : 100), header.ptr);
	}
	return 0;
}

static bool
header_named(struct slice header, const char *name)
{
	size_t n = strlen(name);

	return header.len > n && header.ptr[n] == ':' && strncasecmp(header.ptr, name, n) == 0;
}

static int
check_url(const char *url, struct err *e)
{
	if (strncasecmp(url, "http://", 7) != 0 && strncasecmp(url, "https://", 8) != 0)
		return err_set(e, "bad_url", "an address must begin with http:// or https://");
	for (const char *p = url; *p; p++)
		if ((unsigned char)*p <= ' ' || *p == 0x7F || *p == '\\')
			return err_set(e, "bad_url", "an address has a blank, a backslash or a "
			    "control character in it");
	return 0;
}

/* The host between user@ and :port, without the brackets of IPv6, the port, and whether by TLS. */
static void
find_host(struct http_call *call, const char *url)
{
	const char *from = strstr(url, "://") + 3, *end = from + strcspn(from, "/?#"), *at;
	size_t n, most = sizeof(call->host) - 1;

	at = memrchr(from, '@', (size_t)(end - from));
	from = at ? at + 1 : from;
	if (*from == '[')
		n = strcspn(++from, "]/?#");
	else
		n = strcspn(from, ":/?#");
	at = from + n + (from[n] == ']');
	call->tls = strncasecmp(url, "https", 5) == 0;
	call->port = call->tls ? 443 : 80;
	if (*at == ':')
		call->port = strtol(at + 1, NULL, 10);
	n = n < most ? n : most;
	memcpy(call->host, from, n);
	call->host[n] = '\0';
}

bool
http_loopback(struct slice host)
{
	static const char name[] = "localhost";
	size_t n = sizeof(name) - 1;

	if (slice_is(host, "::1") || slice_is(host, "[::1]"))
		return true;
	if (host.len >= n && strncasecmp(host.ptr + host.len - n, name, n) == 0)
		return host.len == n || host.ptr[host.len - n - 1] == '.';
	if (!slice_starts(host, "127."))
		return false;
	for (size_t i = 0; i < host.len; i++)
		if (host.ptr[i] != '.' && !isdigit((unsigned char)host.ptr[i]))
			return false;
	return true;
}

static void
add_line(struct http_call *call, struct slice line)
{
	buf_addslice(&call->text, line);
	buf_addc(&call->text, '\0');
	call->nlines++;
}

/*
 * libcurl reads the list and copies nothing, so the nodes and their text are
 * ours, and are linked once the text no longer moves.
 */
static void
set_headers(struct http_call *call, const struct http_request *r, bool body)
{
	bool type = false;
	char *at;

	buf_reset(&call->text);
	call->nlines = 0;
	for (size_t i = 0; i < r->nheaders; i++) {
		add_line(call, r->headers[i]);
		type = type || header_named(r->headers[i], "content-type");
	}
	add_line(call, S("Expect:")); /* or a body may wait a second for its 100 */
	if (body && !type)
		add_line(call, S("Content-Type:")); /* or it would be called a form */
	call->lines = xreallocarray(call->lines, call->nlines, sizeof(*call->lines));
	at = call->text.ptr;
	for (size_t i = 0; i < call->nlines; i++) {
		call->lines[i].data = at;
		call->lines[i].next = i + 1 < call->nlines ? &call->lines[i + 1] : NULL;
		at += strlen(at) + 1;
	}
	curl_easy_setopt(call->easy, CURLOPT_HTTPHEADER, call->lines);
}

static void
set_method(struct http_call *call, const struct http_request *r, bool body)
{
	CURL *easy = call->easy;
	const char *method = r->method ? r->method : body ? "POST" : "GET";
	bool post = strcmp(method, "POST") == 0;

	if (body || post) {
		curl_easy_setopt(easy, CURLOPT_POST, 1L);
		curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->body.len);
		curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body ? r->body.ptr : "");
	} else if (strcmp(method, "HEAD") == 0) {
		curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
	} else {
		curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
	}
	/* libcurl's own words for these; its handling differs only in the name. */
	curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST,
	    post || (!body && (!strcmp(method, "GET") || !strcmp(method, "HEAD"))) ? NULL : method);
}

/* A given proxy is for every address; the environment's never for loopback. */
static void
set_proxy(struct http_call *call)
{
	const char *proxy = call->http->proxy;

	curl_easy_setopt(call->easy, CURLOPT_PROXY,
	    proxy ? proxy : http_loopback(slice(call->host)) ? "" : NULL);
	if (proxy)
		curl_easy_setopt(call->easy, CURLOPT_NOPROXY, "");
}

static void
trim(struct buf *b)
{
	if (b->cap > KEPT)
		buf_free(b);
	buf_reset(b);
}

int
http_call_set(struct http_call *call, const struct http_request *r, struct err *e)
{
	bool body = r->body.len > 0;

	if (check_url(r->url, e) < 0)
		return -1;
	if (r->method && (!*r->method || r->method[name_length(slice(r->method))]))
		return err_set(e, "bad_header", "a method must be one word, such as POST");
	for (size_t i = 0; i < r->nheaders; i++)
		if (check_header(r->headers[i], e) < 0)
			return -1;
	call->request = *r;
	call->request.url = NULL;
	call->request.headers = NULL;
	if (!r->max_reply)
		call->request.max_reply = HTTP_REPLY_MAX;
	trim(&call->headers);
	trim(&call->body);
	call->received = 0;
	call->fed = call->foul = call->begun = false;
	call->fault = HTTP_DONE;
	call->first = -1;
	call->sent = 0;
	call->error[0] = '\0';
	find_host(call, r->url);
	curl_easy_setopt(call->easy, CURLOPT_URL, r->url);
	/* Announced beyond that, nothing of it is read. */
	curl_easy_setopt(call->easy, CURLOPT_MAXFILESIZE_LARGE,
	    (curl_off_t)call->request.max_reply);
	set_method(call, r, body);
	set_headers(call, r, body);
	set_proxy(call);
	return 0;
}

/* ---- times ---- */

int64_t
http_call_due(const struct http_call *call)
{
	const struct http_request *r = &call->request;
	int64_t total = http_due_after(call->start, r->total_ms),
		next = http_due_after(call->moved, call->first < 0 ? r->first_byte_ms : r->idle_ms);

	return total < next ? total : next;
}

bool
http_call_late(struct http_call *call)
{
	const struct http_request *r = &call->request;
	int64_t now = call->http->now;
	curl_off_t sent = 0;

	if (http_due_after(call->start, r->total_ms) > now && call->first < 0) {
		curl_easy_getinfo(call->easy, CURLINFO_SIZE_UPLOAD_T, &sent);
		if (sent > call->sent) {
			call->sent = sent;
			call->moved = now;
			return false;
		}
	}
	call->fault = HTTP_TIMEOUT;
	return true;
}

/* ---- for the caller ---- */

int
http_status(const struct http_call *call)
{
	long status = 0;

	curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
	return (int)status;
}

struct slice
http_header(const struct http_reply *reply, const char *name)
{
	struct slice headers = reply->headers, line;
	size_t n = strlen(name);

	while (slice_line(&headers, &line))
		if (header_named(line, name))
			return slice_trim((struct slice){line.ptr + n + 1, line.len - n - 1});
	return (struct slice){NULL, 0};
}
