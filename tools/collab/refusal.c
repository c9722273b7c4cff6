#include "tools/collab/refusal.h"

enum source { HTTP, JOIN, SYSTEM };

/*
 * Of one source the first row fits whose text begins the words. A code of a
 * join ends at its colon; the colon stands in the row, so that no code is the beginning of
 * another.
 */
static const struct row {
	enum source source;
	int status; /* 0: any */
	const char *text;
	struct refusal refusal;
} rows[] = {
    {HTTP, 401, "Token has expired", {LINK_REFRESH, "token_expired"}},
    {HTTP, 401, "Tenant not found", {LINK_NEVER, "no_realtime"}},
    {HTTP, 401, "", {LINK_NEVER, "authentication"}},
    {HTTP, 403, "Realtime was disabled", {LINK_NEVER, "no_realtime"}},
    {HTTP, 403, "", {LINK_NEVER, "permission"}},
    {HTTP, 400, "", {LINK_NEVER, "no_realtime"}},
    {HTTP, 301, "", {LINK_NEVER, "no_realtime"}},
    {HTTP, 302, "", {LINK_NEVER, "no_realtime"}},
    {HTTP, 307, "", {LINK_NEVER, "no_realtime"}},
    {HTTP, 308, "", {LINK_NEVER, "no_realtime"}},
    {HTTP, 404, "", {LINK_NEVER, "no_realtime"}},
    {HTTP, 405, "", {LINK_NEVER, "no_realtime"}},
    {HTTP, 426, "", {LINK_NEVER, "no_realtime"}},
    {HTTP, 429, "", {LINK_BUSY, "rate_limited"}},
    {HTTP, 0, "", {LINK_BACKOFF, "server_error"}},

    {JOIN, 0, "InvalidJWTToken: Token has expired", {LINK_REFRESH, "token_expired"}},
    {JOIN, 0, "InvalidJWTExpiration", {LINK_REFRESH, "token_expired"}},
    {JOIN, 0, "InvalidJWTToken:", {LINK_NEVER, "authentication"}},
    {JOIN, 0, "MalformedJWT:", {LINK_NEVER, "authentication"}},
    {JOIN, 0, "JwtSignatureError:", {LINK_NEVER, "authentication"}},
    {JOIN, 0, "JwtSignerError:", {LINK_NEVER, "authentication"}},
    {JOIN, 0, "Unauthorized:", {LINK_NEVER, "permission"}},
    {JOIN, 0, "PrivateOnly:", {LINK_NEVER, "permission"}},
    {JOIN, 0, "TenantNotFound:", {LINK_NEVER, "no_realtime"}},
    {JOIN, 0, "RealtimeDisabledForTenant:", {LINK_NEVER, "no_realtime"}},
    {JOIN, 0, "TopicNameRequired:", {LINK_NEVER, "bad_request"}},
    {JOIN, 0, "UnableToReplayMessages:", {LINK_NEVER, "bad_request"}},
    {JOIN, 0, "unmatched topic", {LINK_NEVER, "no_realtime"}},
    {JOIN, 0, "ChannelRateLimitReached:", {LINK_BUSY, "rate_limited"}},
    {JOIN, 0, "ConnectionRateLimitReached:", {LINK_BUSY, "rate_limited"}},
    {JOIN, 0, "ClientJoinRateLimitReached:", {LINK_BUSY, "rate_limited"}},
    {JOIN, 0, "DatabaseConnectionRateLimitReached:", {LINK_BUSY, "rate_limited"}},
    {JOIN, 0, "IncreaseConnectionPool:", {LINK_BUSY, "rate_limited"}},
    /* RealtimeRestarting, TimeoutOnRpcCall, MissingPartition, the bare texts, and all unknown. */
    {JOIN, 0, "", {LINK_BACKOFF, "server_error"}},

    {SYSTEM, 0, "Too many messages per second", {LINK_RATE, "rate_limited"}},
    {SYSTEM, 0, "Too many presence messages per second", {LINK_BUSY, "rate_limited"}},
    {SYSTEM, 0, "Client presence rate limit exceeded", {LINK_BUSY, "rate_limited"}},
    {SYSTEM, 0, "Track message size exceeded", {LINK_NEVER, "too_large"}},
    {SYSTEM, 0, "Token has expired", {LINK_REFRESH, "token_expired"}},
    {SYSTEM, 0, "The token provided is not a valid JWT", {LINK_NEVER, "authentication"}},
    {SYSTEM, 0, "Failed to validate JWT signature", {LINK_NEVER, "authentication"}},
    {SYSTEM, 0, "Failed to generate JWT signer", {LINK_NEVER, "authentication"}},
    {SYSTEM, 0, "Fields `role` and `exp` are required", {LINK_NEVER, "authentication"}},
    {SYSTEM, 0, "You no longer have permission", {LINK_NEVER, "permission"}},
    {SYSTEM, 0, "Realtime was disabled", {LINK_NEVER, "no_realtime"}},
    {SYSTEM, 0, "", {LINK_BACKOFF, "server_error"}},
};

static struct refusal
find(enum source source, int status, struct slice text)
{
	const struct row *r = rows;

	/* Each source ends in a row for everything. */
	while (r->source != source || (r->status && r->status != status) ||
	    !slice_starts(text, r->text))
		r++;
	return r->refusal;
}

struct refusal
refusal_http(int status, struct slice text)
{
	return find(HTTP, status, slice_trim(text));
}

struct refusal
refusal_join(struct slice reason)
{
	struct refusal found;
	struct buf whole = {0};

	/* A code may stand alone. */
	buf_addslice(&whole, slice_trim(reason));
	buf_addc(&whole, ':');
	found = find(JOIN, 0, buf_slice(&whole));
	buf_free(&whole);
	return found;
}

struct refusal
refusal_system(struct slice message)
{
	struct slice m = slice_trim(message);
	static const char code[] = "InvalidJWTToken: ";

	if (slice_starts(m, code))
		m = (struct slice){m.ptr + sizeof(code) - 1, m.len - sizeof(code) + 1};
	return find(SYSTEM, 0, m);
}

/* What OpenSSL says of a certificate that a file of trusted ones makes good. */
static bool
is_untrusted(const char *text)
{
	return strstr(text, "self-signed") || strstr(text, "self signed") ||
	    strstr(text, "issuer certificate") || strstr(text, "the first certificate");
}

const char *
refusal_remedy(const char *code, const char *text, bool given)
{
	if (strcmp(code, "authentication") == 0)
		return given ? ": give a key or token of this hub's, whole"
			     : ": set KANDIL_COLLAB_KEY, or --key-file=FILE";
	if (strcmp(code, "no_realtime") == 0 && !strstr(text, "disabled"))
		return ": no hub is there: look at the URL";
	if (strcmp(code, "bad_tls") == 0 && is_untrusted(text))
		return ": if it is the hub's, trust it by --ca-file=FILE";
	return "";
}
