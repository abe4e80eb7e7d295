/* The first and only process of a Linux guest: does what processes and their debuggers do to a processor, and says what came of it, a line each.
   Freestanding: gcc -m32 -ffreestanding -nostdlib -static. Nothing that it prints depends on time. */

typedef unsigned int u32;
typedef unsigned short u16;
typedef unsigned char u8;

enum { sys_exit = 1, sys_fork = 2, sys_read = 3, sys_write = 4, sys_open = 5, sys_close = 6, sys_getpid = 20, sys_mount = 21, sys_ptrace = 26, sys_kill = 37, sys_mkdir = 39, sys_ioctl = 54,
       sys_reboot = 88, sys_munmap = 91, sys_ftruncate = 93, sys_iopl = 110, sys_wait4 = 114, sys_modify_ldt = 123, sys_mprotect = 125, sys_sched_yield = 158,
       sys_mremap = 163, sys_rt_sigaction = 174, sys_mmap2 = 192, sys_set_thread_area = 243, sys_memfd_create = 356 };
enum { SIGTRAP = 5, SIGFPE = 8, SIGUSR1 = 10, SIGSEGV = 11, SIGILL = 4, SIGSTOP = 19, SIGKILL = 9 };
enum { READ = 1, WRITE = 2, EXEC = 4, SHARED = 1, PRIVATE = 2, ANONYMOUS = 0x20, PAGE = 4096 };

static int sys6(int n, u32 a, u32 b, u32 c, u32 d, u32 e, u32 f)
{
    int result;
    u32 last = f;
    asm volatile("push %%ebp\n\tmov %1, %%ebp\n\tmov (%%ebp), %%ebp\n\tint $0x80\n\tpop %%ebp" : "=a"(result) : "r"(&last), "0"(n), "b"(a), "c"(b), "d"(c), "S"(d) , "D"(e) : "memory");
    return result;
}
#define sys(n, a, b, c, d) ({ int r_; asm volatile("int $0x80" : "=a"(r_) : "0"(n), "b"(a), "c"(b), "d"(c), "S"(d) : "memory"); r_; })

static void text(const char *s)
{
    int n = 0;
    while (s[n])
        n++;
    sys(sys_write, 1, s, n, 0);
}

static void hex(u32 v)
{
    char s[10];
    for (int i = 0; i < 8; i++)
        s[i] = "0123456789abcdef"[v >> (28 - 4 * i) & 15];
    s[8] = 0;
    text(s);
}

static void line(const char *name, u32 value)
{
    text(name);
    text(" ");
    hex(value);
    text("\n");
}

static u8 *map(u32 length, u32 rights, u32 flags, int file)
{
    return (u8 *)sys6(sys_mmap2, 0, length, rights, flags, (u32)file, 0);
}

/* Signals: the frame begins with the number and, by value, the context. */
struct context { u32 gs, fs, es, ds, edi, esi, ebp, esp, ebx, edx, ecx, eax, trap, error, eip, cs, eflags, esp_at_signal, ss; };
struct action { void *handler; u32 flags; void *restorer; u32 mask[2]; };
static volatile u32 signals, last_trap, last_error, skip, steps_left, heal;

static void on_signal(int number, volatile struct context c)
{
    signals++;
    last_trap = c.trap;
    last_error = c.error;
    if (number == SIGSEGV && heal)
        sys(sys_mprotect, heal, PAGE, READ | WRITE, 0);
    else
        c.eip += skip;
    if (number == SIGTRAP && steps_left && --steps_left == 0)
        c.eflags &= ~0x100u;
}

static void catch(int number)
{
    struct action a = { on_signal, 0x40000000 /* SA_NODEFER */, 0, { 0, 0 } };
    sys(sys_rt_sigaction, number, &a, 0, 8);
}

static u32 entry_point;

static void check_calls(void)
{
    int pid;
    asm volatile("call *%1" : "=a"(pid) : "m"(entry_point), "0"(sys_getpid) : "memory");
    line("sysenter", pid);
    line("int80", sys(sys_getpid, 0, 0, 0, 0));
    u32 sum = 0;
    for (int i = 0; i < 20000; i++)
    {
        asm volatile("call *%1" : "=a"(pid) : "m"(entry_point), "0"(sys_getpid) : "memory");
        sum += pid;
    }
    line("calls", sum);
}

