/*
 * Who comes in: the page, the key, the claims. Refusals are in the words of
 * Supabase Realtime, which official clients show to people.
 *
 * A browser sends its page's origin with every WebSocket and every POST. With --origin
 * those pages count, and no others. Without, pages of this machine's loopback
 * count, and where a key is needed pages of the hub's own host as well: without a key that
 * would open the hub to any page whose name is made to lead here (DNS rebinding).
 */
#include "common/base64.h"
#include "common/http.h"
#include "common/mem.h"
#include "common/secret.h"
#include "common/time.h"
#include "common/url.h"
#include "tools/collab/hub_part.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#define BEARER "base64url.bearer.phx."

/* What a join's or a refresh's token gave; the token, for when the keys change. */
struct ticket {
	struct claims claims;
	char token[];
};

static bool
number(struct slice text)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.ptr[i] < '0' || text.ptr[i] > '9')
			return false;
	return true;
}

static struct slice
without_port(struct slice host)
{
	const char *colon, *bracket;

	if (host.len == 0)
		return host;
	colon = memrchr(host.ptr, ':', host.len);
	bracket = memrchr(host.ptr, ']', host.len);
	if (colon && colon > bracket && (bracket || memchr(host.ptr, ':', host.len) == colon) &&
	    number((struct slice){colon + 1, (size_t)(host.ptr + host.len - colon - 1)}))
		host.len = (size_t)(colon - host.ptr);
	return host;
}

bool
admit_loopback(struct slice host)
{
	return host.len && http_loopback(without_port(host));
}

bool
admit_origin(const struct hub *hub, struct slice origin, struct slice host)
{
	const struct hub_settings *s = &hub->settings;
	struct slice page, ours;

	if (origin.ptr == NULL)
		return true;
	page = url_host(origin);
	ours = without_port(host);
	for (size_t i = 0; i < s->norigins; i++)
		if (strcmp(s->origins[i], "*") == 0 || slice_is(origin, s->origins[i]))
			return true;
	if (s->norigins || page.len == 0)
		return false;
	if (http_loopback(page))
		return true;
	return s->keyring && page.len == ours.len && strncasecmp(page.ptr, ours.ptr, ours.len) == 0;
}

/* ---- keys ---- */

/* phoenix.js's authToken: a subprotocol that holds it. */
static bool
bearer(struct slice offered, struct buf *out)
{
	const char *at = memmem(offered.ptr, offered.len, BEARER, sizeof(BEARER) - 1);
	struct buf text = {0};
	bool good;

	if (at == NULL)
		return false;
	at += sizeof(BEARER) - 1;
	/* Its encoder is btoa, whose last two characters are not those of base64url. */
	for (; at < offered.ptr + offered.len && *at != ',' && *at != ' '; at++)
		buf_addc(&text, (char)(*at == '+' ? '-' : *at == '/' ? '_' : *at));
	good = base64url_get(out, buf_slice(&text));
	secret_wipe(&text);
	return good;
}

/* The header wins over the query: so Supabase. */
static void
find_token(const struct socket_ask *ask, struct buf *out)
{
	struct slice header = socket_ask_header(ask, "x-api-key");
	struct slice offered = socket_ask_header(ask, "sec-websocket-protocol");

	if (header.ptr) {
		url_unescape(out, header);
		return;
	}
	if (socket_ask_arg(ask, "apikey", out) || socket_ask_arg(ask, "token", out))
		return;
	buf_reset(out);
	if (!offered.ptr || !bearer(offered, out))
		buf_reset(out);
}

static struct claims
anybody(void)
{
	return claims_static(S("anybody"), S("service_role"), S(""), S(""));
}

static int
refuse(struct socket_ask *ask, int status, const char *text, uint64_t *counter)
{
	struct buf body = {0};

	++*counter;
	json_open(&body, '{');
	json_add(&body, "error", slice(text));
	json_close(&body, '}');
	socket_answer(ask, status, NULL, buf_slice(&body), NULL);
	buf_free(&body);
	return -1;
}

