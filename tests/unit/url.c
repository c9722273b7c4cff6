/* url: the host of a URL, of origins that try to look like another, and escaping. */
#include "tests/unit/check.h"

#include "common/url.h"

static void
hosts(void)
{
	static const struct {
		const char *url, *host;
	} rows[] = {
	    {"http://localhost", "localhost"}, {"https://a.example:8080/x?y#z", "a.example"},
	    {"http://[::1]", "[::1]"}, {"http://[::1]:80/", "[::1]"}, {"http://a.example?x:1", "a.example"},
	    {"http://a.example#localhost", "a.example"}, {"http://[::1].evil.example", "[::1].evil.example"},
	    {"http://[::1]x:80", "[::1]x"}, {"http://[::1", "[::1"}, {"http://[]/x", "[]"},
	    {"http://[::1/x]:80", "[::1/x]"}, {"http://", ""}, {"a.example", ""}, {"", ""}, {"null", ""}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct slice host = url_host(slice(rows[i].url));

		CHECK(slice_is(host, rows[i].host));
	}
}

/* Any bytes come back, and only unreserved characters stand for themselves. */
static void
escapes(void)
{
	char bytes[256];
	struct buf there = {0}, back = {0};

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)i;
	url_escape(&there, (struct slice){bytes, sizeof(bytes)});
	for (size_t i = 0; i < there.len; i++)
		CHECK(there.ptr[i] > ' ' && there.ptr[i] < 127 && !strchr("/?#&=:+", there.ptr[i]));
	url_unescape(&back, buf_slice(&there));
	CHECK(slice_eq(buf_slice(&back), (struct slice){bytes, sizeof(bytes)}));
	buf_reset(&back);
	url_unescape(&back, slice("%4x%41%e9%%41%"));
	CHECK(slice_is(buf_slice(&back), "%4xA\xe9%A%"));
	buf_free(&there);
	buf_free(&back);
}

int
main(void)
{
	hosts();
	escapes();
	return check_done();
}
