/* Every code and text of Supabase Realtime that asks for something, and what is unknown. */
#include "tools/collab/refusal.h"
#include "tests/unit/check.h"

static bool
is(struct refusal r, enum link_class class, const char *code)
{
	return r.class == class && strcmp(r.code, code) == 0;
}

static void
test_http(void)
{
	static const struct {
		int status;
		const char *text;
		enum link_class class;
		const char *code;
	} cases[] = {
	    {401, "API key is missing", LINK_NEVER, "authentication"},
	    {401, "The token provided is not a valid JWT", LINK_NEVER, "authentication"},
	    {401, "Failed to validate JWT signature", LINK_NEVER, "authentication"},
	    {401, "Fields `role` and `exp` are required in JWT", LINK_NEVER, "authentication"},
	    {401, "Failed to generate JWT signer: x", LINK_NEVER, "authentication"},
	    {401, "Token has expired", LINK_REFRESH, "token_expired"},
	    {401, " Token has expired 5 seconds ago\n", LINK_REFRESH, "token_expired"},
	    {401, "", LINK_NEVER, "authentication"},
	    {401, "Tenant not found in database", LINK_NEVER, "no_realtime"},
	    {403, "Realtime was disabled for this tenant", LINK_NEVER, "no_realtime"},
	    {403, "", LINK_NEVER, "permission"},
	    {404, "Tenant not found", LINK_NEVER, "no_realtime"},
	    {404, "<html>", LINK_NEVER, "no_realtime"},
	    {301, "", LINK_NEVER, "no_realtime"},
	    {429, "Too many connected users", LINK_BUSY, "rate_limited"},
	    {429, "Too many joins per second", LINK_BUSY, "rate_limited"},
	    {500, "Error connecting to Realtime", LINK_BACKOFF, "server_error"},
	    /* The words of one status say nothing with another. */
	    {500, "Token has expired", LINK_BACKOFF, "server_error"},
	    {503, "", LINK_BACKOFF, "server_error"},
	    {418, "teapot", LINK_BACKOFF, "server_error"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		CHECK(is(refusal_http(cases[i].status, slice(cases[i].text)), cases[i].class,
		    cases[i].code));
}

static void
test_join(void)
{
	static const struct {
		enum link_class class;
		const char *codes;
	} groups[] = {
	    {LINK_NEVER, "InvalidJWTToken MalformedJWT JwtSignatureError JwtSignerError Unauthorized "
			 "PrivateOnly TenantNotFound RealtimeDisabledForTenant TopicNameRequired "
			 "UnableToReplayMessages"},
	    {LINK_BUSY, "ChannelRateLimitReached ConnectionRateLimitReached "
			"ClientJoinRateLimitReached DatabaseConnectionRateLimitReached "
			"IncreaseConnectionPool"},
	    {LINK_BACKOFF, "RealtimeRestarting InitializingProjectConnection "
			   "UnableToConnectToProject DatabaseLackOfConnections QueryCanceled "
			   "MissingPartition TimeoutOnRpcCall ErrorOnRpcCall MusterJoinError "
			   "SomethingNew UnauthorizedX Un"},
	};
	char reason[100];

	for (size_t g = 0; g < 3; g++)
		for (const char *at = groups[g].codes; *at;) {
			size_t n = strcspn(at, " ");

			snprintf(reason, sizeof(reason), "%.*s: some words: more", (int)n, at);
			CHECK(refusal_join(slice(reason)).class == groups[g].class);
			snprintf(reason, sizeof(reason), "%.*s", (int)n, at);
			CHECK(refusal_join(slice(reason)).class == groups[g].class);
			at += n + strspn(at + n, " ");
		}
	CHECK(is(refusal_join(S("InvalidJWTToken: Token has expired 12 seconds ago")), LINK_REFRESH,
	    "token_expired"));
	CHECK(is(refusal_join(S("InvalidJWTExpiration: x")), LINK_REFRESH, "token_expired"));
	CHECK(is(refusal_join(S("InvalidJWTToken: Fields `role` and `exp` are required in JWT")),
	    LINK_NEVER, "authentication"));
	CHECK(is(refusal_join(S("Unauthorized: You do not have permissions to read")), LINK_NEVER,
	    "permission"));
	CHECK(is(refusal_join(S("Unknown Error on Channel")), LINK_BACKOFF, "server_error"));
	CHECK(is(refusal_join(S("Realtime was unable to connect to the project database")),
	    LINK_BACKOFF, "server_error"));
	CHECK(is(refusal_join(S("")), LINK_BACKOFF, "server_error"));
	CHECK(is(refusal_join(S("unmatched topic")), LINK_NEVER, "no_realtime"));
}

static void
test_system(void)
{
	CHECK(is(refusal_system(S("Too many messages per second")), LINK_RATE, "rate_limited"));
	CHECK(is(refusal_system(S("Too many presence messages per second")), LINK_BUSY,
	    "rate_limited"));
	CHECK(is(refusal_system(S("Client presence rate limit exceeded")), LINK_BUSY,
	    "rate_limited"));
	CHECK(is(refusal_system(S("Track message size exceeded")), LINK_NEVER, "too_large"));
	CHECK(is(refusal_system(S("Token has expired 3 seconds ago")), LINK_REFRESH,
	    "token_expired"));
	CHECK(is(refusal_system(S("InvalidJWTToken: Token has expired 3 seconds ago")), LINK_REFRESH,
	    "token_expired"));
	CHECK(is(refusal_system(S("Fields `role` and `exp` are required in JWT")), LINK_NEVER,
	    "authentication"));
	CHECK(is(refusal_system(S("You no longer have permission to read from this Channel topic: x")),
	    LINK_NEVER, "permission"));
	CHECK(is(refusal_system(S("Node request timeout")), LINK_BACKOFF, "server_error"));
	CHECK(is(refusal_system(S("Query was cancelled, please try again")), LINK_BACKOFF,
	    "server_error"));
	CHECK(is(refusal_system(S("Replication connection was not established in time")),
	    LINK_BACKOFF, "server_error"));
}

static void
test_remedy(void)
{
	CHECK(strstr(refusal_remedy("authentication", "", false), "KANDIL_COLLAB_KEY"));
	CHECK(strstr(refusal_remedy("authentication", "", true), "of this hub's"));
	CHECK(strstr(refusal_remedy("no_realtime", "Not Found", true), "the URL"));
	CHECK_TEXT(refusal_remedy("no_realtime", "Realtime was disabled", true), "");
	CHECK(strstr(refusal_remedy("bad_tls", "x: self-signed certificate", true), "--ca-file"));
	CHECK_TEXT(refusal_remedy("bad_tls", "x: IP address mismatch", true), "");
	CHECK_TEXT(refusal_remedy("permission", "", true), "");
}

int
main(void)
{
	test_remedy();
	test_http();
	test_join();
	test_system();
	return check_done();
}
