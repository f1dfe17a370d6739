#include "jbuf_late.h"

#include <string.h>

#define BIN 20 /* samples */
#define BINS_A_LEVEL (VC_BLOCK / BIN)
#define LEVELS (VC_LATE_BINS / BINS_A_LEVEL)
#define NOTHING 255 /* least of a batch that is not remembered; its most is 0 */
#define PACKETS (VC_LATE_BATCHES * VC_LATE_BATCH)
#define FARTHEST (1 << 28) /* samples: what lies beyond is as far */
#define BELOW 4 /* levels kept free below the first packet: others come earlier */
/* E-model: a tick of delay costs 0.024 R a ms, a packet lost costs 95 / 25.1 R a percent; a sixth is added, since what is
   remembered seldom shows all that can come. */
#define COST_OF_A_LEVEL (0.024f * VC_BLOCK_MS)
#define COST_OF_ALL_LOST (115 * 95 / 25.1f)
/* Beyond 177 ms from mouth to ear a millisecond costs 0.11 R more. 20 ms are in the packet, so much is supposed for the network
   at its best (RTCP would know, the buffer is not told), and a tick waits 10 on the average. */
#define NETWORK_MS 30
#define NEAR_LEVELS ((177.3f - VC_BLOCK_MS - NETWORK_MS - 10) / VC_BLOCK_MS)
#define FAR_FACTOR (0.11f / 0.024f)
/* A network that is known for less than the whole time may grow worse every moment: what comes so many bins before it would be
   too late counts in part, and is judged at once. */
#define GUARD 3
#define BRIEF (PACKETS - VC_LATE_BATCH)
/* To come down has to save so much of a level more: two levels of nearly the same cost would take turns, and each turn is heard. */
#define STAY 0.3f
/* While nothing comes the buffer stretches what it has (jbuf.h): who waited so much longer than usual meets a delay
   that has grown in the meantime. */
#define UNSTRETCHED (2 * VC_BLOCK)
#define STRETCHED(samples) ((samples) * 5 / 7)
/* Who is later than usual by more than this many bins came out of a stall: another one may come that was never seen (half a
   packet), and the buffer stretches at a small chance of running dry. Where nothing stalls it does so at a good chance only:
   there it saves a tick at most, and is heard. */
#define STALL 17
#define NEVER_SEEN 0.5f
#define CHANCE_OF_STALL 0.02f
#define CHANCE 0.3f
#define SELDOM 75 /* packets to an alarm, or more: each is heard */

void vc_late_init(vc_late *late, int64_t lateness)
{
    memset(late, 0, sizeof *late);
    memset(late->least, NOTHING, sizeof late->least);
    late->base = (lateness / VC_BLOCK - BELOW) * VC_BLOCK;
}

static uint8_t within(int bin)
{
    return (uint8_t)(bin < 0 ? 0 : bin < VC_LATE_BINS ? bin : VC_LATE_BINS - 1);
}

/* All bins move up (bins > 0) or down; what leaves them stays at the edge. */
static void move(vc_late *late, int bins)
{
    unsigned open = late->at / VC_LATE_BATCH, written = late->at % VC_LATE_BATCH;
    memset(late->count, 0, sizeof late->count);
    for (unsigned batch = 0; batch < VC_LATE_BATCHES; batch++) {
        if (late->least[batch] == NOTHING)
            continue;
        late->least[batch] = within(late->least[batch] + bins);
        late->most[batch] = within(late->most[batch] + bins);
        uint8_t *seen = late->seen + batch * VC_LATE_BATCH;
        for (unsigned i = 0; i < (batch == open && written ? written : VC_LATE_BATCH); i++)
            late->count[seen[i] = within(seen[i] + bins)]++;
    }
    int levels = bins / BINS_A_LEVEL;
    late->base -= levels * VC_BLOCK;
    uint8_t *const judged[] = {&late->usual, &late->target, &late->alarm, &late->recent};
    for (int i = 0; i < 4; i++) {
        int level = *judged[i] + levels;
        *judged[i] = (uint8_t)(level < 0 ? 0 : level < 255 ? level : 255);
    }
}

