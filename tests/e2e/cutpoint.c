/*
 * Stops a process at its Nth durable write, so that a test can kill it there or cut
 * the power of its whole host.
 *
 *     cutpoint before|after N -p PID        attach to a running process
 *     cutpoint before|after N -- COMMAND…   start one
 *     cutpoint count 0 …                    only count, and print the number at the end
 *
 * Counts fsync, fdatasync and syncfs of that process and all its threads, together
 * (strace's own counters are one for each thread), but not of programs it starts.
 * With CUTPOINT_FILE in the environment only those of files whose path ends so.
 * "before" stops at the call, "after" at its return. There it prints "reached" and
 * holds every thread until it is killed itself; then the kernel lets the threads go
 * on, so kill the process first. Exit code 3: the process ended before.
 */
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void fail(const char *what)
{
    perror(what);
    exit(2);
}

static void seize(pid_t thread)
{
    long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE;
    if (ptrace(PTRACE_SEIZE, thread, 0, options) < 0 && errno != ESRCH && errno != EPERM)
        fail("seize");
    ptrace(PTRACE_INTERRUPT, thread, 0, 0);
}

/* Twice over the list, for a thread born while we look. */
static void seize_all(pid_t process)
{
    char path[64];
    for (int round = 0; round < 2; round++) {
        snprintf(path, sizeof path, "/proc/%d/task", process);
        DIR *tasks = opendir(path);
        if (!tasks)
            fail(path);
        for (struct dirent *task; (task = readdir(tasks));)
            if (task->d_name[0] != '.')
                seize(atoi(task->d_name));
        closedir(tasks);
    }
}

static int durable(long number)
{
    return number == SYS_fsync || number == SYS_fdatasync || number == SYS_syncfs;
}

static int meant(pid_t process, unsigned long handle)
{
    const char *end = getenv("CUTPOINT_FILE");
    char link[64], path[4096];
    if (!end)
        return 1;
    snprintf(link, sizeof link, "/proc/%d/fd/%lu", process, handle);
    ssize_t length = readlink(link, path, sizeof path);
    size_t wanted = strlen(end);
    return length >= (ssize_t)wanted && !memcmp(path + length - wanted, end, wanted);
}

int main(int argc, char **argv)
{
    if (argc < 5)
        return fprintf(stderr, "usage: cutpoint before|after|count N -p PID | -- COMMAND...\n"), 2;
    int counting = !strcmp(argv[1], "count"), before = !strcmp(argv[1], "before");
    long wanted = atol(argv[2]), seen = 0;
    pid_t process;

    setvbuf(stdout, NULL, _IOLBF, 0);
    if (!strcmp(argv[3], "-p")) {
        process = atoi(argv[4]);
        seize_all(process);
    } else {
        int gate[2];
        char go;
        if (pipe(gate) < 0 || (process = fork()) < 0)
            fail("fork");
        if (process == 0) {
            close(gate[1]);
            if (read(gate[0], &go, 1) != 1)
                _exit(2);
            close(gate[0]);
            execvp(argv[4], argv + 4);
            _exit(127);
        }
        close(gate[0]);
        seize(process);
        if (write(gate[1], "g", 1) != 1)
            fail("write");
        close(gate[1]);
    }
    printf("watching %d\n", process);

    for (;;) {
        int status;
        pid_t thread = waitpid(-1, &status, __WALL);
        if (thread < 0)
            break;
        if (WIFEXITED(status) || WIFSIGNALED(status)) {
            if (thread != process)
                continue;
            printf("ended %d after %ld\n", WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), seen);
            return counting ? 0 : 3;
        }
        if (!WIFSTOPPED(status))
            continue;
        int signal = WSTOPSIG(status), event = status >> 16, deliver = 0;
        if (signal == (SIGTRAP | 0x80)) {
            struct __ptrace_syscall_info info;
            memset(&info, 0, sizeof info);
            ptrace(PTRACE_GET_SYSCALL_INFO, thread, sizeof info, &info);
            /* x86-64 and aarch64 alike; the number is told at entry only. */
            static struct { pid_t thread; int inside; } table[4096];
            int slot = thread % 4096, here = 0;
            if (info.op == PTRACE_SYSCALL_INFO_ENTRY) {
                table[slot].inside = durable((long)info.entry.nr) && meant(process, info.entry.args[0]);
                if (table[slot].inside) {
                    seen++;
                    here = before && seen == wanted;
                }
            } else if (info.op == PTRACE_SYSCALL_INFO_EXIT && table[slot].inside) {
                table[slot].inside = 0;
                here = !before && !counting && seen == wanted;
            }
            if (here && !counting) {
                kill(process, SIGSTOP); /* the other threads as well */
                printf("reached %ld\n", seen);
                for (;;)
                    pause();
            }
        } else if (event == PTRACE_EVENT_STOP) {
            /* A group stop, or the first stop of a new thread: go on either way. */
        } else if (!event) {
            deliver = signal;
        }
        ptrace(PTRACE_SYSCALL, thread, 0, deliver);
    }
    return 2;
}
