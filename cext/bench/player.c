#include "player.h"

#include <stdlib.h>

result play_trace(const player *with, const trace *of, double phase_ms)
{
    score scored;
    void *self = with->open();
    if (!self || score_open(&scored, of))
        abort();
    double end_ms = of->sent_ms[of->packets - 1] + 2000;
    int next = 0;
    for (long tick = 0; (double)tick * with->tick_ms + phase_ms < end_ms; tick++) {
        double now_ms = (double)tick * with->tick_ms + phase_ms;
        for (; next < of->arriving && of->arrived_ms[of->order[next]] <= now_ms; next++)
            with->put(self, of->order[next], of->arrived_ms[of->order[next]]);
        played heard = {0};
        with->get(self, now_ms, &heard);
        score_add(&scored, now_ms, &heard);
    }
    with->close(self);
    return score_close(&scored);
}
