/* jitter figures SEED [SCALE]         the players on all families: a table, and the figures as JSON on the last line
   jitter trace FAMILY SEED            its packets: `sent_ms arrived_ms`
   jitter file TRACE                   the players on a trace that others made
   jitter play PLAYER FAMILY SEED OUT MINUTES   what is heard, 16-bit samples
   jitter delays FAMILY SEED           second by second: least and most delay of the network, ours (nan: nothing sounded)
   SPEECH=FILE in the environment: A-law that is sent; silence without. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cost.h"
#include "jbuf.h"
#include "oracle.h"
#include "player.h"
#include "speech.h"

#define PHASES 4
#define PHASE_MS (TICK_MS / PHASES)
#define ORACLES 2
#define MOST_PLAYERS 3

static const player *const PLAYERS[] = {
    &OURS,
#ifdef WITH_PEERS
    &NETEQ, &SPEEXDSP,
#endif
};
#define PLAYER_COUNT ((int)(sizeof PLAYERS / sizeof *PLAYERS))

/* Other players that were measured beside NetEq on seed 0 of another generator of the same families; R. */
static const struct {
    const char *name;
    double r[FAMILIES];
} TOLD[] = {
    {"ast_fixed60", {90.3, 89.9, 89.1, 71.4, 87.4, 90.5, 82.9, 79.3, 90.3, 79.7, 85.7, 83.1}},
    {"ast_adaptive", {90.8, 89.5, 87.1, 86.6, 89.4, 90.4, 89.9, 78.7, 90.0, 86.8, 83.4, 86.2}},
    {"pjmedia", {91.7, 89.9, 89.6, 79.8, 90.1, 90.5, 90.3, 77.8, 83.4, 78.2, 85.6, 82.5}},
};

typedef struct {
    result players[MOST_PLAYERS], fixed, clairvoyant;
} family_results;

static void add(result *sum, result one)
{
    sum->r += one.r / PHASES;
    sum->delay_ms += one.delay_ms / PHASES;
    sum->bad_pct += one.bad_pct / PHASES;
    sum->lost_pct += one.lost_pct / PHASES;
}

static family_results judge(const trace *of)
{
    family_results all = {0};
    for (int phase = 0; phase < PHASES; phase++) {
        for (int i = 0; i < PLAYER_COUNT; i++)
            add(&all.players[i], play_trace(PLAYERS[i], of, phase * PHASE_MS));
        add(&all.fixed, oracle_fixed(of, phase * PHASE_MS));
        add(&all.clairvoyant, oracle_clairvoyant(of, phase * PHASE_MS));
    }
    return all;
}

static double mean(const double *values)
{
    double sum = 0;
    for (int i = 0; i < FAMILIES; i++)
        sum += values[i] / FAMILIES;
    return sum;
}

static void print_row(const char *name, const double *values, const char *form)
{
    printf("%-13s", name);
    for (int i = 0; i < FAMILIES; i++)
        printf(form, values[i]);
    printf(" |");
    printf(form, mean(values));
    printf("\n");
}

static void print_object(const char *name, const double *values, const char *form)
{
    printf("\"%s\": {", name);
    for (int i = 0; i < FAMILIES; i++) {
        printf("%s\"%s\": ", i ? ", " : "", FAMILY_NAMES[i]);
        printf(form, values[i]);
    }
    printf("}");
}

enum field { R, DELAY, SELF };

static double field_of(result one, enum field field)
{
    return field == R ? one.r : field == DELAY ? one.delay_ms : one.bad_pct - one.lost_pct;
}

/* Player `who` (-1: best fixed, -2: clairvoyant) on each family. */
static void row_of(const family_results *all, int who, enum field field, double *row)
{
    for (int i = 0; i < FAMILIES; i++)
        row[i] = field_of(who >= 0 ? all[i].players[who] : who == -1 ? all[i].fixed : all[i].clairvoyant, field);
}

static void print_table(const family_results *all)
{
    double row[FAMILIES], delay[FAMILIES];
    printf("%-13s", "R");
    for (int i = 0; i < FAMILIES; i++)
        printf("%10s", FAMILY_NAMES[i]);
    printf(" |      mean\n");
    for (size_t i = 0; i < sizeof TOLD / sizeof *TOLD; i++)
        print_row(TOLD[i].name, TOLD[i].r, "%10.1f");
    for (int i = 0; i < PLAYER_COUNT; i++) {
        row_of(all, i, R, row);
        print_row(PLAYERS[i]->name, row, "%10.2f");
    }
    row_of(all, -1, R, row);
    print_row("best fixed", row, "%10.2f");
    row_of(all, -2, R, row);
    print_row("clairvoyant", row, "%10.2f");
    for (int i = 0; i < PLAYER_COUNT; i++) {
        printf("%s: ms above the best fixed, %% lost by itself\n", PLAYERS[i]->name);
        row_of(all, i, DELAY, row);
        row_of(all, -1, DELAY, delay);
        for (int f = 0; f < FAMILIES; f++)
            row[f] -= delay[f];
        print_row("", row, "%10.1f");
        row_of(all, i, SELF, row);
        print_row("", row, "%10.3f");
    }
}

