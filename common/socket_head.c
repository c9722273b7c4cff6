/*
 * What is asked: what an upgrade asks with, and what a plain request does, is
 * copied here out of lws's header table, for that is gone when the body arrives.
 */
#include "common/socket_part.h"

#include "common/url.h"

#include <strings.h>

static const struct {
	const char *name;
	enum lws_token_indexes token; /* WSI_TOKEN_COUNT: lws has no number for it */
} headers[SOCKET_HEADERS] = {{"host", WSI_TOKEN_HOST}, {"origin", WSI_TOKEN_ORIGIN},
    {"authorization", WSI_TOKEN_HTTP_AUTHORIZATION}, {"apikey", WSI_TOKEN_COUNT},
    {"x-api-key", WSI_TOKEN_COUNT}, {"content-type", WSI_TOKEN_HTTP_CONTENT_TYPE},
    {"sec-websocket-protocol", WSI_TOKEN_PROTOCOL},
    {"user-agent", WSI_TOKEN_HTTP_USER_AGENT},
    {"x-forwarded-for", WSI_TOKEN_X_FORWARDED_FOR}};

static const struct {
	const char *name;
	enum lws_token_indexes token;
} methods[] = {{"GET", WSI_TOKEN_GET_URI}, {"POST", WSI_TOKEN_POST_URI},
    {"HEAD", WSI_TOKEN_HEAD_URI}, {"OPTIONS", WSI_TOKEN_OPTIONS_URI},
    {"PUT", WSI_TOKEN_PUT_URI}, {"PATCH", WSI_TOKEN_PATCH_URI},
    {"DELETE", WSI_TOKEN_DELETE_URI}};

/* The fragments into which lws cuts a value, with a byte between them. */
static struct socket_text
copy(struct socket_ask *ask, struct lws *wsi, enum lws_token_indexes token, char between)
{
	int all = lws_hdr_total_length(wsi, token), done = 0;
	struct socket_text part = {.at = ask->text.len, .there = all > 0};

	for (int i = 0; done < all; i++) {
		int n = lws_hdr_fragment_length(wsi, token, i);
		char *at = buf_room(&ask->text, (size_t)n + 2);

		if (n > 0 && lws_hdr_copy_fragment(wsi, at, n + 1, token, i) < 0)
			break;
		ask->text.len += (size_t)n;
		done += n;
		if (done++ < all)
			buf_addc(&ask->text, between);
	}
	part.len = ask->text.len - part.at;
	return part;
}

/* lws has decoded the path, and its callers expect it as it was sent. */
static struct socket_text
copy_path(struct socket_ask *ask, struct lws *wsi, enum lws_token_indexes token)
{
	struct socket_text plain = copy(ask, wsi, token, '&');
	struct buf escaped = {0};
	struct slice rest = {ask->text.ptr + plain.at, plain.len};

	while (rest.len > 0) {
		const char *slash = memchr(rest.ptr, '/', rest.len);
		size_t n = slash ? (size_t)(slash - rest.ptr) : rest.len;

		url_escape(&escaped, (struct slice){rest.ptr, n});
		if (slash) {
			buf_addc(&escaped, '/');
			n++;
		}
		rest.ptr += n;
		rest.len -= n;
	}
	buf_cut(&ask->text, plain.at);
	buf_addslice(&ask->text, buf_slice(&escaped));
	plain.len = escaped.len;
	buf_free(&escaped);
	return plain;
}

static struct socket_text
copy_unknown(struct socket_ask *ask, struct lws *wsi, const char *name)
{
	struct socket_text part = {.at = ask->text.len};
	char colon[32];
	int length, n;

	length = snprintf(colon, sizeof(colon), "%s:", name);
	n = lws_hdr_custom_length(wsi, colon, length);
	if (n < 0)
		return part;
	n = lws_hdr_custom_copy(wsi, buf_room(&ask->text, (size_t)n + 2), n + 1, colon, length);
	part.there = n >= 0;
	part.len = n > 0 ? (size_t)n : 0;
	ask->text.len += part.len;
	return part;
}

void
socket_ask_read(struct socket_ask *ask, struct lws *wsi)
{
	ask->method = "GET";
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		if (lws_hdr_total_length(wsi, methods[i].token) > 0) {
			ask->method = methods[i].name;
			ask->path = copy_path(ask, wsi, methods[i].token);
		}
	ask->args = copy(ask, wsi, WSI_TOKEN_HTTP_URI_ARGS, '\0');
	for (size_t i = 0; i < SOCKET_HEADERS; i++)
		ask->header[i] = headers[i].token == WSI_TOKEN_COUNT ?
		    copy_unknown(ask, wsi, headers[i].name) :
		    copy(ask, wsi, headers[i].token, ',');
}

static struct slice
part_of(const struct socket_ask *ask, struct socket_text part)
{
	if (!part.there)
		return (struct slice){NULL, 0};
	return (struct slice){ask->text.ptr + part.at, part.len};
}

struct slice
socket_ask_method(const struct socket_ask *ask)
{
	return slice(ask->method);
}

struct slice
socket_ask_path(const struct socket_ask *ask)
{
	return part_of(ask, ask->path);
}

struct slice
socket_ask_header(const struct socket_ask *ask, const char *name)
{
	for (size_t i = 0; i < SOCKET_HEADERS; i++)
		if (strcasecmp(headers[i].name, name) == 0) {
			struct slice value = part_of(ask, ask->header[i]);

			return value.ptr ? slice_trim(value) : value;
		}
	return (struct slice){NULL, 0};
}

bool
socket_ask_arg(const struct socket_ask *ask, const char *name, struct buf *out)
{
	struct slice all = part_of(ask, ask->args);
	size_t n = strlen(name);

	buf_reset(out);
	while (all.len > 0) {
		size_t len = strnlen(all.ptr, all.len);
		size_t name_len = len;
		const char *equals = memchr(all.ptr, '=', len);

		if (equals)
			name_len = (size_t)(equals - all.ptr);
		if (name_len == n && memcmp(all.ptr, name, n) == 0) {
			if (equals)
				buf_add(out, equals + 1, len - n - 1);
			return true;
		}
		len += len < all.len;
		all.ptr += len;
		all.len -= len;
	}
	return false;
}