/* The delay drifts, or the route changed: what is remembered has to stay within the bins. */
static int bin_of(vc_late *late, int64_t above)
{
    above = above > -FARTHEST ? above < FARTHEST ? above : FARTHEST : -FARTHEST;
    int bin = above <= 0 ? (int)(above - BIN) / BIN : (int)(above - 1) / BIN;
    if (bin < 0) {
        int levels = (BINS_A_LEVEL - 1 - bin) / BINS_A_LEVEL + BELOW;
        levels = levels < LEVELS ? levels : LEVELS;
        move(late, levels * BINS_A_LEVEL);
        bin += levels * BINS_A_LEVEL;
        if (bin < 0) { /* far earlier than all before: begin again there */
            late->base += bin / BINS_A_LEVEL * VC_BLOCK;
            bin = 0;
        }
    }
    return bin < VC_LATE_BINS ? bin : VC_LATE_BINS - 1;
}

/* The least and the most of all that is remembered. */
static void range(const vc_late *late, int *least, int *most)
{
    uint8_t low = NOTHING, high = 0;
    for (int i = 0; i < VC_LATE_BATCHES; i++) {
        low = late->least[i] < low ? late->least[i] : low;
        high = late->most[i] > high ? late->most[i] : high;
    }
    *least = low;
    *most = high;
}

static void forget(vc_late *late, unsigned batch)
{
    if (late->least[batch] == NOTHING)
        return;
    for (unsigned i = 0; i < VC_LATE_BATCH; i++)
        late->count[late->seen[batch * VC_LATE_BATCH + i]]--;
    late->kept = (uint16_t)(late->kept - VC_LATE_BATCH);
    late->least[batch] = NOTHING;
    late->most[batch] = 0;
}

/* The delay went elsewhere: batches that share nothing with the newest tell of a network that is no more, and so do those
   before them. */
static void forget_foreign(vc_late *late, unsigned newest)
{
    uint8_t low = (uint8_t)(late->least[newest] - (late->least[newest] > 0)), high = (uint8_t)(late->most[newest] + 1);
    uint8_t foreign[VC_LATE_BATCHES], any = 0;
    for (int i = 0; i < VC_LATE_BATCHES; i++) {
        uint8_t is_elsewhere = (uint8_t)((late->least[i] > high) | (late->most[i] < low));
        any |= foreign[i] = (uint8_t)(is_elsewhere & (late->least[i] != NOTHING));
    }
    for (unsigned back = 1, is_past = 0; any && back < VC_LATE_BATCHES; back++) {
        unsigned batch = newest >= back ? newest - back : newest + VC_LATE_BATCHES - back;
        is_past |= foreign[batch];
        if (is_past)
            forget(late, batch);
    }
}

/* The level with the least cost: delay against what would come too late. A quarter of what comes within the guard is taken as
   late. Costs are those of all remembered packets together, times 4. */
static void choose_target(vc_late *late, const uint16_t *beyond, int lowest_bin, int highest_bin)
{
    int lowest = lowest_bin / BINS_A_LEVEL, highest = highest_bin / BINS_A_LEVEL, spread = highest_bin - lowest_bin, was = late->target;
    int guard = late->kept >= BRIEF ? 0 : spread < GUARD ? spread : GUARD;
    float each_level = 4 * COST_OF_A_LEVEL * (float)late->kept, least = 8 * COST_OF_ALL_LOST * (float)late->kept;
    float far = (float)lowest_bin / BINS_A_LEVEL + NEAR_LEVELS;
    for (int level = lowest > 0 ? lowest : 1; level <= highest + 2 && level < LEVELS; level++) {
        const uint16_t *from = beyond + level * BINS_A_LEVEL;
        float beyond_knee = (float)level > far ? FAR_FACTOR * ((float)level - far) : 0;
        float cost = each_level * ((float)level + beyond_knee + (level < was ? STAY : 0)) +
                     COST_OF_ALL_LOST * (float)(3 * from[0] + from[-guard]);
        if (cost < least) {
            least = cost;
            late->target = (uint8_t)level;
        }
    }
}

/* From which age of the newest packet on is what has not come yet likely to be too late? It is at least as late as a packet
   of the tick before; or it is lost. */
