#include "tools/collab/keyring.h"

#include "common/base64.h"
#include "common/json.h"
#include "common/mem.h"
#include "common/path.h"
#include "tests/unit/check.h"
#include "tests/unit/jwt_vectors.h"
#include "tools/collab/jwt.h"
#include "tools/collab/keyfile.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECRET "super-secret-jwt-token-with-at-least-32-characters-long"
#define OTHER "another-secret-jwt-token-of-at-least-32-characters"

enum { NOW = 1700000000 }; /* seconds */
#define LATER "\"exp\":1700000100"

static struct err e;
static char dir[] = P_tmpdir "/kandil-keyring-XXXXXX";

/* A file in the scratch folder; its name. */
static const char *
file(const char *name, const char *content, mode_t mode)
{
	static char *paths[8];
	static unsigned turn;
	char **path = &paths[turn++ % 8];
	FILE *f;

	free(*path);
	*path = path_join(dir, name);
	unlink(*path);
	f = fopen(*path, "wb");
	if (!f || fputs(content, f) < 0 || fclose(f) != 0 || chmod(*path, mode) != 0)
		abort();
	return *path;
}

static struct keyring *
open_text(const char *content)
{
	struct keyring *k;

	if (keyring_open(&k, file("keys", content, 0600), &e) < 0) {
		fprintf(stderr, "%s\n", e.text);
		abort();
	}
	return k;
}

static struct crypto_key *
jwk(const char *text)
{
	struct crypto_key *key;

	if (crypto_key_jwk(&key, slice(text), &e) != 0)
		abort();
	return key;
}

static struct crypto_key *
secret(struct slice text)
{
	struct crypto_key *key;

	if (crypto_key_secret(&key, text, &e) < 0)
		abort();
	return key;
}

/* A token of exactly this header and payload, signed by key as alg. */
static const char *
token(const struct crypto_key *key, enum crypto_alg alg, const char *header, const char *payload)
{
	static struct buf b;
	struct buf signature = {0};

	buf_reset(&b);
	base64url_put(&b, slice(header));
	buf_addc(&b, '.');
	base64url_put(&b, slice(payload));
	if (alg != CRYPTO_NONE && crypto_sign(key, alg, buf_slice(&b), &signature, &e) < 0)
		abort();
	buf_addc(&b, '.');
	base64url_put(&b, buf_slice(&signature));
	buf_free(&signature);
	return b.ptr;
}

/* "" when it is let in, else the code; the claims are in admitted. */
static struct claims admitted;

static const char *
admit(const struct keyring *k, const char *text)
{
	claims_free(&admitted);
	return keyring_admit(k, slice(text), NOW * 1000LL, &admitted, &e) == 0 ? "" : e.code;
}

/* ---- static keys ---- */

