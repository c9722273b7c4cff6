/* keyring: whom it lets in: by keys, by what a token claims, by which key signed it. */
#include "tests/unit/keyring_make.h"
#include "tools/collab/jwt.h"

#include "common/json.h"

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

int
main(void)
{
	keyring_begin();
	check_static();
	check_claims();
	check_choice();
	check_tampering();
	check_size();
	keyring_end();
	return check_done();
}
