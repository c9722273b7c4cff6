/* where: a hub's or Supabase's URL, and where its key and token come from. */
#include "tests/unit/check.h"
#include "tools/collab/where.h"

#include <stdlib.h>

static const char *
found(const char *url)
{
	static struct buf text;
	struct settings s = {.url = url};
	struct where w;
	struct err e;

	buf_reset(&text);
	if (where_find(&s, &w, &e) < 0) {
		buf_addf(&text, "!%s", e.code);
		return text.ptr;
	}
	buf_addf(&text, "%s %.*s %.*s", w.url, (int)w.key.len, buf_slice(&w.key).ptr,
	    (int)w.token.len, buf_slice(&w.token).ptr);
	where_free(&w);
	return text.ptr;
}

static void
test_where(void)
{
	static const struct {
		const char *url, *base;
	} cases[] = {
	    {"http://127.0.0.1:4000", "http://127.0.0.1:4000/realtime/v1"},
	    {" ws://[::1]:4000/ ", "http://[::1]:4000/realtime/v1"},
	    {"WSS://REF.supabase.co", "https://REF.supabase.co/realtime/v1"},
	    {"https://x/realtime/v1/websocket", "https://x/realtime/v1"},
	    {"https://x/socket/websocket/", "https://x/socket"},
	    {"http://x.localhost/a/", "http://x.localhost/a"},
	};
	static const char *const bad[][2] = {
	    {"garbage", "'garbage' begins with none of http, https, ws, wss"},
	    {"http://", "'http:' names no host"},
	    {"http://:80", "'http://:80' names no host"},
	    {"http://x/a b", "'http://x/a b' has a character that no URL has"},
	    {"http://127.0.0.1:99999", "'http://127.0.0.1:99999' has no valid port: 1 to 65535"},
	    {"http://127.0.0.1:0/x", "'http://127.0.0.1:0/x' has no valid port: 1 to 65535"},
	    {"http://127.0.0.1:", "'http://127.0.0.1:' has no valid port: 1 to 65535"},
	    {"http://[::1]:8o", "'http://[::1]:8o' has no valid port: 1 to 65535"},
	    {"a-key@garbage", "a URL with an account or a query in it: the key comes from the "
			      "environment or --key-file"},
	};
	struct buf b = {0};
	struct err e;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		buf_reset(&b);
		CHECK(where_base(cases[i].url, false, &b, &e) == 0);
		CHECK_TEXT(b.ptr, cases[i].base);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		CHECK(where_base(bad[i][0], false, &b, &e) < 0);
		CHECK_TEXT(e.text, bad[i][1]);
	}
	unsetenv("KANDIL_COLLAB_KEY");
	CHECK_TEXT(found(NULL), "http://127.0.0.1:4000  ");
	setenv("SUPABASE_URL", "https://ref.supabase.co", 1);
	CHECK_TEXT(found(NULL), "!no_key");
	setenv("SUPABASE_ANON_KEY", "anon-key", 1);
	CHECK_TEXT(found(NULL), "https://ref.supabase.co anon-key ");
	setenv("SUPABASE_KEY", "s-key", 1);
	setenv("KANDIL_COLLAB_TOKEN", " tok ", 1);
	CHECK_TEXT(found(NULL), "https://ref.supabase.co s-key tok");
	CHECK_TEXT(found("https://other.supabase.co"), "https://other.supabase.co s-key tok");
	CHECK_TEXT(found("http://localhost:1"), "http://localhost:1 s-key tok");
	/* Supabase's key is for nobody else. */
	CHECK_TEXT(found("https://hub.example"), "https://hub.example  tok");
	CHECK_TEXT(found("https://supabase.co.evil.example"), "https://supabase.co.evil.example  tok");
	CHECK_TEXT(found("https://evilsupabase.co"), "https://evilsupabase.co  tok");
	unsetenv("KANDIL_COLLAB_TOKEN");
	CHECK_TEXT(found("https://hub.example"), "!no_key");
	setenv("SUPABASE_URL", "https://hub.example:8443/x", 1);
	CHECK_TEXT(found("https://HUB.example"), "https://HUB.example s-key ");
	setenv("KANDIL_COLLAB_KEY", "k-key", 1);
	CHECK_TEXT(found("https://third.example"), "https://third.example k-key ");
	setenv("KANDIL_COLLAB_KEY", "two words", 1);
	CHECK_TEXT(found("https://third.example"), "!no_key");
	unsetenv("SUPABASE_URL");
	unsetenv("SUPABASE_KEY");
	unsetenv("SUPABASE_ANON_KEY");
	CHECK(where_token_end(S("a.b.c")) == 0 && where_token_end(S("")) == 0);
	/* {"exp":1300819380} of RFC 7515 A.1. */
	CHECK(where_token_end(S("eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOj"
				"EzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ"
				"4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")) == 1300819380000);
	buf_free(&b);
}

int
main(void)
{
	test_where();
	return check_done();
}
