#!/usr/bin/env bash
# Analyses one line of a list of videos. The engines below run it once for each line; running it again is harmless:
# a video whose record is there, of the same content and options, is skipped.
# Usage: analyse-line.sh LIST OUTPUT LINE [OPTION OF reelstate analyse]...
# Writes OUTPUT/<folder of the video>/<name>_{results,segments,analysis}.json, each atomically.
# Exit codes are those of reelstate: 1 the machine refused (run it again), 2 usage, 3 the video failed.
set -euo pipefail
if [ $# -lt 3 ]; then
  echo "usage: $0 LIST OUTPUT LINE [OPTION]..." >&2
  exit 2
fi
list=$1 output=$2 line=$3
shift 3
video=$(sed -n "${line}p" "$list")
if [ -z "$video" ]; then
  echo "$0: $list has no line $line" >&2
  exit 2
fi
folder=$output/$(dirname "$video")
mkdir -p "$folder"
exec "${REELSTATE:-reelstate}" analyse --skip-done --output "$folder" "$@" "$video"