static void choose_alarm(vc_late *late, const uint16_t *beyond, int highest)
{
    int knee = late->usual * VC_BLOCK + UNSTRETCHED, deadline = late->target * VC_BLOCK;
    deadline = deadline > knee ? knee + STRETCHED(deadline - knee) : deadline;
    int stalls = highest - late->usual * BINS_A_LEVEL > STALL;
    float chance = stalls ? CHANCE_OF_STALL : CHANCE, dry = (float)beyond[deadline / BIN] + (stalls ? NEVER_SEEN : 0);
    float others = NEVER_SEEN + (float)late->lost256 / 256;
    late->alarm = late->usual;
    for (; late->alarm <= late->target; late->alarm++) {
        uint16_t rung = beyond[(late->alarm - 1) * BINS_A_LEVEL];
        if (rung * SELDOM <= late->kept && dry >= chance * ((float)rung + others))
            return;
    }
}

static void judge(vc_late *late, int lowest, int highest)
{
    uint16_t beyond[VC_LATE_BINS + 3 * BINS_A_LEVEL], sum = 0; /* packets in a bin and above it */
    int bin = highest + 2 * BINS_A_LEVEL + 1, bottom = lowest - lowest % BINS_A_LEVEL - BINS_A_LEVEL;
    for (; bin > highest; bin--)
        beyond[bin] = 0;
    for (; bin >= lowest; bin--)
        beyond[bin] = sum = (uint16_t)(sum + late->count[bin]);
    for (; bin >= 0 && bin >= bottom; bin--)
        beyond[bin] = sum;
    for (bin = lowest; bin < highest && 2 * beyond[bin + 1] > late->kept;)
        bin++;
    late->usual = (uint8_t)((bin + BINS_A_LEVEL) / BINS_A_LEVEL);
    choose_target(late, beyond, lowest, highest);
    choose_alarm(late, beyond, highest);
}

static void end_batch(vc_late *late, unsigned batch)
{
    late->lost256 = (uint16_t)(late->lost256 - late->lost256 / VC_LATE_BATCHES);
    forget_foreign(late, batch);
}

static void judge_all(vc_late *late)
{
    int lowest, highest;
    range(late, &lowest, &highest);
    if (lowest / BINS_A_LEVEL > 2 * BELOW) { /* what was low is forgotten: room above */
        int levels = lowest / BINS_A_LEVEL - BELOW;
        move(late, -levels * BINS_A_LEVEL);
        range(late, &lowest, &highest);
    }
    judge(late, lowest, highest);
}

/* After each batch is judged anew; at first after each packet, and later, too, when one came at the last moment or after it:
   a queue that grows does not wait for the end of a batch. */
int vc_late_add(vc_late *late, int64_t lateness, int missed)
{
    int64_t above = lateness - late->base, knee = late->usual * VC_BLOCK + UNSTRETCHED;
    if (missed >= 0 && late->usual && above > knee)
        above = knee + STRETCHED(above - knee);
    int lost = late->lost256 + 256 * missed;
    late->lost256 = (uint16_t)(lost < 0 ? 0 : lost < 65535 ? lost : 65535);
    int bin = bin_of(late, above);
    unsigned batch = late->at / VC_LATE_BATCH, before = batch ? batch - 1 : VC_LATE_BATCHES - 1;
    if (late->at % VC_LATE_BATCH == 0)
        forget(late, batch);
    late->seen[late->at] = (uint8_t)bin;
    late->count[bin]++;
    late->kept++;
    late->least[batch] = bin < late->least[batch] ? (uint8_t)bin : late->least[batch];
    late->most[batch] = bin > late->most[batch] ? (uint8_t)bin : late->most[batch];
    late->at = (uint16_t)(late->at + 1 < PACKETS ? late->at + 1 : 0);
    int is_full = late->at % VC_LATE_BATCH == 0;
    if (is_full)
        end_batch(late, batch);
    int is_close = bin >= late->target * BINS_A_LEVEL - (late->kept < BRIEF ? GUARD : 0);
    if (!is_full && !is_close && late->kept >= VC_LATE_BATCH)
        return 0;
    late->recent = (uint8_t)((late->most[before] > late->most[batch] ? late->most[before] : late->most[batch]) / BINS_A_LEVEL + 1);
    judge_all(late);
    return 1;
}