static void
check_static(void)
{
	struct keyring *k = open_text("\xef\xbb\xbf# who may join\r\n\n"
				      "  key\tanna  0123456789abcdef\r\n"
				      "key ci correct-horse-battery role=anon read=standup,review:* write=,log,\n"
				      "key root fedcba9876543210 role=service_role");

	CHECK_TEXT(admit(k, "0123456789abcdef"), "");
	CHECK_TEXT(admitted.name, "anna");
	CHECK_TEXT(admitted.role, "authenticated");
	CHECK_TEXT(admitted.sub, "");
	CHECK(admitted.exp == 0 && admitted.iat == 0);
	CHECK(!claims_may(&admitted, S("standup"), false) && !claims_may(&admitted, S(""), true));
	CHECK_TEXT(admit(k, " correct-horse-battery\n"), "");
	CHECK_TEXT(admitted.role, "anon");
	CHECK(claims_may(&admitted, S("standup"), false) && !claims_may(&admitted, S("standup"), true));
	CHECK(claims_may(&admitted, S("review:7"), false) && claims_may(&admitted, S("log"), true));
	CHECK(!claims_may(&admitted, S("review"), false) && !claims_may(&admitted, S("log"), false));
	CHECK(!claims_may(&admitted, S("standups"), false) && !claims_may(&admitted, S(""), true));
	CHECK_TEXT(admit(k, "fedcba9876543210"), "");
	CHECK(claims_may(&admitted, S("any/thing"), false) && claims_may(&admitted, S("x"), true));
	CHECK_TEXT(admit(k, ""), "key_missing");
	CHECK_TEXT(e.text, "API key is missing");
	CHECK_TEXT(admit(k, " \t\n"), "key_missing");
	CHECK_TEXT(admit(k, "0123456789abcdeF"), "not_jwt");
	CHECK_TEXT(admit(k, "0123456789abcdef0"), "not_jwt");
	CHECK_TEXT(admit(k, "0123456789abcde"), "not_jwt");
	CHECK_TEXT(admit(k, "anna"), "not_jwt");
	CHECK(keyring_admit(k, S("0123456789abcdef\0"), 0, &admitted, &e) < 0);
	/* A copy lives on when the keyring has gone. */
	CHECK_TEXT(admit(k, "correct-horse-battery"), "");
	keyring_free(k);
	struct claims copy = claims_copy(&admitted);
	claims_free(&admitted);
	CHECK(claims_may(&copy, S("review:x"), false) && strcmp(copy.name, "ci") == 0);
	claims_free(&copy);
}

/* ---- what a token claims ---- */