struct descriptor { u32 number, base, limit, flags; };

static void check_segments(void)
{
    u8 *area = map(2 * PAGE, READ | WRITE, PRIVATE | ANONYMOUS, -1);
    struct descriptor d = { (u32)-1, (u32)area + PAGE, 0xFFFFF, 0x51 };
    line("thread area", sys(sys_set_thread_area, &d, 0, 0, 0));
    *(u32 *)(area + PAGE - 8) = 0x7157A11E;
    u32 value;
    asm volatile("mov %1, %%gs\n\tmovl %%gs:-8, %0" : "=r"(value) : "r"(d.number * 8 + 3));
    line("gs:-8", value);

    /* Data segment of one page, and what lies behind it. */
    struct descriptor small = { 0, (u32)area, 0xFFF, 0x41 };
    line("modify_ldt", sys(sys_modify_ldt, 1, &small, sizeof small, 0));
    asm volatile("mov %1, %%fs\n\tmovl %%fs:4088, %0" : "=r"(value) : "r"(7));
    line("fs:4088", value);
    signals = 0;
    skip = 7;
    asm volatile("movl $1, %%fs:(%0)" :: "r"(4094) : "memory");
    skip = 0;
    line("beyond", signals);
    u32 lar, lsl;
    asm volatile("lar %2, %0\n\tlsl %2, %1" : "=&r"(lar), "=&r"(lsl) : "r"(7));
    line("lar", lar);
    line("lsl", lsl);
    u8 readable, writable;
    asm volatile("verr %w2\n\tsetz %0\n\tverw %w2\n\tsetz %1" : "=&q"(readable), "=&q"(writable) : "r"(7));
    line("verr verw", readable | writable << 8);
    u16 cs;
    asm volatile("mov %%cs, %0" : "=r"(cs));
    asm volatile("lar %1, %0" : "=r"(lar) : "r"((u32)cs));
    line("lar cs", lar);
    asm volatile("verw %w1\n\tsetz %0" : "=q"(writable) : "r"(cs));
    line("verw cs", writable);

    /* Sixteen-bit code, long enough to be interrupted: mov ecx,3000000; dec ecx; jnz; mov ax,1234h; retfd */
    static const u8 narrow[] = { 0x66, 0xB9, 0xC0, 0xC6, 0x2D, 0x00, 0x66, 0x49, 0x75, 0xFC, 0xB8, 0x34, 0x12, 0x66, 0xCB };
    u8 *code = map(PAGE, READ | WRITE | EXEC, PRIVATE | ANONYMOUS, -1);
    for (u32 i = 0; i < sizeof narrow; i++)
        code[i] = narrow[i];
    struct descriptor half = { 1, (u32)code, 0xFFFF, 0x44 };
    sys(sys_modify_ldt, 1, &half, sizeof half, 0);
    struct { u32 offset; u16 selector; } far = { 0, 15 };
    asm volatile("lcall *%1" : "=a"(value) : "m"(far), "0"(0) : "ecx", "memory", "cc");
    line("16 bits", value);
    asm volatile("mov %0, %%fs" :: "r"(0));
}