static int
by_token(struct hub *hub, struct socket_ask *ask, struct conn *c)
{
	struct buf token = {0};
	struct err e;
	int rc;

	find_token(ask, &token);
	rc = keyring_admit(hub->settings.keyring, buf_slice(&token), time_now(), &c->claims, &e);
	if (rc == 0)
		c->token = xstrndup(token.ptr, token.len);
	else
		refuse(ask, 401, e.text, &hub->metrics.refused_key);
	secret_wipe(&token);
	return rc;
}

int
admit_upgrade(struct hub *hub, struct socket_ask *ask, struct conn *c)
{
	const struct hub_settings *s = &hub->settings;
	struct metrics *m = &hub->metrics;

	if (!admit_origin(hub, socket_ask_header(ask, "origin"), socket_ask_header(ask, "host")))
		return refuse(ask, 403, "Origin is not allowed", &m->refused_origin);
	if (hub->draining)
		return refuse(ask, 503, "Realtime is restarting, please standby",
		    &m->refused_limit);
	/* The key before the limits: a stranger is not told how full it is. */
	if (s->keyring == NULL)
		c->claims = anybody();
	else if (by_token(hub, ask, c) != 0)
		return -1;
	c->use = limit_key(hub, c->claims.name);
	if (s->max_connections > 0 && hub->nconns >= (size_t)s->max_connections) {
		conn_capped(c, CAP_CONNECTIONS);
		refuse(ask, 429, "Too many connected users", &m->refused_limit);
	} else if (s->max_joins > 0 && limit_room(&c->use->joins, s->max_joins, time_ms()) < 1) {
		hub_capped(hub, CAP_JOINS, c->claims.name, NULL, time_ms());
		refuse(ask, 429, "Too many joins per second", &m->refused_limit);
	} else {
		return 0;
	}
	limit_key_done(c->use);
	claims_free(&c->claims);
	if (c->token)
		explicit_bzero(c->token, strlen(c->token));
	free(c->token);
	return -1;
}

/* Authorization: Bearer TOKEN, else apikey: TOKEN. */
static struct slice
rest_token(const struct socket_ask *ask)
{
	struct slice header = socket_ask_header(ask, "authorization");

	if (header.ptr == NULL || header.len == 0)
		return socket_ask_header(ask, "apikey");
	if (header.len < 7 || strncasecmp(header.ptr, "bearer ", 7) != 0)
		return S("");
	return slice_trim((struct slice){header.ptr + 7, header.len - 7});
}

int
admit_rest(struct hub *hub, struct socket_ask *ask, struct claims *claims)
{
	struct slice token;

	if (hub->settings.keyring == NULL) {
		*claims = anybody();
		return 0;
	}
	token = rest_token(ask);
	if (token.ptr == NULL)
		token = S("");
	return keyring_admit(hub->settings.keyring, token, time_now(), claims, NULL);
}

/* ---- tokens of joins ---- */

static void
expired(char *text, size_t size, int64_t exp, int64_t now)
{
	snprintf(text, size, "Token has expired %lld seconds ago", (long long)((now - exp) / 1000));
}

/* The codes that joins are refused with. */
static int
coded(struct err *e, const struct err *why, const struct claims *claims, int64_t now)
{
	char text[80];

	if (strcmp(why->code, "token_expired") == 0) {
		expired(text, sizeof(text), claims->exp, now);
		return err_set(e, "InvalidJWTToken", "InvalidJWTToken: %s", text);
	}
	if (strcmp(why->code, "not_jwt") == 0)
		return err_set(e, "MalformedJWT", "MalformedJWT: %.300s", why->text);
	if (strcmp(why->code, "bad_signature") == 0)
		return err_set(e, "JwtSignatureError", "JwtSignatureError: %.300s", why->text);
	if (strcmp(why->code, "no_signer") == 0)
		return err_set(e, "JwtSignerError", "JwtSignerError: %.300s", why->text);
	return err_set(e, "InvalidJWTToken", "InvalidJWTToken: %.300s", why->text);
}

