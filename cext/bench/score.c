#include "score.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#define SHORTEST_GAP_MS 0.01 /* what rounding leaves is no gap */

double r_factor(double delay_ms, double bad, double burst_packets)
{
    double ta = PACKET_MS + delay_ms, p = 100 * bad;
    double burst_r = fmax(1, burst_packets * (1 - bad));
    return 93.2 - (0.024 * ta + 0.11 * fmax(ta - 177.3, 0)) - 95 * p / (p / burst_r + 25.1);
}

int score_open(score *scored, const trace *of)
{
    *scored = (score){.of = of, .count = (int)ceil(of->packets * PACKET_MS / WINDOW_MS)};
    scored->windows = calloc((size_t)scored->count + 1, sizeof *scored->windows);
    return scored->windows ? 0 : -ENOMEM;
}

static window *window_of(score *scored, double media_ms)
{
    int number = (int)(media_ms / WINDOW_MS);
    number = number < 0 ? 0 : number;
    return &scored->windows[number < scored->count ? number : scored->count - 1];
}

/* A piece that is bad counts in each window by what lies in it. */
static void add_bad(score *scored, double from_ms, double length_ms)
{
    while (length_ms > SHORTEST_GAP_MS) {
        window *here = window_of(scored, from_ms);
        double left_ms = (double)(here - scored->windows + 1) * WINDOW_MS - from_ms;
        double part_ms = left_ms > SHORTEST_GAP_MS && left_ms < length_ms ? left_ms : length_ms;
        here->bad_ms += part_ms;
        here->bursts += part_ms >= PACKET_MS / 2; /* a shorter one is a rest of another */
        from_ms += part_ms;
        length_ms -= part_ms;
    }
}

/* Between media that ended and media that begins: what is missing and what was made up stand for each other. */
static void add_gap(score *scored, double begins_ms)
{
    add_bad(scored, scored->end_ms, fmax(scored->hidden_ms, begins_ms - scored->end_ms));
    scored->hidden_ms = 0;
}

/* When the sender took up what stands at this place of the media. */
static double sent_ms(const trace *of, double media_ms)
{
    int packet = (int)(media_ms / PACKET_MS);
    packet = packet < 0 ? 0 : packet < of->packets ? packet : of->packets - 1;
    return of->sent_ms[packet] + media_ms - packet * PACKET_MS;
}

void score_add(score *scored, double now_ms, const played *heard)
{
    int is_over = scored->end_ms > scored->of->packets * PACKET_MS - SHORTEST_GAP_MS;
    if (is_over || (!scored->is_started && heard->length_ms <= 0))
        return;
    if (heard->length_ms > 0) {
        if (!scored->is_started)
            scored->end_ms = 0; /* what came before its first packet counts as skipped */
        scored->hidden_ms += scored->is_started ? heard->concealed_ms : 0;
        scored->is_started = 1;
        add_gap(scored, heard->media_ms);
        window *here = window_of(scored, heard->media_ms);
        double begins_ms = now_ms + heard->concealed_ms;
        here->delay_ms += (begins_ms - sent_ms(scored->of, heard->media_ms)) * heard->length_ms;
        here->media_ms += heard->length_ms;
        scored->end_ms = fmax(scored->end_ms, heard->media_ms + heard->length_ms);
        scored->hidden_ms += heard->after_ms;
    } else {
        scored->hidden_ms += heard->concealed_ms + heard->after_ms;
    }
}

/* Packets that the network lost, of those of a window, and of all. */
static double lost_of(const trace *of, int number)
{
    int first = (int)(number * WINDOW_MS / PACKET_MS), end = (int)((number + 1) * WINDOW_MS / PACKET_MS), lost = 0;
    end = end < of->packets ? end : of->packets;
    for (int n = first; n < end; n++)
        lost += !isfinite(of->arrived_ms[n]);
    return lost * PACKET_MS;
}

static double lost_by_network(const trace *of)
{
    return 1 - (double)of->arriving / of->packets;
}

result score_close(score *scored)
{
    result sum = {0};
    scored->hidden_ms = 0; /* after the last packet nobody listens */
    add_gap(scored, scored->of->packets * PACKET_MS);
    double delay_ms = 0, media_ms = 0, bad_ms = 0;
    for (int i = 0; i < scored->count; i++) {
        const window *here = &scored->windows[i];
        double all_ms = fmin(WINDOW_MS, scored->of->packets * PACKET_MS - i * WINDOW_MS);
        double bad = fmin(1, fmax(here->bad_ms, lost_of(scored->of, i)) / all_ms), mean_ms = here->media_ms > 0 ? here->delay_ms / here->media_ms : 0;
        double burst = here->bursts > 0 ? here->bad_ms / here->bursts / PACKET_MS : 1;
        sum.r += r_factor(mean_ms, bad, burst) / scored->count;
        delay_ms += here->delay_ms;
        media_ms += here->media_ms;
        bad_ms += here->bad_ms;
    }
    sum.delay_ms = media_ms > 0 ? delay_ms / media_ms : 0;
    sum.bad_pct = 100 * bad_ms / (scored->of->packets * PACKET_MS);
    sum.lost_pct = 100 * lost_by_network(scored->of);
    free(scored->windows);
    scored->windows = NULL;
    return sum;
}