static void check_traps(void)
{
    signals = 0;
    asm volatile("int3\n\tint3");
    line("int3", signals | last_trap << 8);
    signals = 0;
    steps_left = 20;
    asm volatile("pushf\n\torl $0x100, (%%esp)\n\tpopf\n\tmov $100, %%ecx\n1:\tdec %%ecx\n\tjnz 1b" ::: "ecx", "cc", "memory");
    line("steps", signals | last_trap << 8);
    static const struct { const char *name; u8 code[4]; int length; } privileged[] = {
        { "cli", { 0xFA }, 1 }, { "hlt", { 0xF4 }, 1 }, { "in", { 0xE4, 0x80 }, 2 }, { "mov cr0", { 0x0F, 0x20, 0xC0 }, 3 }, { "ud2", { 0x0F, 0x0B }, 2 },
        { "lidt", { 0x0F, 0x01, 0x18 }, 3 }, { "int 20h", { 0xCD, 0x20 }, 2 }, { "into", { 0xCE }, 0 }, { "wrmsr", { 0x0F, 0x30 }, 2 } };
    u8 *code = map(PAGE, READ | WRITE | EXEC, PRIVATE | ANONYMOUS, -1);
    for (u32 i = 0; i < sizeof privileged / sizeof *privileged; i++)
    {
        int length = privileged[i].length;
        for (int b = 0; b < 4; b++)
            code[b] = b < length ? privileged[i].code[b] : 0xC3;
        code[length] = 0xC3;
        if (!length)
            continue;
        signals = last_trap = last_error = 0;
        skip = length;
        asm volatile("call *%0" :: "r"(code) : "eax", "ecx", "edx", "memory", "cc");
        skip = 0;
        text(privileged[i].name);
        line("", signals << 24 | last_trap << 16 | last_error);
    }

    u32 before, after;
    asm volatile("pushf\n\tpop %0\n\tpush %0\n\txorl $0x3200, (%%esp)\n\tpopf\n\tpushf\n\tpop %1" : "=&r"(before), "=&r"(after) :: "cc", "memory");
    line("flags kept", (before ^ after) & 0x3200);
    line("if iopl", after & 0x3200);
    line("iopl", sys(sys_iopl, 3, 0, 0, 0));
    signals = 0;
    u8 seen;
    asm volatile("in $0x80, %0" : "=a"(seen));
    line("in with iopl", signals);
    sys(sys_iopl, 0, 0, 0, 0);
    u16 msw, tr, ldt;
    struct { u16 limit; u32 base; } __attribute__((packed)) gdt, idt;
    asm volatile("smsw %0\n\tstr %1\n\tsldt %2\n\tsgdt %3\n\tsidt %4" : "=r"(msw), "=r"(tr), "=r"(ldt), "=m"(gdt), "=m"(idt));
    line("smsw", msw);
    line("str", tr);
    line("sldt", ldt != 0);
    line("gdt limit", gdt.limit);
    line("idt limit", idt.limit);
    signals = 0;
    skip = 2;
    volatile int zero = 0;
    asm volatile("cltd\n\tdiv %1" :: "a"(1), "c"(zero) : "edx", "cc");
    skip = 0;
    line("div", signals << 8 | last_trap);
}

static void check_memory(void)
{
    /* Copy on write, in every child anew. */
    u8 *pages = map(64 * PAGE, READ | WRITE, PRIVATE | ANONYMOUS, -1);
    for (int i = 0; i < 64; i++)
        pages[i * PAGE] = i;
    u32 sum = 0;
    for (int child = 0; child < 40; child++)
    {
        int pid = sys(sys_fork, 0, 0, 0, 0);
        if (pid == 0)
        {
            u32 own = 0;
            for (int i = 0; i < 64; i++)
                own += pages[i * PAGE] += child;
            sys(sys_exit, own & 0x7F, 0, 0, 0);
        }
        u32 status = 0;
        sys(sys_wait4, pid, &status, 0, 0);
        sum += status >> 8;
    }
    for (int i = 0; i < 64; i++)
        sum += pages[i * PAGE] << 8;
    line("copies", sum);

    signals = 0;
    for (int round = 0; round < 8; round++)
    {
        sys(sys_mprotect, pages, 64 * PAGE, READ, 0);
        for (int i = 0; i < 64; i++)
        {
            heal = (u32)pages + i * PAGE;
            *(volatile u32 *)(pages + i * PAGE + 8) = i;
        }
    }
    heal = 0;
    line("protected", signals);
    sum = 0;
    for (int i = 0; i < 200; i++)
    {
        u8 *one = map(16 * PAGE, READ | WRITE, PRIVATE | ANONYMOUS, -1);
        *(u32 *)one = i;
        *(u32 *)(one + 15 * PAGE) = i * 3;
        one = (u8 *)sys(sys_mremap, one, 16 * PAGE, 32 * PAGE, 1);
        sum += *(u32 *)one + *(u32 *)(one + 15 * PAGE) + *(u32 *)(one + 31 * PAGE);
        sys(sys_munmap, one, 32 * PAGE, 0, 0);
    }
    line("maps", sum);
}

