/*
 * crypto_part: what crypto_key.c and crypto_jwk.c share. OpenSSL's key is known by its tag, so
 * that no header of theirs is needed.
 */
#ifndef KANDIL_CRYPTO_PART_H
#define KANDIL_CRYPTO_PART_H

#include "common/crypto_key.h"

struct evp_pkey_st;

struct crypto_key {
	enum crypto_kind kind;
	enum crypto_alg only; /* CRYPTO_NONE: every algorithm of its kind */
	bool private;
	struct buf secret;	  /* CRYPTO_SECRET */
	struct evp_pkey_st *pkey; /* the others; its own */
};

/*
 * A key around pkey, which it takes over even when it fails: -1 with e when it is not RSA of
 * the sizes taken, nor on P-256.
 */
int crypto_key_of(struct crypto_key **, struct evp_pkey_st *pkey, bool private, struct err *e);

#endif
