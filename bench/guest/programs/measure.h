/* What all programs share: the clock, and the lines that the bench reads. Every line begins with an @, which nothing else prints. */
#ifndef MEASURE_H
#define MEASURE_H

#include <stdint.h>

/*
 * Nanoseconds by the time-stamp counter, which is the host's own or goes with it on every machine that is measured; how fast it counts, in kilohertz, stands in the environment
 * as TSC_KHZ. A guest's CLOCK_MONOTONIC cannot be trusted where its kernel could not calibrate the counter.
 */
uint64_t now(void);

/* The first call of every program: reads TSC_KHZ, then stays on the processor that it is on, without transparent huge pages: a guest has none. */
void settle(void);

/* "@mark NANOSECONDS CLOCK_MONOTONIC": the bench compares the distances of marks by both clocks with its own. Waits until the line is on the wire. */
void mark(void);

/* "@result NAME NANOSECONDS CHECKSUM" */
void result(const char *name, double nanoseconds, uint32_t checksum);

/* Ends the program with a message when something that cannot fail did. */
void require(int holds, const char *what);

/* Fixed work, as often as the first of ARGUMENTS says, each time with a result. */
int measure_work(const char *name, uint32_t (*work)(void), int count, char **arguments);

/* The next of a sequence that is the same everywhere (a linear congruential generator modulo 2^32, the upper half of its product folded in). */
static inline uint32_t next_random(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state ^ (*state >> 16);
}

#endif