static void
check_claims(void)
{
	static const struct {
		const char *payload, *code;
	} cases[] = {
	    {"{\"role\":\"r\"," LATER "}", ""},
	    {"{\"role\":\"r\",\"exp\":1700000000.5}", ""},
	    {"{\"role\":\"r\",\"exp\":1.7000001e9}", ""},
	    {"{\"role\":\"r\",\"exp\":1e300}", ""},
	    {"{\"role\":\"r\",\"exp\":1700000000}", "token_expired"}, /* on it is over (RFC 7519 4.1.4) */
	    {"{\"role\":\"r\",\"exp\":1699999999.9}", "token_expired"},
	    {"{\"role\":\"r\",\"exp\":0}", "token_expired"},
	    {"{\"role\":\"r\",\"exp\":-1}", "token_expired"},
	    {"{\"role\":\"r\",\"exp\":-1e300}", "token_expired"},
	    {"{\"exp\":1}", "token_expired"}, /* as the protocol's server: the date comes first */
	    {"{\"role\":\"r\"}", "no_claims"},
	    {"{" LATER "}", "no_claims"},
	    {"{}", "no_claims"},
	    {"{\"role\":\"r\",\"exp\":\"1700000100\"}", "no_claims"},
	    {"{\"role\":\"r\",\"exp\":null}", "no_claims"},
	    {"{\"role\":\"r\",\"exp\":true}", "no_claims"},
	    {"{\"role\":\"r\",\"exp\":[1700000100]}", "no_claims"},
	    {"{\"role\":\"r\",\"exp\":{}}", "no_claims"},
	    {"{\"role\":\"r\",\"exp\":1e400}", "no_claims"},
	    {"{\"role\":\"r\",\"exp\":NaN}", "not_jwt"},
	    {"{\"role\":\"r\",\"exp\":Infinity}", "not_jwt"},
	    {"{\"role\":\"\"," LATER "}", "no_claims"},
	    {"{\"role\":null," LATER "}", "no_claims"},
	    {"{\"role\":[\"service_role\"]," LATER "}", "no_claims"},
	    {"{\"role\":\"service_role\\u0000\"," LATER "}", "not_jwt"},
	    {"{\"role\":\"r\",\"role\":\"service_role\"," LATER "}", "not_jwt"},
	    {"{\"role\":\"r\"," LATER "," LATER "}", "not_jwt"},
	    {"{\"role\":\"r\"," LATER ",\"\\u0065xp\":9}", "not_jwt"},
	    {"{\"role\":\"r\"," LATER ",\"iat\":1699999999.75}", ""},
	    {"{\"role\":\"r\"," LATER ",\"iat\":null}", ""},
	    {"{\"role\":\"r\"," LATER ",\"iat\":\"now\"}", "not_jwt"},
	    {"{\"role\":\"r\"," LATER ",\"nbf\":1700000060}", ""}, /* the leeway */
	    {"{\"role\":\"r\"," LATER ",\"nbf\":1700000061}", "not_yet"},
	    {"{\"role\":\"r\"," LATER ",\"nbf\":1e300}", "not_yet"},
	    {"{\"role\":\"r\"," LATER ",\"nbf\":1e400}", "not_jwt"},
	    {"{\"role\":\"r\"," LATER ",\"nbf\":\"1\"}", "not_jwt"},
	    {"{\"role\":\"r\"," LATER ",\"sub\":7}", "not_jwt"},
	    {"{\"role\":\"r\"," LATER ",\"sub\":\"a\\u0000b\"}", "not_jwt"},
	    {"{\"role\":\"r\"," LATER ",\"sub\":null}", ""},
	    {"{\"role\":\"r\"," LATER ",\"kandil\":7}", ""},
	    {"{\"role\":\"r\"," LATER ",\"kandil\":{\"read\":[],\"read\":[]}}", "not_jwt"},
	};
	struct keyring *k = open_text("secret - " SECRET "\n");
	struct crypto_key *key = secret(S(SECRET));

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const char *text = token(key, CRYPTO_HS256, "{\"alg\":\"HS256\"}", cases[i].payload);

		if (strcmp(admit(k, text), cases[i].code) != 0)
			fprintf(stderr, "%s\n", cases[i].payload);
		CHECK_TEXT(admit(k, text), cases[i].code);
		CHECK(!*cases[i].code || !admitted.memory);
		CHECK((admitted.exp != 0) == (!*cases[i].code || (strcmp(e.code, "token_expired") == 0 &&
		    strstr(cases[i].payload, "\"exp\":0") == NULL)));
	}
	CHECK_TEXT(admit(k, token(key, CRYPTO_HS256, "{\"alg\":\"HS256\"}", "{\"role\":\"\\u00e9\","
	    "\"sub\":\"s\",\"exp\":1700000000.25,\"iat\":1699999999.75,\"kandil\":{\"read\":"
	    "[\"standup\",7,\"\",\"a\\u0000b\",\"\\u0440:*\"],\"write\":\"standup\"}}")), "");
	CHECK_TEXT(admitted.role, "\xc3\xa9");
	CHECK_TEXT(admitted.name, "s");
	CHECK(admitted.exp == NOW * 1000LL + 250 && admitted.iat == NOW * 1000LL - 250);
	CHECK(claims_may(&admitted, S("standup"), false) && !claims_may(&admitted, S("standup"), true));
	CHECK(claims_may(&admitted, S("\xd1\x80:7"), false) && !claims_may(&admitted, S("a"), false));
	CHECK_TEXT(admit(k, token(key, CRYPTO_HS256, "{\"alg\":\"HS256\"}",
	    "{\"role\":\"anon\"," LATER "}")), "");
	CHECK_TEXT(admitted.name, "anon");
	CHECK_TEXT(admit(k, token(key, CRYPTO_HS256, "{\"alg\":\"HS256\"}", "{\"exp\":1600000000}")),
	    "token_expired");
	CHECK_TEXT(e.text, "Token has expired");
	CHECK(admitted.exp == 1600000000000);
	crypto_key_free(key);
	keyring_free(k);
}

/* ---- which key ---- */

/*
 * A hub that knows an RSA key (kid r), an EC key (kid e), two secrets without and one
 * with a kid (h).
 */
