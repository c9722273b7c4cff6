/*
 * Lanes: one for each model of an endpoint, since limits are counted so.
 */
#include "common/mem.h"
#include "common/time.h"
#include "tools/ai/engine_part.h"

#include <stdlib.h>

enum {
	START = 16, START_LOCAL = 4, /* in flight before anything is known */
	LANES = 64,	     /* beyond these, the models of an endpoint share one */
};

static struct lane *
add_lane(struct engine *e, const struct endpoint *p, struct slice model)
{
	struct lane *lane = xcalloc(1, sizeof(*lane));
	const struct settings *set = e->settings;

	lane->engine = e;
	lane->endpoint = p;
	lane->model = model.ptr ? xstrndup(model.ptr, model.len) : NULL;
	lane->lack = p->lack;
	lane->end = &lane->first;
	lane->price = money_price(&e->money, p, model);
	buckets_open(&lane->buckets, time_ms(), set->rpm, set->tpm, set->output_tpm);
	pace_open(&lane->pace, p->local ? START_LOCAL : START, (int)set->jobs);
	lane->next = e->lanes;
	e->lanes = lane;
	e->nlanes++;
	return lane;
}

struct lane *
engine_lane(struct engine *e, const struct ask *ask)
{
	struct slice model = ask->model;

	/* Names out of records are anybody's: their number is bounded. */
	for (int turn = 0; turn < 2; turn++) {
		for (struct lane *l = e->lanes; l; l = l->next)
			if (l->endpoint == ask->endpoint && (l->model && model.ptr
				    ? slice_is(model, l->model) : l->model == NULL && model.ptr == NULL))
				return l;
		if (model.ptr == NULL || e->nlanes < LANES)
			break;
		model = (struct slice){NULL, 0};
	}
	return add_lane(e, ask->endpoint, model);
}

void
engine_free_lanes(struct engine *e)
{
	while (e->lanes) {
		struct lane *lane = e->lanes;

		e->lanes = lane->next;
		free(lane->model);
		free(lane);
	}
}
