/* Counts the allocations that the audio path makes. */
#include <stdio.h>
#include <stdlib.h>

#include "allocations.h"
#include "everything.h"

static everything all;

int main(void)
{
    int16_t block[VC_BLOCK];
    if (everything_init(&all))
        return 1;
    allocations = 0;
    void *volatile kept = malloc(100);
    free(kept);
    long control = allocations;
    allocations = 0;
    long events = 0;
    for (int tick = 0; tick < 3000; tick++) {
        everything_signal(&all, tick, block);
        events += everything_tick(&all, block);
    }
    long counted = allocations;
    printf("{\"allocations\": %ld, \"control\": %ld, \"events\": %ld}\n", counted, control, events);
    return 0;
}
