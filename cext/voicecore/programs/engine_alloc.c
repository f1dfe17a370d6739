/* What the engine allocates: nothing while it works; and each allocation of its opening fails once, which is an error and
   leaves nothing. JSON on the last line. */
#include <errno.h>
#include <stdio.h>

#include "allocations.h"
#include "lines.h"

#define TICKS 200
#define MOST_FAILS 100

/* How many allocations opening makes, each of which has failed; -1: one failed in another way than it should. */
static long fail_each(void)
{
    for (long number = 1; number < MOST_FAILS; number++) {
        vc_engine *engine;
        long before = unfreed;
        fails_at = number;
        int refused = vc_engine_open(&engine, LINES, 100, 2);
        long left_to_fail = fails_at;
        fails_at = 0;
        vc_engine_close(engine);
        if (left_to_fail > 0) /* there were fewer */
            return refused || unfreed != before ? -1 : number - 1;
        if ((refused != -ENOMEM && refused != -EAGAIN) || engine || unfreed != before)
            return -1;
    }
    return -1;
}

int main(void)
{
    lines all;
    vc_engine *first;
    if (vc_engine_open(&first, 1, 100, 2)) /* its thread leaves its stack to the next one: that is libc's, not ours */
        return 1;
    vc_engine_close(first);
    long failed_opens = fail_each(), before = unfreed;
    int failed = lines_open(&all);
    failed = failed ? failed : lines_start(&all);
    long counted = allocations;
    for (int tick = 0; !failed && tick < TICKS; tick++)
        failed = lines_tick(&all);
    counted = allocations - counted;
    failed = failed ? failed : lines_stop(&all);
    if (all.engine)
        lines_close(&all);
    printf("{\"failed\": %d, \"failed_opens\": %ld, \"allocations\": %ld, \"blocks\": %ld, \"events\": %ld, "
           "\"left\": %ld}\n", failed, failed_opens, counted, all.blocks, all.events, (long)unfreed - before);
    return failed != 0;
}
