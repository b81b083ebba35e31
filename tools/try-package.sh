#!/usr/bin/env bash
# Installs the package in an empty folder, as its user does, and prints the subtitles of a video.
# Usage: try-package.sh PACKAGE.tgz VIDEO NPM-VERSION
set -euo pipefail
package=$(realpath "$1") video=$(realpath "$2") npm=$3
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cp "$video" video.mp4
npx --yes "npm@$npm" install --no-audit --no-fund --cache "$folder/cache" "$package"
megabytes=$(du -s --block-size=1MB node_modules | cut -f 1)
echo "npm $npm: $megabytes MB" >&2
test "$megabytes" -le 600
npx reelstate analyse video.mp4 --every 10s --format srt | tee video.srt
grep -q -- '-->' video.srt
