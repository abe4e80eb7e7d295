/* Floating point on the x87 unit: bodies that attract one another, in steps of velocity and place. */
#include "measure.h"

#include <string.h>

enum { BODIES = 6, STEPS = 1500000 };

struct body {
    double place[3], velocity[3], mass;
};

static struct body bodies[BODIES];

static void prepare(void)
{
    for (int i = 0; i < BODIES; i++) {
        bodies[i].mass = i == 0 ? 40 : 0.01 * i;
        for (int axis = 0; axis < 3; axis++) {
            bodies[i].place[axis] = i * (axis == 0 ? 4.0 : axis == 1 ? -2.5 : 0.25);
            bodies[i].velocity[axis] = i == 0 ? 0 : (axis == 1 ? 2.0 : 0.5) / i;
        }
    }
}

static void step(double time)
{
    for (int i = 0; i < BODIES; i++) {
        for (int k = i + 1; k < BODIES; k++) {
            double apart[3], square = 0;
            for (int axis = 0; axis < 3; axis++) {
                apart[axis] = bodies[i].place[axis] - bodies[k].place[axis];
                square += apart[axis] * apart[axis];
            }
            double pull = time / (square * __builtin_sqrt(square));
            for (int axis = 0; axis < 3; axis++) {
                bodies[i].velocity[axis] -= apart[axis] * bodies[k].mass * pull;
                bodies[k].velocity[axis] += apart[axis] * bodies[i].mass * pull;
            }
        }
    }
    for (int i = 0; i < BODIES; i++)
        for (int axis = 0; axis < 3; axis++)
            bodies[i].place[axis] += bodies[i].velocity[axis] * time;
}

static uint32_t work(void)
{
    uint32_t sum = 0, words[sizeof bodies / 4];
    prepare();
    for (int i = 0; i < STEPS; i++)
        step(0.001);
    memcpy(words, bodies, sizeof bodies);
    for (unsigned i = 0; i < sizeof bodies / 4; i++)
        sum = sum * 31 + words[i];
    return sum;
}

int main(int count, char **arguments)
{
    return measure_work("x87", work, count, arguments);
}