static struct keyring *
many(void)
{
	file("set.json", " {\"keys\":[{\"kid\":\"r\"," /* RFC_RSA without its brace */
			 "\"kty\":\"RSA\",\"n\":\"" RFC_N "\",\"e\":\"AQAB\"},"
			 "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AQ\",\"kid\":\"o\"},"
			 "{\"kid\":\"e\",\"kty\":\"EC\",\"crv\":\"P-256\"," RFC_XY "}]}\n", 0644);
	return open_text("secret - " SECRET "\nsecret - base64:" /* OTHER */
			 "YW5vdGhlci1zZWNyZXQtand0LXRva2VuLW9mLWF0LWxlYXN0LTMyLWNoYXJhY3RlcnM=\n"
			 "secret h the-secret-of-kid-h-with-32-characters-or-more\njwks set.json\n");
}

static void
check_choice(void)
{
	static const char payload[] = "{\"role\":\"r\"," LATER "}";
	static const struct {
		const char *header, *code;
		int key; /* 0: RSA, 1: EC, 2: SECRET, 3: OTHER, 4: h's, 5: the modulus, 6: its PEM-like text */
		enum crypto_alg alg;
	} cases[] = {
	    {"{\"alg\":\"RS256\",\"kid\":\"r\"}", "", 0, CRYPTO_RS256},
	    {"{\"alg\":\"RS512\",\"kid\":\"r\"}", "", 0, CRYPTO_RS512},
	    {"{\"alg\":\"RS256\"}", "", 0, CRYPTO_RS256}, /* the only one of its kind */
	    {"{\"alg\":\"ES256\",\"kid\":\"e\"}", "", 1, CRYPTO_ES256},
	    {"{\"alg\":\"ES256\"}", "", 1, CRYPTO_ES256},
	    {"{\"alg\":\"HS256\"}", "", 2, CRYPTO_HS256},
	    {"{\"alg\":\"HS384\"}", "", 3, CRYPTO_HS384},
	    {"{\"alg\":\"HS512\",\"kid\":\"h\"}", "", 4, CRYPTO_HS512},
	    /* a secret with a kid is for tokens that name it, one without for those that do not */
	    {"{\"alg\":\"HS256\"}", "bad_signature", 4, CRYPTO_HS256},
	    {"{\"alg\":\"HS256\",\"kid\":\"h\"}", "bad_signature", 2, CRYPTO_HS256},
	    {"{\"alg\":\"HS256\",\"kid\":\"x\"}", "no_signer", 2, CRYPTO_HS256},
	    {"{\"alg\":\"HS256\",\"kid\":\"-\"}", "no_signer", 2, CRYPTO_HS256},
	    {"{\"alg\":\"HS256\",\"kid\":\"\"}", "no_signer", 2, CRYPTO_HS256},
	    {"{\"alg\":\"HS256\",\"kid\":\"h\\u0000\"}", "no_signer", 4, CRYPTO_HS256},
	    /* a kid of another family */
	    {"{\"alg\":\"HS256\",\"kid\":\"r\"}", "no_signer", 2, CRYPTO_HS256},
	    {"{\"alg\":\"RS256\",\"kid\":\"h\"}", "no_signer", 0, CRYPTO_RS256},
	    {"{\"alg\":\"RS256\",\"kid\":\"e\"}", "no_signer", 0, CRYPTO_RS256},
	    {"{\"alg\":\"ES256\",\"kid\":\"r\"}", "no_signer", 1, CRYPTO_ES256},
	    {"{\"alg\":\"ES256\",\"kid\":\"o\"}", "no_signer", 1, CRYPTO_ES256},
	    /* the public key as a secret: by kid, and without */
	    {"{\"alg\":\"HS256\",\"kid\":\"r\"}", "no_signer", 5, CRYPTO_HS256},
	    {"{\"alg\":\"HS256\",\"kid\":\"r\"}", "no_signer", 6, CRYPTO_HS256},
	    {"{\"alg\":\"HS256\"}", "bad_signature", 5, CRYPTO_HS256},
	    {"{\"alg\":\"HS256\"}", "bad_signature", 6, CRYPTO_HS256},
	    /* signed by something else than it says */
	    {"{\"alg\":\"RS256\",\"kid\":\"r\"}", "bad_signature", 0, CRYPTO_RS512},
	    {"{\"alg\":\"RS256\",\"kid\":\"r\"}", "bad_signature", 5, CRYPTO_HS256},
	    {"{\"alg\":\"ES256\",\"kid\":\"e\"}", "bad_signature", 0, CRYPTO_RS256},
	    /* none, in every spelling, signed or not */
	    {"{\"alg\":\"none\"}", "no_signer", 2, CRYPTO_NONE},
	    {"{\"alg\":\"None\",\"kid\":\"h\"}", "no_signer", 2, CRYPTO_NONE},
	    {"{\"alg\":\"NONE\"}", "no_signer", 2, CRYPTO_HS256},
	    {"{\"alg\":\"\"}", "no_signer", 2, CRYPTO_NONE},
	    {"{}", "no_signer", 2, CRYPTO_HS256},
	    {"{\"alg\":\"HS256\"}", "bad_signature", 2, CRYPTO_NONE},
	    {"{\"alg\":\"RS256\"}", "bad_signature", 2, CRYPTO_NONE},
	    {"{\"alg\":\"PS256\",\"kid\":\"r\"}", "no_signer", 0, CRYPTO_RS256},
	    /* what it brings along is not looked at */
	    {"{\"alg\":\"HS256\",\"jwk\":" RFC_OCT "}", "bad_signature", 7, CRYPTO_HS256},
	    {"{\"alg\":\"ES256\",\"kid\":\"x\",\"jwk\":" RFC_EC ",\"jku\":\"http://127.0.0.1:9/\"}",
		"no_signer", 1, CRYPTO_ES256},
	    {"{\"alg\":\"HS256\",\"x5u\":\"http://127.0.0.1:9/\",\"x5c\":[]}", "", 2, CRYPTO_HS256},
	    {"{\"alg\":\"HS256\",\"crit\":[\"exp\"]}", "not_jwt", 2, CRYPTO_HS256},
	    {"{\"alg\":\"none\",\"alg\":\"HS256\"}", "not_jwt", 2, CRYPTO_HS256},
	};
	struct keyring *k = many();
	struct crypto_key *keys[] = {jwk(RFC_RSA_PRIVATE), jwk(RFC_EC_PRIVATE), secret(S(SECRET)),
	    secret(S(OTHER)), secret(S("the-secret-of-kid-h-with-32-characters-or-more")),
	    secret(S(RFC_N)), secret(S(RFC_RSA)), jwk(RFC_OCT)};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const char *text = token(keys[cases[i].key], cases[i].alg, cases[i].header, payload);

		if (strcmp(admit(k, text), cases[i].code) != 0)
			fprintf(stderr, "case %zu: %s\n", i, cases[i].header);
		CHECK_TEXT(admit(k, text), cases[i].code);
	}
	/* The published tokens have no role and ended in 2011: signed well, refused all the same. */
	CHECK_TEXT(admit(k, RFC_RS256), "token_expired");
	CHECK(admitted.exp == 1300819380000);
	CHECK_TEXT(admit(k, RFC_ES256), "token_expired");
	CHECK_TEXT(admit(k, RFC_HS256), "bad_signature");
	CHECK_TEXT(e.text, "Failed to validate JWT signature");
	CHECK(keyring_admit(k, S(RFC_ES256), 1300819379000, &admitted, &e) < 0);
	CHECK_TEXT(e.code, "no_claims");
	CHECK_TEXT(e.text, "Fields `role` and `exp` are required in JWT");
	admit(k, token(keys[2], CRYPTO_HS256, "{\"alg\":\"HS256\",\"kid\":\"x\\n\"}", payload));
	CHECK_TEXT(e.text, "Failed to generate JWT signer for key ID (kid) \"x?\", check your JWT "
			   "secret or JWKS configuration");
	admit(k, token(keys[2], CRYPTO_NONE, "{\"alg\":\"none\"}", payload));
	CHECK_TEXT(e.text, "Failed to generate JWT signer, check your JWT secret or JWKS configuration");
	for (size_t i = 0; i < 8; i++)
		crypto_key_free(keys[i]);
	keyring_free(k);
}