int
admit_token(struct conn *c, struct slice token, struct claims **out, struct err *e)
{
	const struct keyring *keyring = c->hub->settings.keyring;
	int64_t now = time_now();
	struct claims claims = {0};
	struct ticket *ticket;
	struct err why = {0};

	*out = NULL;
	if (keyring == NULL)
		return 0;
	if (token.len == 0 || slice_starts(token, "sb_")) {
		if (c->claims.exp == 0 || c->claims.exp > now)
			return 0;
		why.code = "token_expired";
		return coded(e, &why, &c->claims, now);
	}
	if (keyring_admit(keyring, token, now, &claims, &why) != 0)
		return coded(e, &why, &claims, now);
	ticket = xcalloc(1, sizeof(*ticket) + token.len + 1);
	ticket->claims = claims;
	memcpy(ticket->token, token.ptr, token.len);
	*out = &ticket->claims;
	return 0;
}

void
admit_forget(struct claims *claims)
{
	struct ticket *ticket = (struct ticket *)claims;

	if (ticket == NULL)
		return;
	claims_free(&ticket->claims);
	explicit_bzero(ticket->token, strlen(ticket->token));
	free(ticket);
}

bool
admit_topic(const struct conn *c, const struct claims *claims, struct slice topic, bool private,
    bool write)
{
	return !private || claims_may(claims ? claims : &c->claims, topic_short(topic), write);
}

/* ---- while they are here ---- */

/* The keys have changed: is the token still good? Its claims anew, or what is wrong. */
static bool
still_good(const struct hub *hub, const char *token, int64_t now, struct claims *claims,
    struct err *why)
{
	struct claims fresh = {0};

	if (keyring_admit(hub->settings.keyring, slice(token), now, &fresh, why) == 0) {
		claims_free(claims);
		*claims = fresh;
		return true;
	}
	/* A token that has expired meanwhile is told as any other that has. */
	return why->code && strcmp(why->code, "token_expired") == 0;
}

static void
check_channel(struct channel *ch, bool rekeyed, int64_t now)
{
	struct conn *c = ch->conn;
	struct claims *claims = ch->claims ? ch->claims : &c->claims;
	struct slice topic = {ch->topic->name, ch->topic->len};
	struct err why = {0};
	char text[80];

	if (rekeyed && ch->claims &&
	    !still_good(c->hub, ((struct ticket *)ch->claims)->token, now, ch->claims, &why)) {
		channel_end(ch, why.text);
	} else if (claims->exp && claims->exp <= now) {
		expired(text, sizeof(text), claims->exp, now);
		channel_end(ch, text);
	} else if (rekeyed && ch->topic->private) {
		if (!claims_may(claims, topic_short(topic), false))
			channel_end(ch,
			    "You no longer have permission to read from this Channel topic");
		else
			ch->may_write = claims_may(claims, topic_short(topic), true);
	}
}

static void
check_conn(struct conn *c, bool rekeyed, int64_t now)
{
	struct channel *ch, *next;
	struct err why = {0};
	bool gone = rekeyed && c->token && !still_good(c->hub, c->token, now, &c->claims, &why);

	for (ch = c->channels; ch; ch = next) {
		next = ch->next_of_conn;
		if (gone)
			channel_end(ch, why.text);
		else
			check_channel(ch, rekeyed, now);
	}
	if (gone)
		conn_end(c, 1008, "the key is not valid any more");
}

void
admit_check(struct hub *hub, int64_t now)
{
	bool rekeyed = hub->checked != hub->settings.keyring;

	if (hub->settings.keyring == NULL)
		return;
	hub->checked = hub->settings.keyring;
	for (struct conn *c = hub->conns; c; c = c->next)
		if (c->socket && !c->closing)
			check_conn(c, rekeyed, now);
}
