/* Floating point with SSE2: products of matrices that the second-level cache holds. */
#include "measure.h"

#include <string.h>

enum { SIZE = 128, ROUNDS = 360 };

static double left[SIZE][SIZE], right[SIZE][SIZE], product[SIZE][SIZE];

static void multiply(void)
{
    for (int row = 0; row < SIZE; row++) {
        double *restrict to = product[row];
        for (int column = 0; column < SIZE; column++)
            to[column] = 0;
        for (int k = 0; k < SIZE; k++) {
            const double factor = left[row][k], *restrict from = right[k];
            for (int column = 0; column < SIZE; column++)
                to[column] += factor * from[column];
        }
    }
}

static uint32_t work(void)
{
    uint32_t state = 7, sum = 0;
    for (int row = 0; row < SIZE; row++) {
        for (int column = 0; column < SIZE; column++) {
            left[row][column] = (next_random(&state) >> 8) / 16777216.0;
            right[row][column] = (next_random(&state) >> 8) / 16777216.0 / (SIZE / 4);
        }
    }
    for (int round = 0; round < ROUNDS; round++) {
        multiply();
        memcpy(left, product, sizeof left);
    }
    for (int row = 0; row < SIZE; row++) {
        for (int column = 0; column < SIZE; column++) {
            uint32_t words[2];
            memcpy(words, &product[row][column], sizeof words);
            sum = sum * 31 + (words[0] ^ words[1]);
        }
    }
    return sum;
}

int main(int count, char **arguments)
{
    return measure_work("sse2", work, count, arguments);
}
