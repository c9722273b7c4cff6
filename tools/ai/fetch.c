#include "tools/ai/fetch.h"

#include "common/http.h"
#include "common/json.h"

struct fetched {
	struct buf *out;
	bool done, fine;
};

static void
take(struct http_call *call, const struct http_reply *reply, void *state)
{
	struct fetched *f = state;

	(void)call;
	f->done = true;
	f->fine = reply->fault == HTTP_DONE && reply->status / 100 == 2 &&
		  json_check(reply->body, NULL) == 0;
	if (f->fine)
		buf_addslice(f->out, reply->body);
}

bool
fetch_json(
    const char *url, const struct slice *headers, size_t nheaders, long timeout_ms, struct buf *out)
{
	struct fetched f = {.out = out};
	struct http_settings settings = {.connect_ms = timeout_ms, .connections = 1};
	struct http_request request = {.method = "GET",
	    .url = url,
	    .headers = headers,
	    .nheaders = nheaders,
	    .max_reply = FETCH_MAX,
	    .total_ms = timeout_ms,
	    .done = take,
	    .state = &f};
	struct http *http = http_open(&settings, NULL);

	if (http == NULL)
		return false;
	if (http_start(http, &request, NULL))
		while (!f.done && http_wait(http, timeout_ms, NULL, 0) >= 0)
			;
	http_close(http);
	return f.fine;
}
