/* Memory in a row: three arrays of 8 MiB, one the sum of the others. */
#include "measure.h"

/* Some pages more than a power of two: a translation cache of QEMU's would else have the three arrays in the same entries. */
enum { WORDS = (2 << 20) + (37 << 10), ROUNDS = 100 };

static uint32_t a[WORDS], b[WORDS], c[WORDS];

static uint32_t work(void)
{
    uint32_t state = 3, sum = 0;
    for (int i = 0; i < WORDS; i++) {
        a[i] = next_random(&state);
        b[i] = ~a[i] >> 3;
    }
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < WORDS; i++)
            c[i] = a[i] + 3 * b[i];
        for (int i = 0; i < WORDS; i++)
            b[i] = c[i] ^ a[i];
    }
    for (int i = 0; i < WORDS; i++)
        sum = sum * 31 + b[i];
    return sum;
}

int main(int count, char **arguments)
{
    return measure_work("stream", work, count, arguments);
}
