/* A kernel of a few lines with debug information: what a debugger is for. */

static unsigned char stack[4096];

volatile int counter;
volatile int rounds;
#ifndef WAIT
#define WAIT 0
#endif

volatile int wait = WAIT;
volatile double ratio = 1.5;

__asm__(
    ".globl start\n"
    "start:\n"
    "    mov $stack + 4096, %esp\n"
    "    call kernel\n"
    "1:  cli\n"
    "    hlt\n"
    "    jmp 1b\n");

int add(int a, int b)
{
    int sum = a + b;
    return sum;
}

void finish(int code)
{
    __asm__ volatile("outb %%al, $0xF4" : : "a"(code));
}

void kernel(void)
{
    (void)stack;
    while (wait)
        rounds++;
    for (int i = 0; i < 5; i++)
        counter = add(counter, i);
    ratio = ratio * 2;
    finish(counter);
}
