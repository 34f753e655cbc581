#!/usr/bin/env bash
# Measures docs/finetuning.md's table.
#
#     scripts/finetuning_table.sh DATA OUT [SEEDS]
#
# DATA has a folder for each set; OUT is where the pre-trained model and the results go.
# The same command goes on where it was stopped, or adds seeds. Then
# scripts/finetuning_table.py OUT writes the table. GPT names the program.
set -euo pipefail
data=$1 out=$2 seeds=${3:-3}
scripts=$(cd "$(dirname "$0")" && pwd)
gpt=${GPT:-gpt}
mkdir -p "$out"

text=$out/pretraining.txt base=$out/base
[ -e "$text" ] || { python3 "$scripts/finetuning_text.py" "$data" >"$text.tmp" && mv "$text.tmp" "$text"; }
[ -e "$base" ] || "$gpt" train -c "$scripts/finetuning_base.yaml" --data "$text" --run "$base"

# Balanced COPA has no third set. Its mirrored pairs follow on one another, and an even
# number of lines keeps them together.
head -n 720 "$data/copa/train.jsonl" >"$out/copa-train.jsonl"
tail -n 80 "$data/copa/train.jsonl" >"$out/copa-dev.jsonl"

# ablate SET EPOCHS SIZES FLAG...
ablate() {
	local set=$1 epochs=$2 sizes=$3
	shift 3
	"$gpt" ablate -c "$set.yaml" --from "$base" --out "$out/$set" --epochs "$epochs" --sizes "$sizes" --seeds "$seeds" \
		--set train.learning_rate=1e-3 --set finetune.min_steps=100 --set finetune.evaluations=2 "$@"
}
ablate cola 2 0 --data "$data/cola/in_domain_train.tsv" --dev "$data/cola/in_domain_dev.tsv" --test "$data/cola/out_of_domain_dev.tsv"
ablate sick 2 100,300,1000 --data "$data/sick/SICK_train.txt.gz" --dev "$data/sick/SICK_trial.txt.gz" --test "$data/sick/SICK_test_annotated.txt.gz"
ablate stsb 1 0 --data "$data/stsb/train.tsv" --dev "$data/stsb/dev.tsv" --test "$data/stsb/test.tsv"
ablate copa 4 0 --data "$out/copa-train.jsonl" --dev "$out/copa-dev.jsonl" --test "$data/copa/dev.jsonl"
ablate sst2 2 0 --data "$data/sst2/train.tsv" --dev "$data/sst2/dev.tsv" --test "$data/sst2/test.tsv"
ablate chnsenticorp 2 0 --data "$data/chnsenticorp/train.tsv" --test "$data/chnsenticorp/test.tsv"
