/*
 * crypto_key: keys, and the signatures of JSON Web Algorithms, by OpenSSL.
 *
 * HS256, HS384, HS512 (HMAC), RS256, RS384, RS512 (RSASSA-PKCS1-v1_5) and
 * ES256 (ECDSA on P-256, the signature as R || S): RFC 7518 sections 3.2 to
 * 3.4. A key has one kind, and an algorithm works with its kind alone: a
 * public key never serves as a secret. Limits: secrets from 32 bytes (RFC 7518
 * section 3.2), RSA from 2048 to 8192 bits with an odd exponent above 1 of at most 64.
 */
#ifndef KANDIL_CRYPTO_KEY_H
#define KANDIL_CRYPTO_KEY_H

#include "common/buf.h"
#include "common/die.h"

enum crypto_alg {
	CRYPTO_NONE, /* no algorithm of ours; never signs, never verifies */
	CRYPTO_HS256,
	CRYPTO_HS384,
	CRYPTO_HS512,
	CRYPTO_RS256,
	CRYPTO_RS384,
	CRYPTO_RS512,
	CRYPTO_ES256,
};

enum crypto_kind { CRYPTO_NO_KIND, CRYPTO_SECRET, CRYPTO_RSA, CRYPTO_EC };

enum { CRYPTO_SECRET_MIN = 32, CRYPTO_RSA_MIN = 2048, CRYPTO_RSA_MAX = 8192 }; /* bytes, bits */

/* Exactly as RFC 7518 spells it, or CRYPTO_NONE. */
enum crypto_alg crypto_alg(struct slice name);
const char *crypto_alg_name(enum crypto_alg);
enum crypto_kind crypto_alg_kind(enum crypto_alg);

struct crypto_key;

/*
 * Each makes a key and returns 0; or -1 with e: "bad_key", the text says what
 * is wrong with it and shows nothing of it.
 */
int crypto_key_secret(struct crypto_key **, struct slice secret, struct err *e);
/*
 * A JSON Web Key (RFC 7517, RFC 7518 section 6), an object that json_check
 * accepted: kty RSA, EC with P-256, oct; with d it can sign. 1: a key that is
 * not for us (another kty, curve or alg, use other than sig, key_ops without
 * verify and sign), which a set may hold: *key is NULL then.
 */
int crypto_key_jwk(struct crypto_key **, struct slice jwk, struct err *e);
/* A private key in PEM: RSA or P-256, PKCS #8 or its own form, not encrypted. */
int crypto_key_pem(struct crypto_key **, struct slice pem, struct err *e);
void crypto_key_free(struct crypto_key *);

enum crypto_kind crypto_key_kind(const struct crypto_key *);
/* Whether it can sign. */
bool crypto_key_private(const struct crypto_key *);
/* Whether it is of the algorithm's kind, and not for another one by its JWK's alg. */
bool crypto_key_serves(const struct crypto_key *, enum crypto_alg);
/* The algorithm it is for: its JWK's alg, else the first of its kind. */
enum crypto_alg crypto_key_alg(const struct crypto_key *);

/* Whether it is the message's signature. A MAC is compared in constant time. */
bool crypto_verify(const struct crypto_key *, enum crypto_alg, struct slice message,
    struct slice signature);
/*
 * Appends the signature, which has been verified: a damaged private key gives
 * none. -1 with e: "bad_key".
 */
int crypto_sign(const struct crypto_key *, enum crypto_alg, struct slice message,
    struct buf *signature, struct err *e);

#endif
