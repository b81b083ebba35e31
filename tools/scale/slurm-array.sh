#!/usr/bin/env bash
#SBATCH --job-name=reelstate
#SBATCH --cpus-per-task=2
#SBATCH --mem=3G
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --output=reelstate-%A_%a.log
# Analyses a list of videos as a Slurm job array: task N analyses line N, into a folder that all nodes share.
# Usage: sbatch --array=1-$(wc -l <LIST)%100 slurm-array.sh SCALE LIST OUTPUT [OPTION OF reelstate analyse]...
#   SCALE is the folder of analyse-line.sh (Slurm runs a copy of this file from elsewhere).
# Slurm runs the tasks of a lost node again. Submit it again to resume: what is done is skipped.
set -euo pipefail
if [ $# -lt 3 ]; then
  echo "usage: sbatch --array=1-N $0 SCALE LIST OUTPUT [OPTION]..." >&2
  exit 2
fi
scale=$1 list=$2 output=$3
shift 3
"$scale/analyse-line.sh" "$list" "$output" "$SLURM_ARRAY_TASK_ID" --threads "${SLURM_CPUS_PER_TASK:-1}" "$@"
