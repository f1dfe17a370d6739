/* The engine at work with all kinds of jobs, started and stopped again and again: for the sanitizers, of threads above all.
   JSON on the last line. */
#include <stdio.h>

#include "lines.h"

#define ROUNDS 5
#define TICKS 60

int main(void)
{
    lines all;
    int failed = lines_open(&all);
    for (int round = 0; !failed && round < ROUNDS; round++) {
        failed = lines_start(&all);
        for (int tick = 0; !failed && tick < TICKS; tick++)
            failed = lines_tick(&all);
        failed = failed ? failed : lines_stop(&all);
    }
    printf("{\"failed\": %d, \"blocks\": %ld, \"events\": %ld, \"recorded\": %ld}\n", failed, all.blocks, all.events,
           all.recorded);
    if (all.engine)
        lines_close(&all);
    return failed != 0;
}
