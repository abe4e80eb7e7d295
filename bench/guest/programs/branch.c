/* Branches that are hard to foresee: sorting, and an interpreter of a small machine's code. */
#include "measure.h"

#include <stdlib.h>

enum { NUMBERS = 100000, SORTS = 36, PROGRAM = 4096, PASSES = 12000 };

static uint32_t numbers[NUMBERS];
static uint8_t program[PROGRAM];

static void sort(uint32_t *from, uint32_t *to)
{
    while (to - from > 12) {
        uint32_t middle = from[(to - from) / 2], *low = from, *high = to - 1;
        while (low <= high) {
            while (*low < middle)
                low++;
            while (*high > middle)
                high--;
            if (low > high)
                break;
            uint32_t kept = *low;
            *low++ = *high;
            *high-- = kept;
        }
        sort(from, high + 1);
        from = low;
    }
    for (uint32_t *at = from + 1; at < to; at++) {
        uint32_t kept = *at, *hole = at;
        for (; hole > from && hole[-1] > kept; hole--)
            *hole = hole[-1];
        *hole = kept;
    }
}

static uint32_t interpret(uint32_t seed)
{
    uint32_t accumulator = seed, other = ~seed;
    for (int at = 0; at < PROGRAM; at++) {
        switch (program[at]) {
        case 0: accumulator += other; break;
        case 1: accumulator ^= other << 3; break;
        case 2: other -= accumulator; break;
        case 3: other = other >> 1 | other << 31; break;
        case 4: at += (int)(accumulator & 3); break;
        case 5: if (accumulator > other) { uint32_t kept = other; other = accumulator; accumulator = kept; } break;
        case 6: accumulator *= 2654435761u; break;
        default: if (other & 8) accumulator = ~accumulator; break;
        }
    }
    return accumulator ^ other;
}

static uint32_t work(void)
{
    uint32_t state = 9, sum = 0;
    for (int i = 0; i < PROGRAM; i++)
        program[i] = (uint8_t)(next_random(&state) >> 7 & 7);
    for (int round = 0; round < SORTS; round++) {
        for (int i = 0; i < NUMBERS; i++)
            numbers[i] = next_random(&state);
        sort(numbers, numbers + NUMBERS);
        for (int i = 0; i < NUMBERS; i += 97)
            sum = sum * 31 + numbers[i];
    }
    for (int pass = 0; pass < PASSES; pass++)
        sum += interpret(sum + (uint32_t)pass);
    return sum;
}

int main(int count, char **arguments)
{
    return measure_work("branch", work, count, arguments);
}
