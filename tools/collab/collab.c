/* kandil-collab: a shared session in a pipe, over Supabase Realtime's wire. */
#include "tools/collab/collab.h"

#include <string.h>

#define AT(member) offsetof(struct settings, member)

/* Where a client goes, and with what. Environment names that users already have: where.c. */
#define WHERE \
	{"url", 'u', OPT_TEXT, "URL", \
	    "the hub, or https://REF.supabase.co; else $SUPABASE_URL, http://127.0.0.1:4000", 0, NULL, AT(url)}, \
	{"key-file", 0, OPT_TEXT, "FILE", \
	    "a file that holds the key alone; else $KANDIL_COLLAB_KEY, $SUPABASE_KEY", 0, NULL, \
	    AT(key_file)}, \
	{"token-file", 0, OPT_TEXT, "FILE", "a file that holds a user's token, read for each refresh", \
	    0, NULL, AT(token_file)}, \
	{"token-command", 0, OPT_TEXT, "COMMAND", "a program that prints it, run for each refresh", 0, \
	    NULL, AT(token_command)}, \
	{"private", 0, OPT_FLAG, NULL, "the private topic of that name", 0, NULL, AT(private_topic)}, \
	{"ca-file", 0, OPT_TEXT, "FILE", "certificates to trust, in place of the system's", 0, NULL, \
	    AT(ca_file)}, \
	{"insecure", 0, OPT_FLAG, NULL, "send the key over plain ws to another machine", 0, NULL, \
	    AT(insecure)}, \
	{"max-payload", 0, OPT_SIZE, "BYTES", "the largest message that the hub takes", OPT_PROJECT, \
	    "256000", AT(max_payload)}

/* Who takes part, and how. */
#define PART \
	{"as", 0, OPT_TEXT, "NAME", "who we are: each has an outbox of its own", 0, NULL, AT(as)}, \
	{"state-dir", 0, OPT_TEXT, "DIR", "where the outbox and what was received are kept", 0, NULL, \
	    AT(state_dir)}, \
	{"keep", 0, OPT_SIZE, "BYTES", "how much of both", 0, "64M", AT(keep)}, \
	{"rate", 0, OPT_REAL, "N", \
	    "deliveries a second of the whole session; 0: unlimited, 80 on supabase.co", OPT_PROJECT, \
	    "0", AT(rate)}, \
	{"vsn", 0, OPT_NUMBER, "1|2", "version of the Phoenix protocol", 0, "2", AT(vsn)}, \
	{"status", 0, OPT_FLAG, NULL, "write records of kind status: up, down, retries", 0, NULL, \
	    AT(status)}, \
	{"for", 0, OPT_TEXT, "LENGTH", "leave after that time: 30s, 5m, 1h", 0, NULL, AT(for_length)}

static const struct opt join_options[] = {
    WHERE,
    PART,
    {"event", 'e', OPT_TEXT, "NAME", "the event of what is sent", OPT_PROJECT, "message",
	AT(event)},
    {"listen", 0, OPT_FLAG, NULL, "only hear: read no input, send nothing, be seen by nobody",
	OPT_TYPED, NULL, AT(only_listen)},
    {"log", 0, OPT_TEXT, "FILE", "append what arrives to FILE, exactly once", 0, NULL, AT(log)},
    {"since", 0, OPT_CHOICE, "now|all", "where somebody new begins", OPT_PROJECT, "now",
	AT(since)},
    {"self", 0, OPT_FLAG, NULL, "write what we send, too", OPT_PROJECT, NULL, AT(self)},
    {"presence", 0, OPT_FLAG, NULL, "write records of kind presence: who comes and goes",
	OPT_PROJECT, NULL, AT(presence)},
    {"meta", 0, OPT_TEXT, "JSON", "an object that the others see in our presence", 0, NULL,
	AT(meta)},
    {"once", 0, OPT_FLAG, NULL, "leave when the input has ended and all who are here have it", 0,
	NULL, AT(once)},
    {"until", 0, OPT_TEXT, "PROGRAM", "leave after the first record for which this jq program is true",
	0, NULL, AT(until)},
    {0},
};

static const struct opt sync_options[] = {
    WHERE,
    PART,
    {"state", 's', OPT_TEXT, "FILE", "the JSON file that is kept the same everywhere", 0, NULL,
	AT(state)},
    {"patches", 0, OPT_FLAG, NULL, "merge patches in on stdin, out on stdout", 0, NULL, AT(patches)},
    {"once", 0, OPT_FLAG, NULL, "leave when all who are here agree", 0, NULL, AT(once)},
    {0},
};

static const struct opt send_options[] = {
    WHERE,
    {"event", 'e', OPT_TEXT, "NAME", "the event of what is sent", OPT_PROJECT, "message",
	AT(event)},
    {0},
};

