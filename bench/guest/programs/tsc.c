/* "@tsc KILOHERTZ": how fast the host's time-stamp counter counts, which a guest is told where it cannot calibrate. */
#include "measure.h"

#include <inttypes.h>
#include <stdio.h>
#include <x86intrin.h>

enum { SPAN = 300000000 };

/* The narrowest of some pairs: nothing came between its two readings. */
static void both(uint64_t *time, uint64_t *counter)
{
    uint64_t narrowest = UINT64_MAX;
    for (int i = 0; i < 100; i++) {
        uint64_t before = __rdtsc(), at = now(), behind = __rdtsc();
        if (behind - before < narrowest) {
            narrowest = behind - before;
            *time = at;
            *counter = before + narrowest / 2;
        }
    }
}

int main(void)
{
    uint64_t begin, first, end, last;
    both(&begin, &first);
    while (now() - begin < SPAN)
        ;
    both(&end, &last);
    printf("@tsc %" PRIu64 "\n", (last - first) * 1000000u / (end - begin));
    return 0;
}
