/* keyring file: its lines and modes, what it signs with, and what a file holds. */
#include "tests/unit/keyring_make.h"
#include "tools/collab/keyfile.h"

static void
check_lines(void)
{
	static const char *const bad[] = {"", "# nothing\n\n", "keys a 0123456789abcdef", "key", "key a",
	    "key a 0123456789abcde", "key a 0123456789abcdef role=", "key a 0123456789abcdef x",
	    "key a 0123456789abcdef # why", "key a 0123456789abcdef\nkey b 0123456789abcdef",
	    "secret", "secret -", "secret - short", "secret - base64:c2hvcnQ=", "secret - base64:!",
	    "secret - base64:" SECRET, "secret - " SECRET " x", "secret a " SECRET "\nsecret a " OTHER,
	    "jwks", "jwks missing.json", "jwks bad.json", "jwks empty.json", "jwks none.json",
	    "jwks list.json", "jwks twice.json", "jwks weak.json"};
	struct keyring *k;
	struct claims c;

	file("bad.json", "{\"keys\":[", 0600);
	file("empty.json", "{\"keys\":[]}", 0600);
	file("none.json", "{\"key\":[]}", 0600);
	file("list.json", "{\"keys\":[[]]}", 0600);
	file("twice.json", "{\"keys\":[{\"kid\":\"a\",\"kty\":\"EC\",\"crv\":\"P-256\"," RFC_XY "},"
			   "{\"kid\":\"a\",\"kty\":\"EC\",\"crv\":\"P-256\"," RFC_XY "}]}", 0600);
	file("weak.json", "{\"keys\":[{\"kty\":\"RSA\",\"n\":\"3ZWrUY0Y6IKN1qI4BhxR2C7oHVFgGPYkd38uGq1"
			  "jQNSqEvJFcN93CYm16_G78FAFKWqwsJb3Wx-nbxDn6LtP4AhULB1H0K0g7_jLklDAHvI8yhOKlvo"
			  "yvsUFPWtNxlJyh5JJXvkNKV_4Oo12e69f8QCuQ6NpEPl-cSvXIqUYBCs\",\"e\":\"AQAB\"}]}", 0600);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		CHECK_TEXT(refused(file("keys", bad[i], 0600)), "bad_key_file");
		CHECK(!strstr(e.text, "0123456789") && !strstr(e.text, "secret-jwt"));
	}
	CHECK_TEXT(refused(file("keys", "jwks weak.json", 0600)), "bad_key_file");
	CHECK(strstr(e.text, "an RSA key of 1024 bits: 2048 to 8192 are taken"));
	CHECK_TEXT(refused(file("keys", "# one\n\nkey a short\n", 0600)), "bad_key_file");
	CHECK(e.line == 3 && strstr(e.text, "/keys:3: "));
	/* The set of RFC 7517 appendix A.1: its key for encryption is left out. */
	file("rfc.json", RFC_SET, 0644);
	k = open_text("jwks rfc.json\n");
	CHECK(keyring_admit(k, S(RFC_RS256), NOW, &c, &e) < 0 && strcmp(e.code, "bad_signature") == 0);
	CHECK(keyring_admit(k, S(RFC_ES256), NOW, &c, &e) < 0 && strcmp(e.code, "no_signer") == 0);
	keyring_free(k);
	/* A set with a private key or a secret is a secret. */
	file("private.json", "{\"keys\":[" RFC_EC_PRIVATE "]}", 0644);
	CHECK_TEXT(refused(file("keys", "jwks private.json", 0600)), "bad_key_file");
	CHECK(strstr(e.text, "chmod 600"));
	file("private.json", "{\"keys\":[" RFC_OCT "]}", 0640);
	CHECK(geteuid() != 0 || strcmp(refused(file("keys", "jwks private.json", 0600)), "") != 0);
	file("private.json", "{\"keys\":[" RFC_OCT "]}", 0600);
	k = open_text("jwks private.json\n");
	CHECK(keyring_admit(k, S(RFC_HS256), NOW, &c, &e) < 0 && strcmp(e.code, "no_claims") == 0);
	keyring_free(k);
	file("private.json", "{\"keys\":[" RFC_EC "]}", 0666);
	CHECK_TEXT(refused(file("keys", "jwks private.json", 0600)), "bad_key_file");
	CHECK(strstr(e.text, "others may write"));
}

