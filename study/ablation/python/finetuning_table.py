"""Writes docs/finetuning.md's table from what study/ablation/python/finetuning_table.sh measured.

    python3 study/ablation/python/finetuning_table.py OUT

A cell is the score on the development set | on the test set, trained on all examples,
in hundredths: the mean over seeds, and ± their standard deviation.
"""
import json
import os
import statistics
import sys

SETS = {
    "cola": "CoLA", "sick": "SICK", "snli": "SNLI", "stsb": "STS-B", "copa": "COPA", "arc": "ARC-easy",
    "sst2": "SST-2", "ag-news": "AG News", "wnut17": "WNUT17", "chnsenticorp": "ChnSentiCorp",
}


def read(path):
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8") as f:
        return [json.loads(line) for line in f]


def cell(points):
    parts = []
    for key in "dev", "score":
        values = [100 * p[key] for p in points]
        text = f"{statistics.mean(values):.1f}"
        if len(values) > 1:
            text += f" ± {statistics.stdev(values):.1f}"
        parts.append(text)
    return " \\| ".join(parts)


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    rows, arms = [], []
    for name, title in SETS.items():
        points = read(os.path.join(sys.argv[1], name, "points.jsonl"))
        by_arm = {}
        for p in points:
            if p["examples"] < max(q["examples"] for q in points):
                continue
            by_arm.setdefault(p["arm"], []).append(p)
        arms += [arm for arm in by_arm if arm not in arms]
        if points:
            seeds = len({p["seed"] for p in points})
            rows.append((f"{title}, {points[0]['metric'].replace('_', '-')}", seeds, by_arm))
    print("| | seeds | " + " | ".join(arms) + " |")
    print("|---|---|" + "---|" * len(arms))
    for title, seeds, by_arm in rows:
        cells = [cell(by_arm[arm]) if arm in by_arm else "" for arm in arms]
        print(f"| {title} | {seeds} | " + " | ".join(cells) + " |")


main()
