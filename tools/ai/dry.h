/*
 * dry: what would be asked, and what it would probably cost; nothing is sent.
 *
 * The record's answer is {"request":{"url","body"},"estimate":{"input_tokens",
 * "output_tokens","cost","currency"}}. Headers are not shown: the key is among
 * them. Output is what money_estimate says; the cost is not there where no price
 * is known. What was kept costs nothing: "cached":true is the estimate's first member.
 */
#ifndef KANDIL_AI_DRY_H
#define KANDIL_AI_DRY_H

struct engine;
struct slot;

/* Ends the slot with its estimate, which counts towards the summary. */
void engine_dry(struct engine *, struct slot *);

#endif
