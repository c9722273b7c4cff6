#include "tools/collab/jwt.h"

#include "common/base64.h"
#include "common/crypto.h"
#include "common/json.h"
#include "tests/unit/check.h"
#include "tests/unit/jwt_vectors.h"

#include <stdlib.h>

static struct err e;

static struct crypto_key *
jwk(const char *text)
{
	struct crypto_key *key;

	if (json_check(slice(text), &e) != 0 || crypto_key_jwk(&key, slice(text), &e) != 0) {
		fprintf(stderr, "%s: %s\n", text, e.text);
		abort();
	}
	return key;
}

/* ---- base64 ---- */

static void
check_base64(void)
{
	/* RFC 4648 section 10. */
	static const char *const vectors[][2] = {{"", ""}, {"f", "Zg=="}, {"fo", "Zm8="},
	    {"foo", "Zm9v"}, {"foob", "Zm9vYg=="}, {"fooba", "Zm9vYmE="}, {"foobar", "Zm9vYmFy"}};
	static const char *const bad[] = {"Z", "Zg", "Zg=", "Zg===", "=", "====", "Zh==", "Zm9=",
	    "Zg==Zg==", "Zm9v\n", " Zm9v", "Zm_v", "Zm-v", "Z===", "Zm9vYg="};
	struct buf b = {0}, back = {0};
	unsigned seed = 5;
	int unlike = 0, doubled = 0;

	for (size_t i = 0; i < sizeof(vectors) / sizeof(*vectors); i++) {
		buf_reset(&b);
		buf_reset(&back);
		base64_put(&b, slice(vectors[i][0]));
		CHECK(slice_is(buf_slice(&b), vectors[i][1]));
		CHECK(base64_get(&back, slice(vectors[i][1])));
		CHECK(slice_is(buf_slice(&back), vectors[i][0]));
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		CHECK(!base64_get(&back, slice(bad[i])));
	CHECK(!base64url_get(&back, S("Zg==")) && base64url_get(&back, S("Zg")));
	CHECK(!base64url_get(&back, S("Zm9v+")) && !base64url_get(&back, S("Zm9v/m")));
	/* What was written is read; and text that is read is the one way to write it. */
	for (int round = 0; round < 20000; round++) {
		char text[6];
		size_t n = (size_t)rand_r(&seed) % sizeof(text);

		for (size_t i = 0; i < n; i++)
			text[i] = round % 2 ? (char)rand_r(&seed)
					    : "AQgwZ_-019="[(size_t)rand_r(&seed) % 11];
		buf_reset(&b);
		buf_reset(&back);
		if (round % 2) {
			base64url_put(&b, (struct slice){text, n});
			unlike += !base64url_get(&back, buf_slice(&b)) ||
			    !slice_eq(buf_slice(&back), (struct slice){text, n});
		} else if (base64url_get(&b, (struct slice){text, n})) {
			base64url_put(&back, buf_slice(&b));
			doubled += !slice_eq(buf_slice(&back), (struct slice){text, n});
		}
	}
	CHECK(unlike == 0);
	CHECK(doubled == 0);
	buf_free(&b);
	buf_free(&back);
}

/* ---- signatures ---- */

/* The token verifies by that key, not with any bit of it changed, and by no other key. */
static void
check_vector(const char *text, const char *key_text, enum crypto_alg alg)
{
	static const char *const others[] = {RFC_OCT, RFC_RSA, RFC_EC};
	struct crypto_key *key = jwk(key_text);
	struct jwt j = {0};
	size_t n = strlen(text), passed = 0;
	char *copy = strdup(text);

	CHECK(jwt_read(&j, slice(text), &e) == 0);
	CHECK(j.alg == alg && !j.has_kid);
	CHECK(jwt_verify(&j, key));
	for (size_t i = 0; i < n * 8; i++) {
		copy[i / 8] = (char)(copy[i / 8] ^ 1 << i % 8);
		passed += jwt_read(&j, (struct slice){copy, n}, NULL) == 0 && jwt_verify(&j, key);
		copy[i / 8] = text[i / 8];
	}
	CHECK(passed == 0);
	for (size_t i = 0; i < n; i++)
		passed += jwt_read(&j, (struct slice){text, i}, NULL) == 0 && jwt_verify(&j, key);
	CHECK(passed == 0);
	CHECK(jwt_read(&j, slice(text), &e) == 0);
	for (size_t i = 0; i < 3; i++) {
		struct crypto_key *other = jwk(others[i]);

		CHECK(jwt_verify(&j, other) == (crypto_key_kind(other) == crypto_alg_kind(alg)));
		crypto_key_free(other);
	}
	free(copy);
	jwt_free(&j);
	crypto_key_free(key);
}

/* RFC 4231, test case 6 (a key of 131 bytes aa) and 2's text under a key of 32 bytes. */
static void
check_hmac(void)
{
	static const char want384[] = "4ece084485813e9088d2c63a041bc5b44f9ef1012a2b588f3cd11f05033ac4c6"
				      "0c2ef6ab4030fe8296248df163f44952";
	static const char want512[] = "80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f352"
				      "6b56d037e05f2598bd0fd2215d6a1e5295e64f73f63f0aec8b915a985d786598";
	struct slice text = S("Test Using Larger Than Block-Size Key - Hash Key First");
	struct crypto_key *key;
	struct buf mac = {0}, hex = {0};
	char secret[131];

	memset(secret, 0xaa, sizeof(secret));
	CHECK(crypto_key_secret(&key, (struct slice){secret, sizeof(secret)}, &e) == 0);
	CHECK(crypto_sign(key, CRYPTO_HS384, text, &mac, &e) == 0);
	crypto_hex(&hex, mac.ptr, mac.len);
	CHECK_TEXT(hex.ptr, want384);
	buf_reset(&mac);
	buf_reset(&hex);
	CHECK(crypto_sign(key, CRYPTO_HS512, text, &mac, &e) == 0);
	crypto_hex(&hex, mac.ptr, mac.len);
	CHECK_TEXT(hex.ptr, want512);
	CHECK(crypto_verify(key, CRYPTO_HS512, text, buf_slice(&mac)));
	CHECK(!crypto_verify(key, CRYPTO_HS384, text, buf_slice(&mac)));
	CHECK(!crypto_verify(key, CRYPTO_HS512, text, (struct slice){mac.ptr, mac.len - 1}));
	CHECK(!crypto_verify(key, CRYPTO_HS512, text, S("")));
	CHECK(!crypto_verify(key, CRYPTO_NONE, text, S("")));
	CHECK(crypto_sign(key, CRYPTO_RS256, text, &mac, &e) < 0);
	crypto_key_free(key);
	buf_free(&mac);
	buf_free(&hex);
}

/* Each algorithm signs, verifies its own, and nobody else's. */
static void
check_signing(void)
{
	static const char *const keys[] = {RFC_OCT, RFC_RSA_PRIVATE, RFC_RSA_SHORT, RFC_EC_PRIVATE};
	struct buf token = {0};
	struct jwt j = {0};

	for (size_t i = 0; i < 4; i++) {
		struct crypto_key *key = jwk(keys[i]);

		CHECK(crypto_key_private(key));
		for (enum crypto_alg alg = CRYPTO_NONE; alg <= CRYPTO_ES256; alg++) {
			bool fits = crypto_key_serves(key, alg);
			int rc;

			buf_reset(&token);
			rc = jwt_write(&token, key, alg, S("k\"1"), S("{\"a\":1}"), &e);
			CHECK((rc == 0) == fits && (fits || token.len == 0));
			CHECK(!fits || jwt_read(&j, buf_slice(&token), &e) == 0);
			CHECK(!fits || (j.alg == alg && j.has_kid && jwt_verify(&j, key)));
			CHECK(!fits || slice_is(buf_slice(&j.kid), "k\"1"));
			CHECK(!fits || slice_is(j.claims, "{\"a\":1}"));
			if (!fits)
				continue;
			/* The same bytes under another algorithm of the family. */
			j.alg = alg == CRYPTO_HS256 ? CRYPTO_HS512 : CRYPTO_HS256;
			CHECK(!jwt_verify(&j, key));
		}
		crypto_key_free(key);
	}
	buf_free(&token);
	jwt_free(&j);
}

/* R and S must be two numbers of 32 bytes in 1..n-1: neither zero, nor DER, nor n added. */
static void
check_ec_signatures(void)
{
	static const unsigned char order[32] = {0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff,
	    0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9,
	    0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51};
	struct crypto_key *key = jwk(RFC_EC);
	struct buf good = {0}, bad = {0};
	struct jwt j = {0};

	CHECK(jwt_read(&j, S(RFC_ES256), &e) == 0);
	buf_addslice(&good, buf_slice(&j.signature));
	for (int zero = 1; zero < 4; zero++) {
		memcpy(j.signature.ptr, good.ptr, 64);
		memset(j.signature.ptr + (zero == 2 ? 32 : 0), 0, zero == 3 ? 64 : 32);
		CHECK(!jwt_verify(&j, key));
		memcpy(j.signature.ptr + (zero == 2 ? 32 : 0), order, 32);
		CHECK(!jwt_verify(&j, key));
	}
	/* DER: 30 46 02 21 00 R.. 02 21 00 S.., or without the zero where the top bit is clear. */
	buf_add(&bad, "\x30\x45\x02\x20", 4);
	buf_add(&bad, good.ptr, 32);
	buf_add(&bad, "\x02\x21\x00", 3);
	buf_add(&bad, good.ptr + 32, 32);
	buf_reset(&j.signature);
	buf_addslice(&j.signature, buf_slice(&bad));
	CHECK(!jwt_verify(&j, key));
	/* A byte of zero in front of each. */
	buf_reset(&j.signature);
	buf_addc(&j.signature, '\0');
	buf_add(&j.signature, good.ptr, 32);
	buf_addc(&j.signature, '\0');
	buf_add(&j.signature, good.ptr + 32, 32);
	CHECK(!jwt_verify(&j, key));
	/* A byte more, a byte less. */
	buf_reset(&j.signature);
	buf_addslice(&j.signature, buf_slice(&good));
	buf_addc(&j.signature, '\0');
	CHECK(!jwt_verify(&j, key));
	buf_cut(&j.signature, 63);
	CHECK(!jwt_verify(&j, key));
	buf_reset(&j.signature);
	buf_addslice(&j.signature, buf_slice(&good));
	CHECK(jwt_verify(&j, key));
	crypto_key_free(key);
	buf_free(&good);
	buf_free(&bad);
	jwt_free(&j);
}

/* ---- keys ---- */

static int
load(const char *text)
{
	struct crypto_key *key;
	int rc = crypto_key_jwk(&key, slice(text), &e);

	CHECK((rc == 0) == (key != NULL));
	if (rc == 0)
		crypto_key_free(key);
	return rc;
}

#define X "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"

static void
check_keys(void)
{
	static const char *const bad[] = {
	    "{}", "[]", "{\"kty\":\"RSA\"}", "{\"kty\":\"oct\"}", "{\"kty\":\"oct\",\"k\":7}",
	    "{\"kty\":\"oct\",\"k\":\"\"}",
	    "{\"kty\":\"oct\",\"k\":\"c2hvcnQ\"}", /* too short */
	    "{\"kty\":\"oct\",\"k\":\"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr8=\"}", /* padded */
	    "{\"kty\":\"RSA\",\"n\":\"" RFC_N "\"}", "{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"}",
	    "{\"kty\":\"RSA\",\"n\":\"" RFC_N "\",\"e\":\"AQ\"}", /* 1 */
	    "{\"kty\":\"RSA\",\"n\":\"" RFC_N "\",\"e\":\"AQAA\"}", /* even */
	    "{\"kty\":\"RSA\",\"n\":\"" RFC_N "\",\"e\":\"AQAAAAAAAAAB\"}", /* 65 bits */
	    "{\"kty\":\"RSA\",\"n\":\"" RFC_N RFC_N RFC_N RFC_N RFC_N "\",\"e\":\"AQAB\"}",
	    "{\"kty\":\"RSA\",\"n\":\"" RFC_N "\",\"e\":\"AQAB\",\"d\":\"AQAB\",\"p\":\"AQAB\"}",
	    "{\"kty\":\"RSA\",\"n\":\"" RFC_N "\",\"e\":\"AQAB\",\"oth\":[]}",
	    "{\"kty\":\"EC\",\"crv\":\"P-256\"}", "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AQ\"}",
	    /* x twice: no point of the curve */
	    "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" X "\",\"y\":\"" X "\"}"};
	static const char *const ignored[] = {"{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AQ\"}",
	    "{\"kty\":\"EC\",\"crv\":\"P-384\",\"x\":\"AQ\",\"y\":\"AQ\"}",
	    "{\"kty\":\"EC\",\"crv\":\"P-256\"," RFC_XY ",\"use\":\"enc\"}",
	    "{\"kty\":\"EC\",\"crv\":\"P-256\"," RFC_XY ",\"key_ops\":[\"deriveKey\"]}",
	    "{\"kty\":\"EC\",\"crv\":\"P-256\"," RFC_XY ",\"alg\":\"ECDH-ES\"}",
	    "{\"kty\":\"EC\",\"crv\":\"P-256\"," RFC_XY ",\"alg\":\"RS256\"}"};
	struct crypto_key *key;

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		CHECK(load(bad[i]) == -1);
		CHECK_TEXT(e.code, "bad_key");
	}
	for (size_t i = 0; i < sizeof(ignored) / sizeof(*ignored); i++)
		CHECK(load(ignored[i]) == 1);
	key = jwk("{\"kty\":\"RSA\",\"alg\":\"RS512\",\"n\":\"" RFC_N "\",\"e\":\"AQAB\"}");
	CHECK(!crypto_key_serves(key, CRYPTO_RS256) && crypto_key_serves(key, CRYPTO_RS512));
	CHECK(!crypto_key_private(key) && crypto_key_alg(key) == CRYPTO_RS512);
	crypto_key_free(key);
	CHECK(crypto_key_pem(&key, S("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"),
	    &e) < 0 && key == NULL);
	CHECK(crypto_key_pem(&key, S(""), &e) < 0);
	/* A d that is another key's makes no signature, rather than a wrong one. */
	key = jwk("{\"kty\":\"EC\",\"crv\":\"P-256\"," RFC_XY ","
		  "\"d\":\"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LM\"}");
	struct buf out = {0};
	CHECK(crypto_sign(key, CRYPTO_ES256, S("text"), &out, &e) < 0 && out.len == 0);
	buf_free(&out);
	crypto_key_free(key);
}

