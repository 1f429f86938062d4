/* The clock on the wall, moved for the processes that are started with this library in LD_PRELOAD, and for no other.
 *
 * CLOCKSHIFT_FILE names a file of one int64: the nanoseconds to add to the time of day. It is mapped, so that a change
 * is seen by the next look at the clock, in every such process at once. Who reads the time of day by the functions
 * below is shown the moved one. All else stays true:
 *
 *   - the monotonic clock and the one since boot, and so every wait for so long (sleep, poll, Event.wait);
 *   - what the kernel stamps: a file's mtime, a process's start;
 *   - waits until a time of day (clock_nanosleep, timerfd, sem_timedwait): the kernel's day is meant, not the moved one.
 *     Python waits by the monotonic clock; only the semaphores of multiprocessing do not;
 *   - programs that are linked statically, and servers that were started without it (PostgreSQL).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const int64_t SECOND = 1000000000;
static const int64_t *shift;

/* Without its file a process would live by the true time, and a test would fail with no word of why. */
static void give_up(const char *file) {
    fprintf(stderr, "clockshift: %s: %s\n", file, strerror(errno));
    _exit(127);
}

__attribute__((constructor)) static void map_the_shift(void) {
    const char *file = getenv("CLOCKSHIFT_FILE");
    if (file == NULL) {
        errno = EINVAL;
        give_up("CLOCKSHIFT_FILE");
    }
    int descriptor = open(file, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0)
        give_up(file);
    void *mapped = mmap(NULL, sizeof *shift, PROT_READ, MAP_SHARED, descriptor, 0);
    if (mapped == MAP_FAILED)
        give_up(file);
    close(descriptor);
    shift = mapped;
}

/* Before our constructor has run, which is before any program begins, the shift is none. */
static void move(struct timespec *at) {
    int64_t by = shift == NULL ? 0 : __atomic_load_n(shift, __ATOMIC_RELAXED);
    int64_t moved = (int64_t)at->tv_sec * SECOND + at->tv_nsec + by;
    at->tv_sec = moved / SECOND;
    at->tv_nsec = moved % SECOND;
    if (at->tv_nsec < 0) { /* before 1970 */
        at->tv_sec -= 1;
        at->tv_nsec += SECOND;
    }
}

int clock_gettime(clockid_t clock, struct timespec *at) {
    int failed = (int)syscall(SYS_clock_gettime, clock, at);
    if (!failed && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
        move(at);
    return failed;
}

int gettimeofday(struct timeval *restrict at, void *restrict zone) {
    struct timespec now;
    if (zone != NULL)
        memset(zone, 0, sizeof(struct timezone));
    if (clock_gettime(CLOCK_REALTIME, &now) != 0)
        return -1;
    at->tv_sec = now.tv_sec;
    at->tv_usec = now.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *at) {
    struct timespec now;
    if (clock_gettime(CLOCK_REALTIME, &now) != 0)
        return (time_t)-1;
    if (at != NULL)
        *at = now.tv_sec;
    return now.tv_sec;
}

int timespec_get(struct timespec *at, int base) {
    if (base != TIME_UTC || clock_gettime(CLOCK_REALTIME, at) != 0)
        return 0;
    return base;
}