/* Every change of one bit, and every cut, of a good token is refused. */
static void
check_tampering(void)
{
	struct keyring *k = many();
	struct crypto_key *keys[] = {secret(S(SECRET)), jwk(RFC_EC_PRIVATE)};
	static const char *const headers[] = {"{\"alg\":\"HS256\"}", "{\"alg\":\"ES256\",\"kid\":\"e\"}"};

	for (int i = 0; i < 2; i++) {
		char *text = xstrdup(token(keys[i], i ? CRYPTO_ES256 : CRYPTO_HS256, headers[i],
		    "{\"role\":\"r\"," LATER "}"));
		size_t n = strlen(text), let_in = 0;

		CHECK_TEXT(admit(k, text), "");
		for (size_t bit = 0; bit < n * 8; bit++) {
			text[bit / 8] = (char)(text[bit / 8] ^ 1 << bit % 8);
			claims_free(&admitted);
			let_in += keyring_admit(k, (struct slice){text, n}, NOW * 1000LL, &admitted, &e) == 0;
			text[bit / 8] = (char)(text[bit / 8] ^ 1 << bit % 8);
		}
		for (size_t len = 0; len < n; len++) {
			claims_free(&admitted);
			let_in += keyring_admit(k, (struct slice){text, len}, NOW * 1000LL, &admitted,
			    &e) == 0;
		}
		CHECK(let_in == 0);
		free(text);
		crypto_key_free(keys[i]);
	}
	keyring_free(k);
}

