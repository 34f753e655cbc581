#!/usr/bin/env bash
# Measures docs/finetuning.md's table.
#
#     study/ablation/python/finetuning_table.sh DATA BASE-EN BASE-ZH OUT SEEDS [SET...]
#
# DATA has a folder for each set; BASE-EN and BASE-ZH are runs of the presets base-en.yaml and
# base-zh.yaml, which the English sets and the Chinese one start from; OUT is where the results
# go. The same command goes on where it was stopped, or adds seeds, and several of them with
# different sets can run at once. Then study/ablation/python/finetuning_table.py OUT writes the
# table. GPT names the program; ARMS, separated by spaces, leaves the other arms out
# (gpt ablate --arm); averaged is gpt ablate --averaged.
set -euo pipefail
data=$1 en=$2 zh=$3 out=$4 seeds=$5
shift 5
[ $# -gt 0 ] || set -- cola sick snli stsb copa arc sst2 ag-news wnut17 chnsenticorp
gpt=${GPT:-gpt}
arms=()
for arm in ${ARMS:-}; do
	case $arm in
	averaged) arms+=(--averaged) ;;
	*) arms+=(--arm "$arm") ;;
	esac
done
mkdir -p "$out"

# Balanced COPA has no third set. Its mirrored pairs follow on one another, and an even
# number of lines keeps them together.
head -n 720 "$data/copa/train.jsonl" >"$out/copa-train.jsonl"
tail -n 80 "$data/copa/train.jsonl" >"$out/copa-dev.jsonl"

# ablate SET EPOCHS FLAG...
ablate() {
	local set=$1 epochs=$2 base=$en
	shift 2
	[ "$set" != chnsenticorp ] || base=$zh
	"$gpt" ablate -c "$set.yaml" --from "$base" --to "$out/$set" --epochs "$epochs" --seeds "$seeds" \
		--set train.learning_rate=1e-3 --set finetune.evaluations=4 ${arms[@]+"${arms[@]}"} "$@"
}
for set in "$@"; do
	case $set in
	cola) ablate cola 4 --sizes 0 --data "$data/cola/in_domain_train.tsv" --dev "$data/cola/in_domain_dev.tsv" --test "$data/cola/out_of_domain_dev.tsv" ;;
	sick) ablate sick 4 --sizes 100,300,1000 --data "$data/sick/SICK_train.txt.gz" --dev "$data/sick/SICK_trial.txt.gz" --test "$data/sick/SICK_test_annotated.txt.gz" ;;
	snli) ablate snli 2 --sizes 0 --data "$data/snli/train.tsv" --dev "$data/snli/dev.tsv" --test "$data/snli/test.tsv" ;;
	stsb) ablate stsb 2 --sizes 0 --data "$data/stsb/train.tsv" --dev "$data/stsb/dev.tsv" --test "$data/stsb/test.tsv" ;;
	copa) ablate copa 6 --sizes 0 --data "$out/copa-train.jsonl" --dev "$out/copa-dev.jsonl" --test "$data/copa/dev.jsonl" ;;
	arc) ablate arc 1 --sizes 0 --data "$data/arc_easy/train.jsonl" --dev "$data/arc_easy/dev.jsonl" --test "$data/arc_easy/test.jsonl.gz" ;;
	sst2) ablate sst2 3 --sizes 0 --data "$data/sst2/train.tsv" --dev "$data/sst2/dev.tsv" --test "$data/sst2/test.tsv" ;;
	ag-news) ablate ag-news 2 --sizes 0 --data "$data/ag_news/train.csv" --test "$data/ag_news/test.csv.gz" ;;
	wnut17) ablate wnut17 2 --sizes 0 --data "$data/wnut17/wnut17train.conll" --dev "$data/wnut17/emerging.dev.conll" --test "$data/wnut17/emerging.test.annotated" ;;
	chnsenticorp) ablate chnsenticorp 3 --sizes 0 --data "$data/chnsenticorp/train.tsv" --test "$data/chnsenticorp/test.tsv" ;;
	*) echo "$0: no set $set" >&2 && exit 2 ;;
	esac
done
