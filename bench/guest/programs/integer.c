/* Integer arithmetic within the first-level cache: a sieve, a cyclic redundancy check, a multiplying hash, and counting bits. */
#include "measure.h"

#include <string.h>

enum { LIMIT = 160000, BUFFER = 16384, ROUNDS = 560 };

static uint8_t composite[LIMIT / 8];
static uint8_t buffer[BUFFER];
static uint32_t remainders[256];

static uint32_t count_primes(void)
{
    uint32_t primes = 0;
    memset(composite, 0, sizeof composite);
    for (uint32_t n = 2; n < LIMIT; n++) {
        if (composite[n >> 3] >> (n & 7) & 1)
            continue;
        primes++;
        for (uint32_t multiple = n * 2; multiple < LIMIT; multiple += n)
            composite[multiple >> 3] |= (uint8_t)(1u << (multiple & 7));
    }
    return primes;
}

static void prepare_remainders(void)
{
    for (uint32_t byte = 0; byte < 256; byte++) {
        uint32_t remainder = byte;
        for (int bit = 0; bit < 8; bit++)
            remainder = remainder & 1 ? remainder >> 1 ^ 0xEDB88320u : remainder >> 1;
        remainders[byte] = remainder;
    }
}

static uint32_t redundancy(void)
{
    uint32_t remainder = ~0u;
    for (int i = 0; i < BUFFER; i++)
        remainder = remainder >> 8 ^ remainders[(remainder ^ buffer[i]) & 0xFF];
    return ~remainder;
}

static uint64_t hash(uint64_t seed)
{
    for (int i = 0; i < BUFFER; i += 4) {
        uint32_t word;
        memcpy(&word, buffer + i, sizeof word);
        seed = (seed ^ word) * 0x9E3779B97F4A7C15u;
        seed ^= seed >> 29;
    }
    return seed;
}

static uint32_t count_bits(void)
{
    uint32_t bits = 0;
    for (int i = 0; i < BUFFER; i++)
        for (uint32_t rest = buffer[i]; rest != 0; rest &= rest - 1)
            bits++;
    return bits;
}

static uint32_t work(void)
{
    uint32_t state = 1, sum = 0;
    prepare_remainders();
    for (int i = 0; i < BUFFER; i++)
        buffer[i] = (uint8_t)next_random(&state);
    for (int round = 0; round < ROUNDS; round++) {
        uint64_t mixed = hash(sum);
        sum = sum * 31 + count_primes();
        sum = sum * 31 + redundancy();
        sum = sum * 31 + (uint32_t)(mixed ^ mixed >> 32);
        sum = sum * 31 + count_bits();
        buffer[round % BUFFER] ^= (uint8_t)sum;
    }
    return sum;
}

int main(int count, char **arguments)
{
    return measure_work("integer", work, count, arguments);
}
