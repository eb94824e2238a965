"""Tables in Markdown, and the figures in their cells."""

import statistics

BASELINES = {
    "raw": "raw features",
    "propagated": "A^2 X, no training",
    "filter_bank": "filter bank, no training",
    "metapaths": "metapath means, no training",
    "untrained": "untrained encoder",
}
ALL_BASELINES = BASELINES["raw"]  # the cell of a study that measures them all
ACCURACY = {"accuracy %": "accuracy", "macro F1 %": "macro_f1"}


def print_table(head, rows, file=None):
    """Print a table; ``rows`` may be a generator, whose rows appear as soon as they are measured."""
    print(_line(head), "|---" * len(head) + "|", sep="\n", file=file)
    for row in rows:
        print(_line(row), file=file, flush=True)


def print_scores(runs, columns=ACCURACY, form=".1f"):
    """Print the figures of the runs, ``{row: {key: value}}`` each, by ``columns``, ``{head: key}``."""

    def cell(row, head, key):
        scale = 100 if head.endswith("%") else 1
        return spread([scale * run[row][key] for run in runs], form)

    rows = ([BASELINES.get(row, row), *(cell(row, *column) for column in columns.items())] for row in runs[0])
    print_table(["", *columns], rows)


def print_overview(rows, column="accuracy"):
    """Print the mean and deviation over the seeds of a column, in %: methods x (data set, split)."""
    cells = {}
    for row in rows:
        table = cells.setdefault(row["method"], {})
        table.setdefault((row["dataset"], row["split"]), []).append(100 * float(row[column]))
    heads = dict.fromkeys((row["dataset"], row["split"]) for row in rows)
    body = ([name, *(spread(table[head]) if head in table else "" for head in heads)] for name, table in cells.items())
    print_table([f"{column} %", *map(", ".join, heads)], body)


def spread(values, form=".1f", error=statistics.pstdev):
    """The mean and, of several values, the deviation or another ``error``."""
    mean = f"{statistics.mean(values):{form}}"
    return mean if len(values) == 1 else f"{mean} ± {error(values):{form.lstrip('+')}}"


def standard_error(values):
    """The standard error of the mean."""
    return statistics.stdev(values) / len(values) ** 0.5


def _line(cells):
    return f"| {' | '.join(map(str, cells))} |"
