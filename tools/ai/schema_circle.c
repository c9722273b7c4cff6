#include "tools/ai/schema_part.h"

#include <stdlib.h>

/* The edges of each rule, one after the other: those of r are to[start[r] … start[r + 1]). */
static void
sort_edges(const struct schema *s, uint32_t *start, uint32_t *to)
{
	for (size_t i = 0; i < s->nedges; i++)
		start[s->edges[i].from]++;
	for (size_t i = 1; i <= s->nrules; i++)
		start[i] += start[i - 1];
	for (size_t i = s->nedges; i-- > 0; )
		to[--start[s->edges[i].from]] = s->edges[i].to;
}

/*
 * Takes away the rules that nothing leads to, until none is left or each of the rest is led to by
 * one of the rest; into[] ends above 0 for those. Whether any is left.
 */
static bool
peel(const struct schema *s, const uint32_t *start, const uint32_t *to, uint32_t *into)
{
	uint32_t *queue = xcalloc(s->nrules, sizeof(*queue));
	size_t n = 0;

	for (size_t i = 0; i < s->nedges; i++)
		into[s->edges[i].to]++;
	for (uint32_t i = 0; i < s->nrules; i++)
		if (into[i] == 0)
			queue[n++] = i;
	for (size_t done = 0; done < n; done++)
		for (size_t i = start[queue[done]]; i < start[queue[done] + 1]; i++)
			if (--into[to[i]] == 0)
				queue[n++] = to[i];
	free(queue);
	return n < s->nrules;
}

int
rule_circle(const struct schema *s, struct err *e)
{
	uint32_t *start = xcalloc(s->nrules + 1, sizeof(*start));
	uint32_t *to = xcalloc(s->nedges, sizeof(*to));
	uint32_t *into = xcalloc(s->nrules, sizeof(*into)), at = DOC_NONE;

	sort_edges(s, start, to);
	if (peel(s, start, to, into)) {
		uint32_t *before = xcalloc(s->nrules, sizeof(*before));

		for (size_t i = 0; i < s->nedges; i++)
			if (into[s->edges[i].from] > 0 && into[s->edges[i].to] > 0)
				before[s->edges[i].to] = at = s->edges[i].from;
		/* Enough steps back from anywhere end on a circle. */
		for (size_t i = 0; i < s->nrules; i++)
			at = before[at];
		free(before);
	}
	free(start);
	free(to);
	free(into);
	if (at == DOC_NONE)
		return 0;
	return schema_bad(s, s->rules[at].node, e,
	    "it leads back to itself at the same value: put 'properties' or 'items' between");
}