static void
check_modes(void)
{
	static const char content[] = "key a 0123456789abcdef\n";
	char *link = path_join(dir, "link");

	for (mode_t mode = 0; mode < 0100; mode++) {
		const char *got = refused(file("keys", content, 0600 | mode));

		CHECK_TEXT(got, mode ? "open_key_file" : "");
	}
	CHECK_TEXT(refused(file("keys", content, 0400)), "");
	/* The file counts, not the link to it. */
	unlink(link);
	if (symlink("keys", link) != 0)
		abort();
	CHECK_TEXT(refused(link), "");
	file("keys", content, 0644);
	CHECK_TEXT(refused(link), "open_key_file");
	CHECK(strstr(e.text, "others may read") && strstr(e.text, "(mode 0644): chmod 600 "));
	CHECK_TEXT(refused(dir), "cannot_read");
	CHECK_TEXT(refused("/nonexistent/keys"), "cannot_read");
	free(link);
}

static void
check_signer(void)
{
	struct keyring *k = many();
	struct slice kid = S("?");

	CHECK(keyring_signer(k, (struct slice){NULL, 0}, CRYPTO_NONE, &kid) && kid.ptr == NULL);
	CHECK(keyring_signer(k, S("h"), CRYPTO_HS384, &kid) && slice_is(kid, "h"));
	CHECK(keyring_signer(k, S("h"), CRYPTO_RS256, &kid) == NULL);
	CHECK(keyring_signer(k, S("r"), CRYPTO_NONE, &kid) == NULL); /* it has the public half */
	CHECK(keyring_signer(k, S("x"), CRYPTO_NONE, &kid) == NULL);
	keyring_free(k);
}

static void
check_kinds(void)
{
	static const struct {
		enum keyfile_kind kind;
		const char *text;
	} cases[] = {
	    {KEYFILE_EMPTY, ""}, {KEYFILE_EMPTY, " \r\n"},
	    {KEYFILE_WORD, "0123456789abcdef\n"}, {KEYFILE_WORD, "#0123456789abcdef"},
	    /* As password managers have it. */
	    {KEYFILE_WORD, "0123456789abcdef\nkey of the house: under the mat\n"},
	    {KEYFILE_WORD, "a.b.c"}, {KEYFILE_WORD, "keys"}, {KEYFILE_WORD, "base64:c2hvcnQ="},
	    {KEYFILE_TOKEN, " eyJhbGciOiJIUzI1NiJ9.e30.AA\n"},
	    {KEYFILE_JWK, "{\"kty\":\"oct\"}"}, {KEYFILE_JWK, "{"},
	    {KEYFILE_JWKS, "{\"keys\":[]}\n"},
	    {KEYFILE_PEM, "Bag Attributes\n-----BEGIN PRIVATE KEY-----\n"},
	    {KEYFILE_RING, "key a 0123456789abcdef"}, {KEYFILE_RING, "# who\n\n\tsecret - x\r\n"},
	    {KEYFILE_RING, "jwks"}, {KEYFILE_OTHER, "two words\n"}, {KEYFILE_OTHER, "# a\n# b"},
	};
	struct slice value = {"", 0};
	struct buf text = {0};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		CHECK(keyfile_kind(slice(cases[i].text)) == cases[i].kind);
	CHECK(keyring_fixed(S("#\nsecret - x\nkey a one read=x\n key\tb two\r\nkey c"), &value) == 2);
	CHECK(slice_is(value, "two"));
	CHECK(keyring_fixed(S("secret - x"), &value) == 0 && keyring_fixed(S(""), &value) == 0);
	CHECK(keyfile_read(file("word", "\xef\xbb\xbfone\r\n", 0600), &text, NULL) == 0);
	CHECK(slice_is(buf_slice(&text), "one\r\n"));
	buf_free(&text);
}

int
main(void)
{
	keyring_begin();
	check_kinds();
	check_lines();
	check_modes();
	check_signer();
	keyring_end();
	return check_done();
}
