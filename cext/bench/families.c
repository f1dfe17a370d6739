#include "families.h"

#include <math.h>

#include "random.h"

#define APART_MS 0.08 /* two packets of a queue that does not let them overtake */

const char *const FAMILY_NAMES[FAMILIES] = {"lan",      "gauss5",   "gauss15", "pareto", "step60", "drift+200",
                                            "drift-200", "gilbert3", "reorder", "wifi",   "bloat",  "branch"};

/* A network that is asked packet by packet. What a family does not use stays zero. */
typedef struct {
    randoms random;
    double scale;
    double last_ms; /* when the packet before left the queue */
    double queue_ms, until_ms, stalled_ms;
    int is_on, is_bad;
} network;

/* No earlier than `apart` after the packet before. */
static double in_turn(network *net, double arrives_ms, double apart_ms)
{
    net->last_ms = arrives_ms > net->last_ms + apart_ms ? arrives_ms : net->last_ms + apart_ms;
    return net->last_ms;
}

/* Gilbert: in the bad state all is lost; `burst` packets on the average, `part` of all. */
static int is_lost(network *net, double part, double burst)
{
    double leave = 1 / burst, enter = part * leave / (1 - part);
    double drawn = random_uniform(&net->random, 0, 1);
    net->is_bad = net->is_bad ? drawn >= leave : drawn < enter;
    return net->is_bad;
}

static double gamma_ms(network *net, double shape, double scale_ms)
{
    return random_gamma(&net->random, shape, scale_ms * net->scale);
}

/* A few packets overtake the one that was held up. */
static double held_up(network *net, double part, double least_ms, double most_ms)
{
    int is_held = random_uniform(&net->random, 0, 1) < part * net->scale;
    double held_ms = random_uniform(&net->random, least_ms, most_ms) * net->scale;
    return is_held ? held_ms : 0;
}

static double of_pareto(network *net, double sent_ms)
{
    net->queue_ms = fmax(0, net->queue_ms - 0.85 * PACKET_MS);
    if (random_uniform(&net->random, 0, 1) < 0.06 * net->scale) {
        double burst_ms = fmin(8 * random_pareto(&net->random, 1.5), 150) * net->scale;
        net->queue_ms = fmin(net->queue_ms + burst_ms, 250 * net->scale);
    }
    return in_turn(net, sent_ms + BASE_MS + net->queue_ms + random_exp(&net->random, 1), APART_MS);
}

/* Nothing comes through for a while; what waited then comes at once. */
static double stalling(network *net, double arrives_ms, double every_ms, double least_ms, double most_ms)
{
    if (!net->until_ms) /* the first stall */
        net->until_ms = random_exp(&net->random, every_ms / net->scale);
    while (arrives_ms >= net->until_ms) {
        net->stalled_ms = net->until_ms + random_uniform(&net->random, least_ms, most_ms) * net->scale;
        net->until_ms = net->stalled_ms + random_exp(&net->random, every_ms / net->scale);
    }
    int is_held = arrives_ms < net->stalled_ms || net->last_ms + 0.4 > arrives_ms;
    return in_turn(net, fmax(arrives_ms, net->stalled_ms), is_held ? 0.4 : APART_MS);
}

static double of_bloat(network *net, double sent_ms)
{
    if (sent_ms >= net->until_ms) {
        net->is_on = net->until_ms > 0 && !net->is_on;
        net->until_ms = sent_ms + random_exp(&net->random, net->is_on ? 20e3 : 25e3);
    }
    net->queue_ms = net->is_on ? net->queue_ms + 0.22 * net->scale : fmax(0, net->queue_ms - 2);
    if (net->queue_ms > 120 * net->scale)
        net->queue_ms = 60 * net->scale;
    return in_turn(net, sent_ms + BASE_MS + net->queue_ms + gamma_ms(net, 2, 2), APART_MS);
}

static double of_step(network *net, double sent_ms, int is_in_the_middle)
{
    double step_ms = is_in_the_middle ? 60 * net->scale : 0;
    return in_turn(net, sent_ms + BASE_MS + step_ms + gamma_ms(net, 2, 1.5), APART_MS);
}

static double of_branch(network *net, double sent_ms)
{
    if (is_lost(net, 0.01 * net->scale, 1.8))
        return INFINITY;
    double arrives_ms = stalling(net, sent_ms + BASE_MS + gamma_ms(net, 2, 2), 9000, 30, 120);
    return arrives_ms + held_up(net, 0.003, 20, 35);
}

static double arrival(network *net, int family, double sent_ms, double part)
{
    double least_ms = sent_ms + BASE_MS;
    switch (family) {
    case 0:
        return in_turn(net, least_ms + fabs(random_normal(&net->random, 0.3 * net->scale)), APART_MS);
    case 1:
        return in_turn(net, fmax(least_ms, least_ms + 15 + random_normal(&net->random, 5 * net->scale)), APART_MS);
    case 2:
        return in_turn(net, fmax(least_ms, least_ms + 30 + random_normal(&net->random, 15 * net->scale)), APART_MS);
    case 3:
        return of_pareto(net, sent_ms);
    case 4:
        return of_step(net, sent_ms, part >= 1.0 / 3 && part < 2.0 / 3);
    case 5:
    case 6:
        return in_turn(net, least_ms + gamma_ms(net, 2, 2), APART_MS);
    case 7:
        return is_lost(net, 0.03 * net->scale, 2) ? (double)INFINITY : in_turn(net, least_ms + gamma_ms(net, 2, 2.5), APART_MS);
    case 8:
        return least_ms + gamma_ms(net, 2, 1) + held_up(net, 0.02, 25, 45);
    case 9:
        return stalling(net, least_ms + gamma_ms(net, 1.5, 1.5), 4000, 40, 180);
    case 10:
        return of_bloat(net, sent_ms);
    default:
        return of_branch(net, sent_ms);
    }
}

static double drift_ppm(int family)
{
    return family == 5 ? 200 : family == 6 ? -200 : family == 11 ? 80 : 0;
}

void family_fill(trace *made, int family, uint64_t seed, double scale)
{
    network net = {.scale = scale, .last_ms = -INFINITY};
    random_init(&net.random, seed, (uint64_t)family + 1);
    for (int n = 0; n < made->packets; n++) {
        made->sent_ms[n] = n * PACKET_MS * (1 + drift_ppm(family) * scale * 1e-6);
        made->arrived_ms[n] = arrival(&net, family, made->sent_ms[n], (double)n / made->packets);
    }
}
