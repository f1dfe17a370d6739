/* Counts the allocations that the audio path makes. This program's malloc comes before libc's, for everything in it. */
#include <stdio.h>
#include <stdlib.h>

#include "everything.h"

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);
void __libc_free(void *old);

static volatile long calls;

void *malloc(size_t size)
{
    calls++;
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    calls++;
    return __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
    calls++;
    return __libc_realloc(old, size);
}

void free(void *old)
{
    calls++;
    __libc_free(old);
}

static everything all;

int main(void)
{
    int16_t block[VC_BLOCK];
    if (everything_init(&all))
        return 1;
    calls = 0;
    void *volatile kept = malloc(100);
    free(kept);
    long control = calls;
    calls = 0;
    long events = 0;
    for (int tick = 0; tick < 3000; tick++) {
        everything_signal(&all, tick, block);
        events += everything_tick(&all, block);
    }
    long counted = calls;
    printf("{\"allocations\": %ld, \"control\": %ld, \"events\": %ld}\n", counted, control, events);
    return 0;
}
