/*
 * keyring_make: key files in a scratch folder, keys, and tokens of any header and payload; whom
 * a keyring lets in.
 */
#ifndef KANDIL_TEST_KEYRING_MAKE_H
#define KANDIL_TEST_KEYRING_MAKE_H

#include "common/base64.h"
#include "common/mem.h"
#include "common/path.h"
#include "tests/unit/check.h"
#include "tests/unit/jwt_vectors.h"
#include "tools/collab/keyring.h"

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
static inline const char *
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

static inline struct keyring *
open_text(const char *content)
{
	struct keyring *k;

	if (keyring_open(&k, file("keys", content, 0600), &e) < 0) {
		fprintf(stderr, "%s\n", e.text);
		abort();
	}
	return k;
}

static inline struct crypto_key *
jwk(const char *text)
{
	struct crypto_key *key;

	if (crypto_key_jwk(&key, slice(text), &e) != 0)
		abort();
	return key;
}

static inline struct crypto_key *
secret(struct slice text)
{
	struct crypto_key *key;

	if (crypto_key_secret(&key, text, &e) < 0)
		abort();
	return key;
}

/* A token of exactly this header and payload, signed by key as alg. */
static inline const char *
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

static inline const char *
admit(const struct keyring *k, const char *text)
{
	claims_free(&admitted);
	return keyring_admit(k, slice(text), NOW * 1000LL, &admitted, &e) == 0 ? "" : e.code;
}

/*
 * A hub that knows an RSA key (kid r), an EC key (kid e), two secrets without and one
 * with a kid (h).
 */
static inline struct keyring *
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

static inline const char *
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

static inline void
keyring_begin(void)
{
	if (!mkdtemp(dir))
		abort();
}

static inline void
keyring_end(void)
{
	static const char *const names[] = {"keys", "link", "set.json", "bad.json", "empty.json",
	    "none.json", "list.json", "twice.json", "weak.json", "rfc.json", "private.json", "word"};

	claims_free(&admitted);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		char *path = path_join(dir, names[i]);

		unlink(path);
		free(path);
	}
	CHECK(rmdir(dir) == 0);
}

#endif