static void print_json(const family_results *all, unsigned long long seed, const costs *cost)
{
    double row[FAMILIES], fixed[FAMILIES];
    printf("{\"seed\": %llu, \"R\": {", seed);
    for (int i = 0; i < PLAYER_COUNT; i++) {
        row_of(all, i, R, row);
        printf("%s", i ? ", " : "");
        print_object(PLAYERS[i]->name, row, "%.3f");
    }
    printf("}, \"mean_R\": {");
    for (int i = 0; i < PLAYER_COUNT; i++) {
        row_of(all, i, R, row);
        printf("\"%s\": %.3f, ", PLAYERS[i]->name, mean(row));
    }
    row_of(all, -1, R, fixed);
    row_of(all, -2, R, row);
    printf("\"oracle_fixed\": %.3f, \"clairvoyant\": %.3f}, ", mean(fixed), mean(row));
    row_of(all, 0, DELAY, row);
    row_of(all, -1, DELAY, fixed);
    for (int i = 0; i < FAMILIES; i++)
        row[i] -= fixed[i];
    print_object("delay_over_oracle_ms", row, "%.2f");
    printf(", ");
    row_of(all, 0, SELF, row);
    print_object("self_loss_pct", row, "%.4f");
    printf(", \"ns\": {\"null\": %.1f, \"decode\": %.1f, \"buffer\": %.1f, \"decode_plc\": %.1f, \"loss3\": %.1f, \"buffer_of_1000\": %.1f}",
           cost->null, cost->decode, cost->buffer, cost->decode_plc, cost->loss3, cost->streams);
    printf(", \"bytes\": %d, \"allocs_per_tick\": %.0f}\n", VC_JBUF_BYTES, cost->allocs_per_tick);
}

static int figures(unsigned long long seed, double scale)
{
    static family_results all[FAMILIES];
    costs cost;
    for (int i = 0; i < FAMILIES; i++) {
        trace made;
        if (trace_make(&made, i, seed, scale))
            return 1;
        all[i] = judge(&made);
        trace_free(&made);
    }
    measure_costs(&cost, seed);
    printf("compiled by %s with %s\n", __VERSION__, BENCH_FLAGS);
    printf("ns of a put and a get: null %.1f, decode alone %.1f, buffer alone %.1f, with decoding and concealment %.1f, with 3 %% lost %.1f\n",
           cost.null, cost.decode, cost.buffer, cost.decode_plc, cost.loss3);
    printf("1000 calls on one core, buffer alone: %.2f %%\n", cost.streams * 1000 / 20e6 * 100);
    print_table(all);
    print_json(all, seed, &cost);
    return 0;
}

static int family_of(const char *name)
{
    for (int i = 0; i < FAMILIES; i++) {
        if (!strcmp(name, FAMILY_NAMES[i]))
            return i;
    }
    return -1;
}

static int print_trace(int family, unsigned long long seed)
{
    trace made;
    if (family < 0 || trace_make(&made, family, seed, 1))
        return 1;
    for (int n = 0; n < made.packets; n++) {
        if (isfinite(made.arrived_ms[n]))
            printf("%.4f %.4f\n", made.sent_ms[n], made.arrived_ms[n]);
        else
            printf("%.4f lost\n", made.sent_ms[n]);
    }
    trace_free(&made);
    return 0;
}

static int file(const char *path)
{
    trace read;
    int refused = trace_read(&read, path);
    if (refused) {
        fprintf(stderr, "%s: %s\n", path, strerror(-refused));
        return 1;
    }
    family_results all = judge(&read);
    printf("{");
    for (int i = 0; i < PLAYER_COUNT; i++)
        printf("\"%s\": {\"R\": %.3f, \"delay_ms\": %.2f, \"self_loss_pct\": %.4f}, ", PLAYERS[i]->name, all.players[i].r,
               all.players[i].delay_ms, field_of(all.players[i], SELF));
    printf("\"oracle_fixed\": {\"R\": %.3f, \"delay_ms\": %.2f}, \"clairvoyant\": {\"R\": %.3f}}\n", all.fixed.r, all.fixed.delay_ms, all.clairvoyant.r);
    trace_free(&read);
    return 0;
}

