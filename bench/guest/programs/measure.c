#define _GNU_SOURCE
#include "measure.h"

#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>

static uint64_t kilohertz;

uint64_t now(void)
{
    uint64_t ticks = __rdtsc();
    return ticks / kilohertz * 1000000u + ticks % kilohertz * 1000000u / kilohertz;
}

/* A serial port that still transmits interrupts what is measured next. */
static void drain(void)
{
    fflush(stdout);
    tcdrain(STDOUT_FILENO);
}

void settle(void)
{
    const char *given = getenv("TSC_KHZ");
    kilohertz = given != NULL ? strtoull(given, NULL, 10) : 0;
    require(kilohertz != 0, "TSC_KHZ is not set");
    prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(sched_getcpu(), &one);
    require(sched_setaffinity(0, sizeof one, &one) == 0, "sched_setaffinity");
}

void mark(void)
{
    struct timespec at;
    drain();
    clock_gettime(CLOCK_MONOTONIC, &at);
    printf("@mark %" PRIu64 " %" PRIu64 "\n", now(), (uint64_t)at.tv_sec * 1000000000u + (uint64_t)at.tv_nsec);
    drain();
}

void result(const char *name, double nanoseconds, uint32_t checksum)
{
    printf("@result %s %.1f %08" PRIx32 "\n", name, nanoseconds, checksum);
    drain();
}

void require(int holds, const char *what)
{
    if (holds)
        return;
    printf("@failed %s\n", what);
    drain();
    _exit(1);
}

int measure_work(const char *name, uint32_t (*work)(void), int count, char **arguments)
{
    int repetitions = count > 1 ? atoi(arguments[1]) : 1;
    settle();
    mark();
    for (int i = 0; i < repetitions; i++) {
        uint64_t begin = now();
        uint32_t checksum = work();
        result(name, (double)(now() - begin), checksum);
    }
    mark();
    return 0;
}
