// A library to preload into ClickHouse: makes one rename of a freshly inserted part fail with EIO, or kills the process
// there. ClickHouse has noted the insert's deduplication token by then, and the part does not exist yet.
//
// The file that RENAME_FAULT names arms it: "eio 1 PATH" or "kill 1 PATH", where PATH is contained in the part's new path
// and the number says which rename under PATH is meant, from 1. The file is removed when the fault happens, so that it
// happens once. Without the file everything is as usual.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// Whether `path` is a directory that an insert is writing, as ClickHouse names it until the part is in place.
static int is_part_under_way(const char *path) {
    size_t length = strlen(path);
    while (length > 0 && path[length - 1] == '/') length--;
    while (length > 0 && path[length - 1] != '/') length--;
    return strncmp(path + length, "tmp_insert_", 11) == 0;
}

// Renames are rare, so the file is looked for at each of them. Returns 'e' for EIO, 'k' for a kill, else 0.
static char armed_fault(const char *new_path) {
    const char *trigger = getenv("RENAME_FAULT");
    FILE *file = trigger == NULL ? NULL : fopen(trigger, "r");
    if (file == NULL) return 0;
    char action[8] = "", wanted[4096] = "";
    unsigned nth = 0;
    int fields = fscanf(file, "%7s %u %4095s", action, &nth, wanted);
    fclose(file);
    if (fields != 3 || strstr(new_path, wanted) == NULL) return 0;
    static char counted_for[4096];
    static unsigned seen;
    if (strcmp(counted_for, wanted) != 0) {
        strcpy(counted_for, wanted);
        seen = 0;
    }
    if (__sync_add_and_fetch(&seen, 1) < nth) return 0;
    // Whoever removes the file has the fault; two renames at once do not both get it.
    if (unlink(trigger) != 0) return 0;
    counted_for[0] = '\0';
    return action[0];
}

int rename(const char *old_path, const char *new_path) {
    static int (*next)(const char *, const char *);
    if (next == NULL) next = (int (*)(const char *, const char *))dlsym(RTLD_NEXT, "rename");
    if (is_part_under_way(old_path)) {
        char fault = armed_fault(new_path);
        if (fault == 'k') kill(getpid(), SIGKILL);
        if (fault == 'e') {
            errno = EIO;
            return -1;
        }
    }
    return next(old_path, new_path);
}