static void
check_size(void)
{
	struct keyring *k = open_text("secret - " SECRET "\n");
	struct crypto_key *key = secret(S(SECRET));
	struct buf payload = {0};

	buf_adds(&payload, "{\"role\":\"r\"," LATER ",\"x\":\"");
	for (int i = 0; i < 6000; i++)
		buf_addc(&payload, 'x');
	buf_adds(&payload, "\"}");
	CHECK_TEXT(admit(k, token(key, CRYPTO_HS256, "{\"alg\":\"HS256\"}", payload.ptr)), "");
	buf_cut(&payload, payload.len - 2);
	for (int i = 0; i < 900; i++)
		buf_addc(&payload, 'x');
	buf_adds(&payload, "\"}");
	CHECK_TEXT(admit(k, token(key, CRYPTO_HS256, "{\"alg\":\"HS256\"}", payload.ptr)), "not_jwt");
	buf_free(&payload);
	crypto_key_free(key);
	keyring_free(k);
}

/* ---- the file ---- */

static const char *
refused(const char *name)
{
	struct keyring *k = NULL;

	if (keyring_open(&k, name, &e) == 0) {
		keyring_free(k);
		return "";
	}
	CHECK(k == NULL);
	return e.code;
}

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

/* ---- what a file holds ---- */

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
	static const char *const names[] = {"keys", "link", "set.json", "bad.json", "empty.json",
	    "none.json", "list.json", "twice.json", "weak.json", "rfc.json", "private.json"};

	if (!mkdtemp(dir))
		abort();
	check_kinds();
	check_static();
	check_claims();
	check_choice();
	check_tampering();
	check_size();
	check_lines();
	check_modes();
	check_signer();
	claims_free(&admitted);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		char *path = path_join(dir, names[i]);

		unlink(path);
		free(path);
	}
	rmdir(dir);
	return check_done();
}