static void check_code(void)
{
    /* mov eax, imm; ret: rewritten and run, on the heap, on the stack, and through a second mapping. */
    u8 *heap = map(PAGE, READ | WRITE | EXEC, PRIVATE | ANONYMOUS, -1);
    u8 stack[16];
    sys(sys_mprotect, (u32)stack & ~(PAGE - 1), 2 * PAGE, READ | WRITE | EXEC, 0);
    int file = sys(sys_memfd_create, "code", 0, 0, 0);
    sys(sys_ftruncate, file, PAGE, 0, 0);
    u8 *writable = map(PAGE, READ | WRITE, SHARED, file);
    u8 *executable = map(PAGE, READ | EXEC, SHARED, file);
    u32 sum = 0;
    for (u32 i = 0; i < 500; i++)
    {
        u8 *places[3][2] = { { heap, heap }, { stack, stack }, { writable, executable } };
        for (int p = 0; p < 3; p++)
        {
            u8 *w = places[p][0];
            w[0] = 0xB8;
            *(u32 *)(w + 1) = i + p;
            w[5] = 0xC3;
            u32 got;
            asm volatile("call *%1" : "=a"(got) : "r"(places[p][1]) : "memory");
            sum += got;
        }
    }
    line("code", sum);
}

static double series(int n, int yields)
{
    volatile double s = 0; /* rounded at every step, whether or not there is a call */
    for (int k = 1; k < n; k++)
    {
        s += 1.0 / ((double)k * k);
        if (yields && k % 50 == 0)
            sys(sys_sched_yield, 0, 0, 0, 0);
    }
    return s;
}

static void check_units(void)
{
    /* Three processes that compute and give way to each other: x87, and MMX in one of them. */
    int child[2];
    for (int i = 0; i < 2; i++)
    {
        child[i] = sys(sys_fork, 0, 0, 0, 0);
        if (child[i])
            continue;
        if (i == 0)
        {
            u32 low = 0;
            for (int k = 0; k < 400; k++)
            {
                asm volatile("movd %1, %%mm0\n\tpaddd %%mm0, %%mm0\n\tmovd %%mm0, %0\n\temms" : "=r"(low) : "r"(low + 1));
                sys(sys_sched_yield, 0, 0, 0, 0);
            }
            sys(sys_exit, low >> 3 & 0x7F, 0, 0, 0);
        }
        double s = series(3000 + i, 1);
        sys(sys_exit, ((u32 *)&s)[0] >> 8 & 0x7F, 0, 0, 0);
    }
    double mine = series(3000, 1), plain = series(3000, 0);
    u32 results = 0, status;
    for (int i = 0; i < 2; i++)
    {
        sys(sys_wait4, child[i], &status, 0, 0);
        results = results << 8 | status >> 8;
    }
    line("unit", mine == plain ? ((u32 *)&mine)[1] : 0);
    line("low half", ((u32 *)&mine)[0]);
    line("children", results);
}

static volatile u32 watched;

