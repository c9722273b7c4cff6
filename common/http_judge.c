/*
 * How a transfer ended, from libcurl's result and what we saw, and the words
 * for it.
 */
#include "common/http_part.h"

#include "common/time.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static void
say_timeout(const struct http_call *call, struct http_reply *reply)
{
	const struct http_request *r = &call->request;
	int64_t now = call->http->now;

	if (call->fault != HTTP_TIMEOUT)
		snprintf(reply->text, sizeof(reply->text), "no connection to '%.150s' in %ld ms",
		    call->host, call->http->connect_ms);
	else if (http_due_after(call->start, r->total_ms) <= now)
		snprintf(reply->text, sizeof(reply->text), "not finished within %ld ms",
		    r->total_ms);
	else if (call->first < 0)
		snprintf(reply->text, sizeof(reply->text), "no reply within %ld ms",
		    r->first_byte_ms);
	else
		snprintf(reply->text, sizeof(reply->text), "the reply stopped for %ld ms",
		    r->idle_ms);
}

/* A proxy that answered CONNECT with anything but success. */
static bool
proxy_refused(const struct http_call *call)
{
	long answer = 0;

	curl_easy_getinfo(call->easy, CURLINFO_HTTP_CONNECTCODE, &answer);
	return answer >= 300;
}

/* libcurl cannot use the proxy's address, and says so with its password in it. */
static bool
odd_proxy(const struct http_call *call)
{
	return strncasecmp(call->error, "unsupported proxy", strlen("unsupported proxy")) == 0;
}

/*
 * Whether a connection that failed was to a proxy: libcurl 7.88 tells it by
 * the address in its message alone.
 */
static bool
at_proxy(const struct http_call *call)
{
	const char *at = strstr(call->error, "connect to ");
	char own[300];

	snprintf(own, sizeof(own), "%s port %ld ", call->host, call->port);
	return at && strncasecmp(at + strlen("connect to "), own, strlen(own)) != 0;
}

/*
 * A server may answer over HTTP/2 before it has read the request, and then reset the stream; the
 * reply stands (RFC 9113 section 8.1), but libcurl 7.88 calls it an error. It is whole when as
 * many bytes came as were announced.
 */
static bool
came_whole(const struct http_call *call)
{
	curl_off_t announced = -1, came = 0;

	curl_easy_getinfo(call->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &announced);
	curl_easy_getinfo(call->easy, CURLINFO_SIZE_DOWNLOAD_T, &came);
	return http_status(call) >= 200 && announced >= 0 && came == announced;
}

/*
 * Somebody took the connection and reset it at once. Whether libcurl sees that while it connects
 * or when it reads is a race, so it is told apart from nobody being there.
 */
static bool
reset(const struct http_call *call)
{
	long error = 0;

	curl_easy_getinfo(call->easy, CURLINFO_OS_ERRNO, &error);
	return error == ECONNRESET;
}

static enum http_fault
judge(const struct http_call *call, CURLcode result)
{
	if (call->fault != HTTP_DONE)
		return call->fault;
	if (proxy_refused(call) || (result != CURLE_OK && odd_proxy(call)))
		return HTTP_PROXY;
	switch (result) {
	case CURLE_OK:
		return HTTP_DONE;
	case CURLE_COULDNT_RESOLVE_HOST:
		return HTTP_RESOLVE;
	case CURLE_COULDNT_CONNECT:
		return at_proxy(call) ? HTTP_PROXY : reset(call) ? HTTP_CUT : HTTP_CONNECT;
	case CURLE_COULDNT_RESOLVE_PROXY:
	case CURLE_PROXY:
		return HTTP_PROXY;
	case CURLE_OPERATION_TIMEDOUT:
		return HTTP_TIMEOUT;
	case CURLE_GOT_NOTHING:
	case CURLE_PARTIAL_FILE:
	case CURLE_RECV_ERROR:
	case CURLE_SEND_ERROR:
	case CURLE_HTTP2:
		return HTTP_CUT;
	case CURLE_HTTP2_STREAM:
		return came_whole(call) ? HTTP_DONE : HTTP_CUT;
	case CURLE_FILESIZE_EXCEEDED:
		return HTTP_TOO_LARGE;
	case CURLE_UNSUPPORTED_PROTOCOL: /* HTTP/0.9, so: anything */
	case CURLE_WEIRD_SERVER_REPLY:
	case CURLE_BAD_CONTENT_ENCODING:
	case CURLE_WRITE_ERROR: /* ours have a fault set: this is the decompressor's */
		return HTTP_GARBAGE;
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CIPHER:
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_ISSUER_ERROR:
	case CURLE_SSL_INVALIDCERTSTATUS:
	case CURLE_USE_SSL_FAILED:
		return HTTP_TLS;
	default:
		return HTTP_OTHER;
	}
}

