/*
 * Tokens and key files: whatever bytes come, nothing crashes. The first byte says
 * which: a token is shown to a hub with keys of every kind, and none that was not
 * signed gets in; a token of the input as its claims is signed and let in or refused
 * by what it says; or a key file, or a key set, is the input.
 */
#include "common/crypto_key.h"
#include "common/json.h"
#include "common/path.h"
#include "tests/unit/jwt_vectors.h"
#include "tools/collab/jwt.h"
#include "tools/collab/keyring.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char dir[64];
static char keys[128], set[128], tried[128], own[128];

static void
write_file(const char *name, struct slice text)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0 || path_write(fd, text) != 0 || close(fd) != 0)
		abort();
}

/* Once: a folder, in memory where there is one. */
static void
make_folder(void)
{
	if (*dir)
		return;
	snprintf(dir, sizeof(dir), "%s/kandil-fuzz-XXXXXX",
	    access("/dev/shm", W_OK) == 0 ? "/dev/shm" : P_tmpdir);
	if (mkdtemp(dir) == NULL)
		abort();
	snprintf(keys, sizeof(keys), "%s/keys", dir);
	snprintf(set, sizeof(set), "%s/set.json", dir);
	snprintf(own, sizeof(own), "%s/own.json", dir);
	snprintf(tried, sizeof(tried), "%s/tried", dir);
	write_file(own, S("{\"keys\":[" RFC_RSA "," RFC_EC "," RFC_OCT "]}"));
	write_file(keys, S("key a 0123456789abcdef read=a:*\njwks own.json\n"
			   "secret h the-secret-of-kid-h-with-32-characters-or-more\n"));
}

static const struct keyring *
keyring(void)
{
	static struct keyring *k;
	struct err e;

	if (k == NULL && keyring_open(&k, keys, &e) < 0)
		abort();
	return k;
}

static void
use(struct claims *c)
{
	claims_may(c, S("a:b"), false);
	claims_may(c, S("a"), true);
	if (!*c->role || !*c->name)
		abort();
	claims_free(c);
}

/* Nobody can sign for these keys here, but by the bytes of the static one. */
static void
show(struct slice token)
{
	struct claims c;
	struct err e = {0};
	int rc = keyring_admit(keyring(), token, 1300000000000, &c, &e);

	if (rc == 0 && !slice_is(slice_trim(token), "0123456789abcdef"))
		abort();
	if (rc != 0 && (e.code == NULL || !*e.text || c.memory))
		abort();
	if (rc == 0)
		use(&c);
}

static void
sign(struct slice payload)
{
	static struct crypto_key *key;
	struct buf token = {0};
	struct claims c;
	struct err e;

	if (key == NULL && crypto_key_jwk(&key, S(RFC_OCT), &e) != 0)
		abort();
	if (jwt_write(&token, key, CRYPTO_HS256, (struct slice){NULL, 0}, payload, &e) == 0) {
		int rc = keyring_admit(keyring(), buf_slice(&token), 1300000000000, &c, &e);

		if (rc < 0 && (!*e.text || c.memory))
			abort();
		if (rc == 0 && c.exp <= 1300000000000)
			abort();
		if (rc == 0)
			use(&c);
	}
	buf_free(&token);
}

static void
open_keys(void)
{
	struct keyring *k = NULL;
	struct slice kid;
	struct claims c;
	struct err e = {0};

	if (keyring_open(&k, tried, &e) < 0) {
		if (k || e.code == NULL || !*e.text)
			abort();
		return;
	}
	keyring_signer(k, (struct slice){NULL, 0}, CRYPTO_NONE, &kid);
	if (keyring_admit(k, S(RFC_ES256), 0, &c, &e) == 0) /* it has no role */
		abort();
	keyring_free(k);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = {(const char *)data + 1, size - 1};

	if (size < 1)
		return 0;
	make_folder();
	switch (data[0] % 4) {
	case 0:
		show(text);
		break;
	case 1:
		sign(text);
		break;
	case 2:
		write_file(set, S(RFC_SET));
		write_file(tried, text);
		open_keys();
		break;
	default:
		write_file(set, text);
		write_file(tried, S("jwks set.json\n"));
		open_keys();
	}
	return 0;
}

static void remove_folder(void) __attribute__((destructor));

static void
remove_folder(void)
{
	if (!*dir)
		return;
	unlink(keys);
	unlink(set);
	unlink(own);
	unlink(tried);
	rmdir(dir);
}
