#!/usr/bin/env bash
# Analyses a list of videos with GNU parallel, on this machine or on several that share the folders.
# Usage: parallel.sh LIST OUTPUT [OPTION OF reelstate analyse]...
#   JOBS=2      videos at once on each machine (default: one for each two cores)
#   HOSTS=file  machines, one for each line: [CORES/]USER@HOST, or ":" for this one
#   REELSTATE   the program (default: reelstate)
# OUTPUT/joblog has a line for each video with its host, time and exit code. Run it again to resume.
# The exit code is 3 if a video failed, 1 if anything else did.
set -uo pipefail
if [ $# -lt 2 ]; then
  echo "usage: $0 LIST OUTPUT [OPTION]..." >&2
  exit 2
fi
list=$(realpath "$1") output=$(realpath -m "$2")
shift 2
here=$(dirname "$(realpath "$0")")
mkdir -p "$output"
export REELSTATE=${REELSTATE:-reelstate}
# A machine that is lost gives its videos to the others; a process that is killed is started again.
if seq "$(wc -l <"$list")" | parallel --no-notice --jobs "${JOBS:-50%}" --joblog "$output/joblog" --retries 3 \
  --workdir "$PWD" --env REELSTATE ${HOSTS:+--sshloginfile "$HOSTS"} \
  "$here/analyse-line.sh" "$list" "$output" {} "$@"; then
  exit 0
fi
# Column 7 of the log is the exit code, column 8 the signal.
awk 'NR > 1 && ($7 || $8) { failed = 1; if ($8 || $7 != 3) other = 1 } END { exit other ? 1 : failed ? 3 : 1 }' \
  "$output/joblog"