/* ---- reading ---- */

/* What jwt_read says of header and payload, and dots and text behind them. */
static int
read_parts(struct jwt *j, struct slice header, struct slice payload, const char *behind)
{
	struct buf b = {0};
	int rc;

	base64url_put(&b, header);
	buf_addc(&b, '.');
	base64url_put(&b, payload);
	buf_adds(&b, behind);
	rc = jwt_read(j, buf_slice(&b), &e);
	j->signing = S("");
	buf_free(&b);
	return rc;
}

static void
check_reading(void)
{
	static const char *const headers[] = {"", "{", "[]", "\"HS256\"", "null", "{\"alg\":\"HS256\"}}",
	    "{\"alg\":\"HS256\",\"alg\":\"HS256\"}", "{\"alg\":\"HS256\",\"\\u0061lg\":\"none\"}",
	    "{\"alg\":\"HS256\",\"kid\":\"a\",\"kid\":\"b\"}", "{\"alg\":\"HS256\",\"kid\":7}",
	    "{\"alg\":\"HS256\",\"kid\":null}", "{\"alg\":\"HS256\",\"crit\":[\"b64\"],\"b64\":false}",
	    "{\"alg\":\"HS256\",\"crit\":[]}", "{\"alg\":\"HS256\",\"typ\":\"JWT\",\"typ\":\"JWT\"}",
	    "{\"alg\":\"HS256\",\"x\":\"\xff\"}", "{'alg':'HS256'}"};
	static const char *const none[] = {"{}", "{\"alg\":\"none\"}", "{\"alg\":\"None\"}",
	    "{\"alg\":\"NONE\"}", "{\"alg\":\"nOnE\"}", "{\"alg\":null}", "{\"alg\":[\"HS256\"]}",
	    "{\"alg\":\"\"}", "{\"alg\":\"hs256\"}", "{\"alg\":\"HS256 \"}", "{\"alg\":\"HS256\\u0000\"}",
	    "{\"alg\":\"PS256\"}", "{\"alg\":\"ES384\"}", "{\"alg\":\"EdDSA\"}", "{\"ALG\":\"HS256\"}"};
	static const char *const behind[] = {"", ".a.b", ".AA=", ".AA==", ".A", ".AB", "..", ".AA\n",
	    ". AA", ".AA.", ".\xc3\xa9\xc3\xa9"};
	static const char *const tokens[] = {"", ".", "..", "...", "a", "a.b", "a.b.c", "e30.e30",
	    "e30..AA", ".e30.AA", "e30.e30.AA.AA.AA", "bearer e30.e30.AA"};
	struct slice header = S("{\"alg\":\"HS256\"}"), payload = S("{}");
	struct buf large = {0};
	struct jwt j = {0};

	for (size_t i = 0; i < sizeof(headers) / sizeof(*headers); i++) {
		CHECK(read_parts(&j, slice(headers[i]), payload, ".AA") < 0);
		CHECK_TEXT(e.text, "The token provided is not a valid JWT");
	}
	for (size_t i = 0; i < sizeof(none) / sizeof(*none); i++)
		CHECK(read_parts(&j, slice(none[i]), payload, ".") == 0 && j.alg == CRYPTO_NONE);
	for (size_t i = 0; i < sizeof(behind) / sizeof(*behind); i++)
		CHECK(read_parts(&j, header, payload, behind[i]) < 0);
	for (size_t i = 0; i < sizeof(tokens) / sizeof(*tokens); i++)
		CHECK(jwt_read(&j, slice(tokens[i]), &e) < 0);
	CHECK(read_parts(&j, header, S("[]"), ".AA") < 0);
	CHECK(read_parts(&j, header, S("{\"a\":NaN}"), ".AA") < 0);
	CHECK(read_parts(&j, header, S("{\"a\":1}\0"), ".AA") < 0);
	CHECK(jwt_read(&j, S("e30.e30.A\0"), &e) < 0);
	CHECK(read_parts(&j, S(" {\"alg\" : \"HS256\" }\r\n"), S(" { } "), ".AA") == 0);
	CHECK(j.alg == CRYPTO_HS256 && slice_is(j.claims, "{ }"));
	/* 8 KiB are read, not a byte more. */
	buf_adds(&large, "e30.e30.");
	while (large.len < JWT_SIZE)
		buf_addc(&large, 'A');
	CHECK(jwt_read(&j, buf_slice(&large), &e) == 0);
	buf_adds(&large, "AAAA");
	CHECK(jwt_read(&j, buf_slice(&large), &e) < 0);
	buf_free(&large);
	jwt_free(&j);
}

int
main(void)
{
	check_base64();
	check_hmac();
	check_vector(RFC_HS256, RFC_OCT, CRYPTO_HS256);
	check_vector(RFC_RS256, RFC_RSA, CRYPTO_RS256);
	check_vector(RFC_ES256, RFC_EC, CRYPTO_ES256);
	check_signing();
	check_ec_signatures();
	check_keys();
	check_reading();
	return check_done();
}