typedef struct {
    double least, most, ours, sounded;
} second;

static void note_network(second *seconds, const trace *of)
{
    for (int n = 0; n < of->packets; n++) {
        second *at = &seconds[(int)(n * PACKET_MS / 1000)];
        double delay = of->arrived_ms[n] - of->sent_ms[n];
        if (isfinite(delay)) {
            at->least = at->least > 0 && at->least < delay ? at->least : delay;
            at->most = at->most > delay ? at->most : delay;
        }
    }
}

static int print_delays(int family, unsigned long long seed)
{
    trace made;
    if (family < 0 || trace_make(&made, family, seed, 1))
        return 1;
    int count = (int)(made.packets * PACKET_MS / 1000), next = 0;
    second *seconds = calloc((size_t)count + 1, sizeof *seconds);
    void *self = OURS.open();
    if (!seconds || !self)
        return 1;
    note_network(seconds, &made);
    for (int tick = 0; tick < made.packets; tick++) {
        played heard = {0};
        for (; next < made.arriving && made.arrived_ms[made.order[next]] <= tick * TICK_MS; next++)
            OURS.put(self, made.order[next], made.arrived_ms[made.order[next]]);
        OURS.get(self, tick * TICK_MS, &heard);
        int packet = (int)(heard.media_ms / PACKET_MS);
        if (heard.length_ms > 0 && packet < made.packets) {
            second *at = &seconds[(int)(tick * TICK_MS / 1000)];
            at->ours += tick * TICK_MS - made.sent_ms[packet] - (heard.media_ms - packet * PACKET_MS);
            at->sounded++;
        }
    }
    for (int i = 0; i < count; i++)
        printf("%.2f %.2f %.2f\n", seconds[i].least, seconds[i].most, seconds[i].ours / seconds[i].sounded);
    OURS.close(self);
    free(seconds);
    trace_free(&made);
    return 0;
}

static int play(const char *name, int family, unsigned long long seed, const char *path, const uint8_t *sent, size_t bytes, double minutes)
{
    trace made;
    size_t room = (size_t)(minutes * 60 * VC_RATE_HZ);
    int16_t *heard = calloc(room, sizeof *heard);
    FILE *out = fopen(path, "wb");
    if (family < 0 || !heard || !out || trace_make(&made, family, seed, 1))
        return 1;
    speech_set(sent, bytes, heard, room);
    for (int i = 0; i < PLAYER_COUNT; i++) {
        if (!strcmp(PLAYERS[i]->name, name))
            (void)play_trace(PLAYERS[i], &made, 7);
    }
    size_t written = fwrite(heard, sizeof *heard, room, out);
    trace_free(&made);
    free(heard);
    return fclose(out) || written != room;
}

static uint8_t *read_speech(size_t *bytes)
{
    const char *path = getenv("SPEECH");
    FILE *from = path ? fopen(path, "rb") : NULL;
    uint8_t *speech = from ? malloc(1 << 24) : NULL;
    *bytes = speech ? fread(speech, 1, 1 << 24, from) : 0;
    if (from)
        fclose(from);
    return speech;
}

int main(int count, char **words)
{
    size_t bytes;
    uint8_t *speech = read_speech(&bytes);
    int failed = 2;
    speech_set(speech, bytes, NULL, 0);
    if (count >= 3 && !strcmp(words[1], "figures"))
        failed = figures(strtoull(words[2], NULL, 10), count > 3 ? strtod(words[3], NULL) : 1);
    else if (count == 4 && !strcmp(words[1], "trace"))
        failed = print_trace(family_of(words[2]), strtoull(words[3], NULL, 10));
    else if (count == 4 && !strcmp(words[1], "delays"))
        failed = print_delays(family_of(words[2]), strtoull(words[3], NULL, 10));
    else if (count == 3 && !strcmp(words[1], "file"))
        failed = file(words[2]);
    else if (count == 7 && !strcmp(words[1], "play"))
        failed = play(words[2], family_of(words[3]), strtoull(words[4], NULL, 10), words[5], speech, bytes, strtod(words[6], NULL));
    free(speech);
    if (failed == 2)
        fprintf(stderr, "jitter: figures SEED [SCALE] | trace FAMILY SEED | delays FAMILY SEED | file TRACE | play PLAYER FAMILY SEED OUT MINUTES\n");
    return failed;
}
