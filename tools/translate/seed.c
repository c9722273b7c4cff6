#include "tools/translate/seed.h"

#include "common/path.h"
#include "tools/translate/load.h"

#include <stdlib.h>

int
seed_load(struct memories *m, const char *from, struct err *e)
{
	struct loader loader = {.targets = m, .n = 1, .from = from};
	char name[LOCALE_MAX];

	if (load_distance("en", slice(from)) < 0)
		return 0;
	memcpy(name, m->locale, sizeof(name));
	do {
		struct buf rel = {0};
		buf_addf(&rel, "translate/seed/%s.po", name);
		char *file = path_data(rel.ptr);
		buf_free(&rel);
		if (file) {
			int status = load_file(&loader, file, TIER_SEED, e);
			free(file);
			return status;
		}
	} while (locale_parent(name));
	return 0;
}