static bool
mismatched(const struct http_call *call, CURLcode result, enum http_fault fault)
{
	if (http_status(call) != 0)
		return false;
	return call->tls ? result == CURLE_SSL_CONNECT_ERROR :
			   fault == HTTP_CUT || fault == HTTP_GARBAGE;
}

/* What names the proxy: libcurl's own order of the variables; "" where the caller does. */
static const char *
proxy_variable(const struct http_call *call)
{
	static const char *const names[] = {"https_proxy", "HTTPS_PROXY", "http_proxy", "all_proxy",
	    "ALL_PROXY"};

	if (call->http->proxy)
		return "";
	for (size_t i = call->tls ? 0 : 2; i < sizeof(names) / sizeof(*names); i++) {
		const char *value = getenv(names[i]);

		if (value && *value && !(call->tls && i == 2))
			return names[i];
	}
	return "";
}

/* What failed, in front of libcurl's own words. */
static void
say_proxy(const struct http_call *call, char *out, size_t size)
{
	const char *name = proxy_variable(call);

	if (*name)
		snprintf(out, size, "the proxy fails (see %s)", name);
	else
		snprintf(out, size, "the proxy fails");
}

/* One line: what failed, then libcurl's own words, which begin small. */
static void
say(const struct http_call *call, CURLcode result, struct http_reply *reply)
{
	static const char *const what[] = {[HTTP_RESOLVE] = "the host is not known",
	    [HTTP_CONNECT] = "cannot connect",
	    [HTTP_TLS] = "no secure connection", [HTTP_CUT] = "the reply was cut off",
	    [HTTP_GARBAGE] = "the reply is no HTTP", [HTTP_OTHER] = "the request failed"};
	const char *words = call->error[0] ? call->error : curl_easy_strerror(result);
	char proxy[64];
	bool name;
	size_t n;

	if (reply->fault == HTTP_PROXY && odd_proxy(call))
		words = "its address is none";
	name = words[0] && isupper((unsigned char)words[1]);

	switch (reply->fault) {
	case HTTP_DONE:
		reply->text[0] = '\0';
		return;
	case HTTP_TIMEOUT:
		say_timeout(call, reply);
		return;
	case HTTP_TOO_LARGE:
		snprintf(reply->text, sizeof(reply->text), "the reply is longer than %zu bytes",
		    call->request.max_reply);
		return;
	case HTTP_STOPPED:
		snprintf(reply->text, sizeof(reply->text), "stopped by us");
		return;
	default:
		say_proxy(call, proxy, sizeof(proxy));
		snprintf(reply->text, sizeof(reply->text), "%s: %c%s",
		    reply->fault == HTTP_PROXY ? proxy : what[reply->fault],
		    name ? words[0] : tolower((unsigned char)words[0]), words + 1);
	}
	n = utf8_visible(reply->text, strlen(reply->text));
	while (n && (reply->text[n - 1] == '.' || reply->text[n - 1] == ' '))
		n--;
	reply->text[n] = '\0';
}

void
http_call_reply(struct http_call *call, CURLcode result, struct http_reply *reply)
{
	int64_t now = time_ms();
	long version = 0;

	/* Ours, in place of trying again behind our back. */
	if (result == CURLE_ABORTED_BY_CALLBACK) {
		result = CURLE_GOT_NOTHING;
		call->error[0] = '\0';
	}

	curl_easy_getinfo(call->easy, CURLINFO_HTTP_VERSION, &version);
	if (version >= CURL_HTTP_VERSION_2_0)
		call->http->seen2 = true;
	*reply = (struct http_reply){.fault = judge(call, result), .status = http_status(call),
	    .headers = buf_slice(&call->headers), .body = buf_slice(&call->body),
	    .wait_ms = call->first < 0 ? -1 : call->first - call->start,
	    .total_ms = now - call->start};
	reply->mismatch = mismatched(call, result, reply->fault);
	say(call, result, reply);
}

const char *
http_code(enum http_fault fault)
{
	static const char *const codes[] = {[HTTP_RESOLVE] = "unknown_host",
	    [HTTP_CONNECT] = "cannot_connect", [HTTP_PROXY] = "proxy_failed",
	    [HTTP_TLS] = "bad_tls", [HTTP_TIMEOUT] = "timeout", [HTTP_CUT] = "cut_off",
	    [HTTP_TOO_LARGE] = "reply_too_large", [HTTP_GARBAGE] = "bad_reply",
	    [HTTP_STOPPED] = "stopped", [HTTP_OTHER] = "request_failed"};

	return codes[fault];
}
