#include "trace.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "families.h"

static const double *sort_by;

static int by_arrival(const void *left, const void *right)
{
    int a = *(const int *)left, b = *(const int *)right;
    double first = sort_by[a], second = sort_by[b];
    return first < second ? -1 : first > second ? 1 : (a > b) - (a < b);
}

static int allocate(trace *made, int packets)
{
    memset(made, 0, sizeof *made);
    made->packets = packets;
    size_t count = packets > 0 ? (size_t)packets : 1;
    made->sent_ms = malloc(count * sizeof *made->sent_ms);
    made->arrived_ms = malloc(count * sizeof *made->arrived_ms);
    made->order = malloc(count * sizeof *made->order);
    if (made->sent_ms && made->arrived_ms && made->order)
        return 0;
    trace_free(made);
    return -ENOMEM;
}

static void put_in_order(trace *made)
{
    made->arriving = 0;
    for (int n = 0; n < made->packets; n++) {
        if (isfinite(made->arrived_ms[n]))
            made->order[made->arriving++] = n;
    }
    sort_by = made->arrived_ms;
    qsort(made->order, (size_t)made->arriving, sizeof *made->order, by_arrival);
}

int trace_make(trace *made, int family, uint64_t seed, double scale)
{
    int refused = allocate(made, TRACE_PACKETS);
    if (refused)
        return refused;
    made->name = FAMILY_NAMES[family];
    family_fill(made, family, seed, scale);
    put_in_order(made);
    return 0;
}

static int count_lines(FILE *file)
{
    int lines = 0, c;
    while ((c = fgetc(file)) != EOF)
        lines += c == '\n';
    rewind(file);
    return lines;
}

int trace_read(trace *read, const char *path)
{
    FILE *file = fopen(path, "r");
    if (!file)
        return -errno;
    int refused = allocate(read, count_lines(file));
    read->name = path;
    for (int n = 0; !refused && n < read->packets; n++) {
        char arrived[64], *end;
        if (fscanf(file, "%lf %63s", &read->sent_ms[n], arrived) != 2) {
            trace_free(read);
            refused = -EINVAL;
            break;
        }
        read->arrived_ms[n] = strtod(arrived, &end);
        if (end == arrived)
            read->arrived_ms[n] = INFINITY;
    }
    fclose(file);
    if (!refused)
        put_in_order(read);
    return refused;
}

void trace_free(trace *made)
{
    free(made->sent_ms);
    free(made->arrived_ms);
    free(made->order);
    memset(made, 0, sizeof *made);
}
