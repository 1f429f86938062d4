/* fsync and fdatasync that fail with EIO while a file exists, in the processes that are started with this library in
 * LD_PRELOAD. FAILSYNC_FLAG names the file. What was written before is in the kernel all the same, as after the error of
 * a real disk: the outcome of a commit is unknown.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

static int fails(void) {
    const char *flag = getenv("FAILSYNC_FLAG");
    return flag != NULL && access(flag, F_OK) == 0;
}

static int sync_by(long call, int descriptor) {
    if (fails()) {
        errno = EIO;
        return -1;
    }
    return (int)syscall(call, descriptor);
}

int fsync(int descriptor) { return sync_by(SYS_fsync, descriptor); }

int fdatasync(int descriptor) { return sync_by(SYS_fdatasync, descriptor); }
