/*
 * keyring_part: what the files of the keyring share.
 *
 *	keyring.c       who may join
 *	keyring_file.c  reading the key file and the key sets that it names
 */
#ifndef KANDIL_COLLAB_KEYRING_PART_H
#define KANDIL_COLLAB_KEYRING_PART_H

#include "common/crypto.h"
#include "tools/collab/keyring.h"

struct static_key {
	struct sha256 sum; /* of its value, which is not kept */
	struct claims claims;
};

struct signer {
	char *kid; /* NULL: none. No NUL inside */
	struct crypto_key *key;
};

struct keyring {
	struct static_key *fixed;
	size_t nfixed, fixed_cap;
	struct signer *signers;
	size_t nsigners, signers_cap;
};

#endif
