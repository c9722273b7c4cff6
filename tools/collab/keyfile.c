#include "tools/collab/keyfile.h"

#include "common/path.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

enum { OTHERS = S_IRWXG | S_IRWXO, OTHERS_WRITE = S_IWGRP | S_IWOTH };

/* Whether others may do none of what these modes say. */
static int
check(const char *name, mode_t modes, struct err *e)
{
	uid_t me = geteuid();
	struct stat st;

	if (stat(name, &st) != 0)
		return err_set(e, "cannot_read", "cannot open '%s': %s", name, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return err_set(e, "cannot_read", "'%s' is no regular file", name);
	if (me != 0 && st.st_uid != me && st.st_uid != 0)
		return err_set(e, "open_key_file",
		    "'%s' belongs to somebody else, who could change it: chown it", name);
	if (me != 0 && st.st_uid == 0)
		modes &= ~(mode_t)S_IRGRP;
	if (st.st_mode & modes)
		return err_set(e, "open_key_file", "others may %s '%s' (mode %04o): chmod %s '%s'",
		    st.st_mode & modes & OTHERS_WRITE ? "write" : "read", name,
		    (unsigned)(st.st_mode & 07777), modes & S_IROTH ? "600" : "go-w", name);
	return 0;
}

int
keyfile_check(const char *name, struct err *e)
{
	return check(name, OTHERS, e);
}

int
keyfile_read(const char *name, struct buf *out, struct err *e)
{
	return check(name, OTHERS, e) < 0 ? -1 : path_read(name, KEYFILE_SIZE, out, e);
}

int
keyfile_read_public(const char *name, struct buf *out, struct err *e)
{
	if (check(name, OTHERS_WRITE, e) < 0)
		return -1;
	return path_read(name, KEYFILE_SIZE, out, e);
}
