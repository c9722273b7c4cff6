/*
 * where: from the settings to the relay's address, the key and the token.
 *
 * First wins:
 *	URL	--url (so KANDIL_COLLAB_URL), SUPABASE_URL, http://127.0.0.1:4000
 *	key	--key-file, KANDIL_COLLAB_KEY, SUPABASE_KEY, SUPABASE_ANON_KEY
 *	token	--token-command, --token-file, KANDIL_COLLAB_TOKEN
 * but what the configuration names comes after KANDIL_COLLAB_KEY and KANDIL_COLLAB_TOKEN, and
 * of two options the command line's first.
 * A file holds the key, or the token, alone in its first line; --key-file also takes a hub's
 * key file (keyring.h) with one static key. What holds something else is told by what it is.
 * A key of Supabase's names goes to SUPABASE_URL, to supabase.co and to this machine alone:
 * naming another hub must not hand it over. Files of secrets must be their owner's
 * alone (keyfile.h). All secrets live in bufs that where_free wipes.
 */
#ifndef KANDIL_COLLAB_WHERE_H
#define KANDIL_COLLAB_WHERE_H

#include "tools/collab/collab.h"

struct where {
	char *url;	/* as link_settings wants it */
	struct buf key; /* empty: none */
	struct buf token; /* empty: none, or it comes from a file or a command: where_token */
};

/*
 * 0, or -1 with e: "bad_url", "insecure", "no_key" (none for a hub that is not on this
 * machine; a file or variable that holds none), "cannot_read", "open_key_file". What is
 * wrong with the URL begins with where that came from.
 */
int where_find(const struct settings *, struct where *, struct err *e);
void where_free(struct where *);

/*
 * Appends SCHEME://HOST[:PORT]/PATH of what people write: http, https, ws and wss,
 * a slash or /websocket at the end or not, no path: /realtime/v1. -1 with e: "bad_url" (another
 * scheme, no host, no valid port, an account or a query in it), "insecure" (in the clear to another
 * machine, and not asked to).
 */
int where_base(const char *url, bool insecure, struct buf *out, struct err *e);
/* Whether a URL leads to this machine by its very name. */
bool where_is_here(const char *url);
/*
 * What to say of a base URL whose connection ended as it does where one side speaks TLS and the
 * other does not (mismatch of socket.h and http.h): ": …".
 */
const char *where_scheme_hint(const char *base);
/* Whether it is Supabase's own service. */
bool where_is_hosted(const char *url);

/*
 * The token of now: what command prints, else the file's first line, else what is in
 * out, which stays. 0 (out may be empty: there is none), or -1 with e: "no_key",
 * "cannot_read", "open_key_file". Blocks for a command, at most 10 s.
 */
int where_token(const char *command, const char *file, struct buf *out, struct err *e);
/* When a JWT says that it ends, ms since 1970; 0: it does not say, or is none. */
int64_t where_token_end(struct slice token);

#endif
