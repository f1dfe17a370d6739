#!/usr/bin/env bash
# fuzz.sh BIN SECONDS: each libFuzzer target for so long, from the corpus of the tests; what it finds is left in out/fuzz
# and belongs, under a telling name, into tests/voicecore/corpus/<target>.
set -euo pipefail
cd "$(dirname "$0")/../.."
bin=$1 seconds=$2 work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p out/fuzz
for target in audio settings bits job ring jbuf; do
  mkdir "$work/$target"
  echo "fuzz: $target, $seconds s"
  UBSAN_OPTIONS=print_stacktrace=1 nice "$bin/fuzz_$target" -max_total_time="$seconds" -max_len=40000 -print_final_stats=1 \
    -verbosity=0 -artifact_prefix="out/fuzz/$target-" "$work/$target" "tests/voicecore/corpus/$target" 2>&1 \
    | grep -vE '^$|slowest_unit|peak_rss'
done