static void check_debugger(void)
{
    /* A child that is stepped through its life, then one with a watchpoint and a breakpoint in the debug registers. */
    u32 status;
    int pid = sys(sys_fork, 0, 0, 0, 0);
    if (pid == 0)
    {
        sys(sys_ptrace, 0, 0, 0, 0);
        sys(sys_kill, sys(sys_getpid, 0, 0, 0, 0), SIGSTOP, 0, 0);
        asm volatile("mov $300, %%ecx\n1:\tpushf\n\tpopf\n\tmov %%ds, %%eax\n\tdec %%ecx\n\tjnz 1b\n\tmov $1, %%eax\n\txor %%ebx, %%ebx\n\tint $0x80" ::: "eax", "ebx", "ecx", "memory");
    }
    sys(sys_wait4, pid, &status, 0, 0);
    u32 steps = 0;
    while ((status & 0xFF) == 0x7F)
    {
        sys(sys_ptrace, 9, pid, 0, 0);
        sys(sys_wait4, pid, &status, 0, 0);
        steps++;
    }
    line("stepped", steps);
    pid = sys(sys_fork, 0, 0, 0, 0);
    if (pid == 0)
    {
        sys(sys_ptrace, 0, 0, 0, 0);
        sys(sys_kill, sys(sys_getpid, 0, 0, 0, 0), SIGSTOP, 0, 0);
        for (int i = 0; i < 10; i++)
            watched = i;
        sys(sys_exit, watched, 0, 0, 0);
    }
    sys(sys_wait4, pid, &status, 0, 0);
    line("dr0", sys(sys_ptrace, 6, pid, 252, &watched));
    line("dr7", sys(sys_ptrace, 6, pid, 252 + 28, 0x000D0001));
    u32 hits = 0;
    sys(sys_ptrace, 7, pid, 0, 0);
    sys(sys_wait4, pid, &status, 0, 0);
    while ((status & 0xFF) == 0x7F)
    {
        hits++;
        sys(sys_ptrace, 7, pid, 0, 0);
        sys(sys_wait4, pid, &status, 0, 0);
    }
    line("watch", hits);
    line("status", status);
}

static int put(const char *path, const char *what)
{
    int n = 0;
    while (what[n])
        n++;
    int file = sys(sys_open, path, 1 | 02000, 0, 0);
    if (file < 0)
        return file;
    int result = sys(sys_write, file, what, n, 0);
    sys(sys_close, file, 0, 0, 0);
    return result;
}

static void check_probes(void)
{
    /* kprobes: an INT3 in the kernel's own text, soon optimised into a jump; taken away again. */
    sys(sys_mkdir, "/t", 0755, 0, 0);
    line("tracefs", sys6(sys_mount, (u32) "t", (u32) "/t", (u32) "tracefs", 0, 0, 0));
    line("kprobe", put("/t/kprobe_events", "p:here do_sys_openat2+5\n"));
    line("kretprobe", put("/t/kprobe_events", "r:back do_sys_openat2\n"));
    put("/t/events/kprobes/here/enable", "1");
    put("/t/events/kprobes/back/enable", "1");
    for (int i = 0; i < 300; i++)
        sys(sys_open, "/absent", 0, 0, 0);
    put("/t/events/kprobes/here/enable", "0");
    put("/t/events/kprobes/back/enable", "0");
    char buffer[512];
    int file = sys(sys_open, "/t/kprobe_profile", 0, 0, 0);
    int n = sys(sys_read, file, buffer, 500, 0);
    sys(sys_close, file, 0, 0, 0);
    if (n > 0)
        sys(sys_write, 1, buffer, n, 0);
    line("unprobe", put("/t/kprobe_events", "-:here\n"));
    /* The function tracer rewrites tens of thousands of call sites, twice. */
    line("filter", put("/t/set_ftrace_filter", "vfs_*\n"));
    line("tracer", put("/t/current_tracer", "function\n"));
    sys(sys_open, "/absent", 0, 0, 0);
    line("no tracer", put("/t/current_tracer", "nop\n"));
}

__attribute__((used)) static void run(u32 *stack)
{
    u32 *at = stack + 1 + stack[0] + 1;
    while (*at)
        at++;
    for (at++; at[0]; at += 2)
    {
        if (at[0] == 32)
            entry_point = at[1];
    }
    catch(SIGTRAP);
    catch(SIGSEGV);
    catch(SIGILL);
    catch(SIGFPE);
    catch(SIGUSR1);
    text("BEGIN\n");
    check_calls();
    signals = 0;
    sys(sys_kill, 1, SIGUSR1, 0, 0);
    line("signal", signals);
    check_segments();
    check_traps();
    check_memory();
    check_code();
    check_units();
    check_debugger();
    check_probes();
    text("END\n");
    sys(sys_ioctl, 1, 0x5409, 1, 0); /* Everything is sent before the machine goes down. */
    sys(sys_reboot, 0xFEE1DEAD, 672274793, 0x01234567, 0);
    for (;;)
        ;
}

asm(".globl _start\n_start:\n\tmov %esp, %eax\n\tpush %eax\n\tcall run");
