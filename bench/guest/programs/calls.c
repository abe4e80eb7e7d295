/*
 * What the guest's kernel takes for its services, each in nanoseconds per operation: a batch is doubled until it takes long enough, then the best of several is told.
 * Arguments: milliseconds per batch, batches, the program to execute; and perhaps the name of the only operation that is done, and how often, once.
 */
#define _GNU_SOURCE
#include "measure.h"

#include <elf.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PAGE = 4096, PAGES = 2048, FEWEST_PAGES = 256, BLOCK = 64 << 10, LONGEST = 1 << 24 };

static char *tiny;
static const char *only;
static uint32_t only_count;
static uint64_t least_time;
static int batches;

/* Does COUNT operations and tells the nanoseconds. */
typedef uint64_t operation(uint32_t count);

static void measure(const char *name, operation *run)
{
    if (only != NULL) {
        if (strcmp(only, name) == 0)
            result(name, only_count == 0 ? 0 : (double)run(only_count) / only_count, only_count);
        return;
    }
    uint32_t count = 1;
    uint64_t time = run(count);
    while (time < least_time && count < LONGEST) {
        count *= 2;
        time = run(count);
    }
    double best = (double)time / count;
    for (int i = 1; i < batches; i++) {
        double each = (double)run(count) / count;
        if (each < best)
            best = each;
    }
    result(name, best, count);
}

static uint64_t by_interrupt(uint32_t count)
{
    uint64_t begin = now();
    for (uint32_t i = 0; i < count; i++) {
        int number = SYS_getppid;
        __asm__ volatile("int $0x80" : "+a"(number) : : "memory");
    }
    return now() - begin;
}

static unsigned long kernel_entry;

/* As libc does it: a call of the entry that the kernel gave, which is SYSENTER where there is one. */
static uint64_t by_kernel_entry(uint32_t count)
{
    uint64_t begin = now();
    for (uint32_t i = 0; i < count; i++) {
        int number = SYS_getppid;
        __asm__ volatile("call *%1" : "+a"(number) : "m"(kernel_entry) : "memory", "cc");
    }
    return now() - begin;
}

/* Another process that does ITS part COUNT times, while this one does ours. */
static uint64_t with_child(uint32_t count, void (*its)(uint32_t), void (*ours)(uint32_t))
{
    uint64_t begin = now();
    pid_t child = fork();
    require(child >= 0, "fork");
    if (child == 0) {
        its(count);
        _exit(0);
    }
    ours(count);
    require(waitpid(child, NULL, 0) == child, "waitpid");
    return now() - begin;
}

static void yield(uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        sched_yield();
}

/* COUNT switches: each of two processes yields half of them. */
static uint64_t yields(uint32_t count)
{
    return with_child(count / 2 + 1, yield, yield);
}

static int there[2], back[2];

static void give(int to)
{
    char byte = 0;
    require(write(to, &byte, 1) == 1, "write");
}

static void take(int from)
{
    char byte;
    require(read(from, &byte, 1) == 1, "read");
}

static void answer(uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        take(there[0]);
        give(back[1]);
    }
}

static void ask(uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        give(there[1]);
        take(back[0]);
    }
}

/* COUNT switches: two for each byte that goes there and back. */
static uint64_t ping_pong(uint32_t count)
{
    return with_child(count / 2 + 1, answer, ask);
}

static char block[BLOCK];

static void drink(uint32_t count)
{
    for (uint64_t left = (uint64_t)count * BLOCK; left != 0;) {
        ssize_t got = read(there[0], block, BLOCK);
        require(got > 0, "read");
        left -= (uint64_t)got;
    }
}

static void pour(uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        require(write(there[1], block, BLOCK) == BLOCK, "write");
}

static uint64_t through_pipe(uint32_t count)
{
    return with_child(count, drink, pour);
}

static void nothing(uint32_t count)
{
    (void)count;
}

static uint64_t forks(uint32_t count)
{
    uint64_t begin = now();
    for (uint32_t i = 0; i < count; i++)
        with_child(0, nothing, nothing);
    return now() - begin;
}

static void become_tiny(uint32_t count)
{
    char *arguments[] = { tiny, NULL };
    (void)count;
    execve(tiny, arguments, arguments + 1);
    require(0, "execve");
}

static uint64_t programs(uint32_t count)
{
    uint64_t begin = now();
    for (uint32_t i = 0; i < count; i++)
        with_child(0, become_tiny, nothing);
    return now() - begin;
}

/* Nanoseconds for each page that was given back, at best. */
static double unmapping;

/* Touches fresh pages in areas of PAGES, and keeps apart what it takes to give them back. */
static uint64_t pages(uint32_t count)
{
    uint64_t touching = 0;
    for (uint32_t done = 0; done < count;) {
        uint32_t area = count - done < PAGES ? count - done : PAGES;
        char *fresh = mmap(NULL, area * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        require(fresh != MAP_FAILED, "mmap");
        uint64_t begin = now();
        for (uint32_t i = 0; i < area; i++)
            *(volatile char *)(fresh + i * PAGE) = 1;
        uint64_t touched = now();
        require(munmap(fresh, area * PAGE) == 0, "munmap");
        touching += touched - begin;
        double each = (double)(now() - touched) / area;
        if (area >= FEWEST_PAGES && (unmapping == 0 || each < unmapping))
            unmapping = each;
        done += area;
    }
    return touching;
}

static void on_signal(int number)
{
    (void)number;
}

static uint64_t signals(uint32_t count)
{
    pid_t self = getpid();
    uint64_t begin = now();
    for (uint32_t i = 0; i < count; i++)
        kill(self, SIGUSR1);
    return now() - begin;
}

int main(int count, char **arguments)
{
    require(count == 4 || count == 6, "three arguments or five");
    if (count == 6) {
        only = arguments[4];
        only_count = (uint32_t)atoi(arguments[5]);
    }
    least_time = (uint64_t)atoi(arguments[1]) * 1000000u;
    batches = atoi(arguments[2]);
    tiny = arguments[3];
    settle();
    kernel_entry = getauxval(AT_SYSINFO);
    require(pipe(there) == 0 && pipe(back) == 0, "pipe");
    struct sigaction action = { .sa_handler = on_signal };
    require(sigaction(SIGUSR1, &action, NULL) == 0, "sigaction");
    mark();
    measure("null-call-int80", by_interrupt);
    if (kernel_entry != 0)
        measure("null-call-entry", by_kernel_entry);
    measure("yield", yields);
    measure("pipe-ping-pong", ping_pong);
    measure("fork-exit-wait", forks);
    measure("fork-exec-exit-wait", programs);
    measure("page-touch", pages);
    if (only == NULL)
        result("page-unmap", unmapping, PAGES);
    measure("pipe-64k", through_pipe);
    measure("signal", signals);
    mark();
    return 0;
}