static const struct opt serve_options[] = {
    {"listen", 'l', OPT_LIST, "ADDRESS:PORT,...", "where; beyond loopback a --key-file is needed", 0,
	"127.0.0.1:4000", AT(listen)},
    {"key-file", 0, OPT_TEXT, "FILE", "who may join: keys, secrets, JWKS", 0, NULL, AT(key_file)},
    {"cert", 0, OPT_TEXT, "FILE", "certificate chain, PEM: TLS", 0, NULL, AT(cert)},
    {"tls-key", 0, OPT_TEXT, "FILE", "its private key, PEM", 0, NULL, AT(tls_key)},
    {"origin", 0, OPT_LIST, "ORIGIN,...", "browser pages that may connect: https://app.example; *", 0,
	NULL, AT(origin)},
    {"history", 0, OPT_TEXT, "N|LENGTH", "keep so many messages a topic, or for so long", 0, NULL,
	AT(history)},
    {"history-dir", 0, OPT_TEXT, "DIR", "keep them in files there, over restarts", 0, NULL,
	AT(history_dir)},
    {"max-payload", 0, OPT_SIZE, "BYTES", "of one message", 0, "256000", AT(max_payload)},
    {"max-connections", 0, OPT_NUMBER, "N", "at once", 0, "10000", AT(max_connections)},
    {"max-topics", 0, OPT_NUMBER, "N", "at once", 0, "10000", AT(max_topics)},
    {"max-channels", 0, OPT_NUMBER, "N", "topics that one connection may join", 0, "100",
	AT(max_channels)},
    {"max-joins", 0, OPT_NUMBER, "N", "joins a second of one key", 0, "100", AT(max_joins)},
    {"max-rate", 0, OPT_REAL, "N", "messages a second of one connection; 0: unlimited", 0, "0",
	AT(max_rate)},
    {"max-key-rate", 0, OPT_REAL, "N", "messages a second of one key", 0, "0", AT(max_key_rate)},
    {"max-topic-rate", 0, OPT_REAL, "N", "messages a second to one topic", 0, "0",
	AT(max_topic_rate)},
    {"max-presence-rate", 0, OPT_REAL, "N", "presence calls a second of one channel", 0, "10",
	AT(max_presence_rate)},
    {"max-queue", 0, OPT_SIZE, "BYTES", "what a slow reader may be behind before it is dropped", 0,
	"1M", AT(max_queue)},
    {"max-memory", 0, OPT_SIZE, "BYTES", "for queues and history together", 0, "256M",
	AT(max_memory)},
    {0},
};

static const struct opt token_options[] = {
    {"key-file", 0, OPT_TEXT, "FILE", "the hub's key file, or a private key: PEM or JWK", 0, NULL,
	AT(key_file)},
    {"alg", 0, OPT_TEXT, "ALG", "HS256, RS256, ES256; else what the key is for", 0, NULL, AT(alg)},
    {"kid", 0, OPT_TEXT, "ID", "which key", 0, NULL, AT(kid)},
    {"role", 0, OPT_TEXT, "ROLE", "the claim role", 0, "authenticated", AT(role)},
    {"sub", 0, OPT_TEXT, "ID", "the claim sub: who it is for", 0, NULL, AT(sub)},
    {"for", 0, OPT_TEXT, "LENGTH", "how long it is valid: 30s, 5m, 24h", 0, "1h", AT(for_length)},
    {"read", 0, OPT_LIST, "TOPIC,...", "private topics that it may read; * in names", 0, NULL,
	AT(read)},
    {"write", 0, OPT_LIST, "TOPIC,...", "and write", 0, NULL, AT(write)},
    {0},
};

static const struct opt_command commands[] = {
    {"join", "stdin to everyone, everyone to stdout", "TOPIC [FILE ...]", join_options, join_run},
    {"sync", "a JSON file that is the same on every machine", "TOPIC", sync_options, sync_run},
    {"send", "records to everyone by one request, without joining", "TOPIC [FILE ...]", send_options,
	send_run},
    {"serve", "the hub: a Realtime server", "", serve_options, serve_run},
    {"token", "prints a JWT for tests and small teams", "", token_options, mint_run},
    {0},
};

static const struct tool tool = {
    .name = "kandil-collab",
    .summary = "a shared session in a pipe, over Supabase Realtime's wire",
    .operands = "TOPIC",
    .commands = commands,
    .epilogue = "kandil-collab serve --key-file=keys &\n"
		"agent | kandil-collab join standup | tee -a log.ndjson\n"
		"kandil-collab sync standup --state=state.json\n",
};

/* What is given empty was meant to name something, and what is not guessed. */
static void
check_empty(const struct run *run, const struct settings *s)
{
	for (const struct opt *o = run->command->opts; o->name; o++) {
		const char *const *text = (const void *)((const char *)s + o->at);
		const char *hint = strcmp(o->name, "as") == 0
		    ? "a name has 1 to 64 bytes of UTF-8 and no control characters"
		    : strcmp(o->name, "event") == 0 ? "an event has a name of 1 to 255 bytes"
						     : "give one, or leave the option out";

		if (o->type == OPT_TEXT && *text && **text == '\0')
			die(STATUS_USAGE, "%s: an empty %s: %s", opt_origin(o->name), o->arg, hint);
	}
}

int
main(int argc, char **argv)
{
	struct settings settings = {0};
	struct run run;

	run_start(&run, &tool, &settings, argc, argv);
	check_empty(&run, &settings);
	run_command(&run, &settings);
	return run_finish(&run);
}
