/* Memory at random: a chain of pointers through 8 MiB, a cache line each, so that most steps miss the second-level cache and the TLB. */
#include "measure.h"

enum { LINES = 128 << 10, STEPS = 4 << 20 };

static struct line {
    struct line *next;
    uint32_t value;
    uint32_t unused[14];
} lines[LINES];

static uint32_t order[LINES];

static uint32_t work(void)
{
    uint32_t state = 5, sum = 0;
    for (uint32_t i = 0; i < LINES; i++)
        order[i] = i;
    for (uint32_t i = LINES - 1; i > 0; i--) {
        uint32_t other = next_random(&state) % (i + 1), kept = order[i];
        order[i] = order[other];
        order[other] = kept;
    }
    for (uint32_t i = 0; i < LINES; i++) {
        lines[order[i]].next = &lines[order[(i + 1) % LINES]];
        lines[order[i]].value = next_random(&state);
    }
    const struct line *at = lines;
    for (uint32_t i = 0; i < STEPS; i++) {
        sum = sum * 31 + at->value;
        at = at->next;
    }
    return sum;
}

int main(int count, char **arguments)
{
    return measure_work("chase", work, count, arguments);
}
