/*
 * l10n: what a Flutter project's l10n.yaml says about its catalogues.
 *
 * Source: flutter_tools, localizations_utils.dart (names and defaults).
 */
#ifndef KANDIL_FORMAT_L10N_H
#define KANDIL_FORMAT_L10N_H

#include "common/die.h"

#include <stdbool.h>

struct l10n {
	bool found;
	char *arb_dir;	 /* as reached from here, "lib/l10n" where nothing is said */
	char *template;	 /* template-arb-file, "app_en.arb" where nothing is said */
	char *accessor;	 /* output-class, "AppLocalizations" where nothing is said */
	unsigned dialect; /* MESSAGE_ARB, with use-escaping and relax-syntax or-ed */
};

/*
 * Reads the l10n.yaml of folder, or of the nearest folder above it up to the
 * one that has a pubspec.yaml. 0 with the defaults where there is none; -1
 * with e (its text starts with file and line) for one that cannot be read. To
 * be freed in both cases.
 */
int l10n_read(const char *folder, struct l10n *, struct err *e);
void l10n_free(struct l10n *);

#endif
